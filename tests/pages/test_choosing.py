from __future__ import annotations

from enginewright.pages.choosing import choose, worth_proving
from enginewright.pages.costs import ENGINE
from enginewright.pages.variant import Proof, Variant
from tests.pages.sample import broken, measured, variant

PROVEN = variant("fp32", engine_mb=61.3)


def rehearsed(precision: str, opset: str, engine_mb: float, kept: int = 100) -> Variant:
    name = f"{opset}-{precision}"
    return variant(
        name, kept=kept, proof=Proof.rehearsed, precision=precision, opset=opset, engine_mb=engine_mb, error=1e-4
    )


FP16 = [rehearsed("fp16", "18", 41.676), rehearsed("fp16", "20", 41.669)]
BF16 = [rehearsed("bf16", "18", 41.556), rehearsed("bf16", "20", 41.549, 92)]


def next_of(*variants: Variant, measured: tuple[Variant, ...] = ()) -> str | None:
    found = worth_proving([PROVEN, *variants], PROVEN, ENGINE, measured)
    return found.one.name if found else None


def test_a_cost_that_is_a_trifle_more_is_the_same_and_matches_decide() -> None:
    cheap, whole = variant("cheap", kept=99, engine_mb=60.0), variant("whole", engine_mb=61.0)
    found = choose([cheap, whole], ENGINE, ())
    assert found is not None
    assert (found.one, found.tied, found.by) == (whole, (), "")
    found = choose([cheap, variant("dear", engine_mb=62.0)], ENGINE, ())
    assert found is not None
    assert found.one is cheap, "3 % are no trifle"


def test_errors_of_the_same_size_are_equal() -> None:
    one, other = variant("one", error=1.05e-4), variant("other", error=1.0e-4)
    found = choose([one, other], None, ())
    assert found is not None
    assert (found.one, found.tied) == (one, (other,))
    found = choose([one, variant("third", error=0.5e-4)], None, ())
    assert found is not None
    assert found.one.name == "third"


def test_nothing_is_chosen_from_nothing() -> None:
    assert choose([], ENGINE, ()) is None


def test_a_tenth_of_a_megabyte_is_not_chased_where_siblings_of_the_precision_lost_matches() -> None:
    assert next_of(*BF16, *FP16) == "18-fp16"
    assert next_of(*BF16) == "18-bf16", "alone, its best one"


def test_what_a_gpu_measured_counts_with_the_siblings() -> None:
    whole = [rehearsed("bf16", "18", 41.5), *FP16]
    lost = measured("native-bf16", 3.9, 90, precision="bf16", opset="22")
    assert next_of(*whole) == "18-bf16", "both keep all, and it is the smaller one"
    assert next_of(*whole, measured=(lost,)) == "18-fp16"
    same = measured("native-fp16", 3.3, precision="fp16", opset="20")
    assert next_of(*whole, measured=(lost, same)) == "20-fp16", "of equals the opset that was measured"


def test_what_failed_on_a_gpu_is_not_worth_proving() -> None:
    failed = broken("native-fp16", precision="fp16", source="GPU", device="GPU")
    assert next_of(*FP16, measured=(failed,)) is None
    assert next_of(*FP16, *BF16, measured=(failed,)) == "18-bf16"


def test_what_saves_less_than_a_tie_or_is_proven_as_far_is_not_worth_proving() -> None:
    assert next_of(rehearsed("fp16", "18", 61.0)) is None
    assert next_of(variant("other", engine_mb=40.0)) is None
