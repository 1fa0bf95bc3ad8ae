from __future__ import annotations

from enginewright.pages.advice import advise
from enginewright.pages.elsewhere import Elsewhere, elsewhere
from enginewright.pages.evidence import Evidence
from enginewright.pages.page import Content, page
from enginewright.pages.variant import Proof, Variant
from tests.pages.sample import DEVICE, broken, measured, variant

SIZES = Evidence(4, 512, 512, 1024)
PARTS = ("disk", "disk_lightglue")
FP16 = measured("native-fp16", 3.35, precision="fp16", opset="20", evidence=SIZES, parts=("disk_lightglue",))
FP32 = measured("native-fp32", 5.96, opset="20", evidence=SIZES, parts=("disk_lightglue",))
OWN = variant("opset_18-fp32", opset="18", parts=PARTS, experiment="s-opset_18-fp32", engine_mb=60.0)


def half(opset: str) -> Variant:
    name = f"opset_{opset}-fp16"
    return variant(name, opset=opset, precision="fp16", proof=Proof.rehearsed, parts=PARTS, experiment=f"s-{name}")


def found(*variants: Variant, again: str = "", tables: tuple[Variant, ...] = (FP16, FP32)) -> Elsewhere:
    (one,) = elsewhere(advise(variants, tables), again)
    return one


def test_it_says_where_on_what_and_of_which_part_of_the_pipeline() -> None:
    one = found(OWN)
    assert one.title == f"{DEVICE}: 4 pairs, 512 x 512 px, 1,024 keypoints per image"
    assert one.what == (
        "2 typed graphs of disk_lightglue alone, in ONNX Runtime; no engine, and without the extractor."
    )
    assert one.best == "Its best is native-fp16: 3.35 ms, 100 of 100 matches kept, 44 % less time than native-fp32."


def test_it_says_which_variants_of_the_page_its_best_is() -> None:
    one = found(OWN, half("18"), half("20"))
    assert one.here == (
        "That is fp16 with LayerNorm native: opset_{18,20}-fp16 above, only rehearsed here. "
        "Of what is recommended above it has native-fp32: 5.96 ms, 100 of 100 matches kept."
    )
    assert one.command == "dvc exp apply s-opset_20-fp16", "of the opset that was measured"
    assert found(OWN, half("18")).command == "dvc exp apply s-opset_18-fp16"


def test_what_the_page_lacks_is_brought_in_by_a_command() -> None:
    one = found(OWN, again="make sweep SWEEP=x")
    assert one.here.startswith("No variant above has fp16 with LayerNorm native.")
    assert one.command == "make sweep SWEEP=x ARGS='precision=fp32,fp16 layernorm=native'"
    assert found(OWN).command == "dvc exp run -S precision=fp16 -S layernorm=native"


def test_a_table_in_which_all_failed_says_so() -> None:
    one = found(OWN, tables=(broken("a", source=DEVICE, device=DEVICE),))
    assert (one.best, one.command) == ("None of them passed there.", "")


def test_a_table_is_an_answer_only_where_there_is_no_other() -> None:
    assert page(Content("x", (), (OWN, FP16, FP32), (), (), None)).count('<article class="card') == 1
    html = page(Content("x", (), (FP16, FP32), (), (), None))
    assert f"Best on {DEVICE}; build it and ship" in html
    assert '<aside class="elsewhere"' not in html
