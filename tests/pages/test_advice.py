from __future__ import annotations

from dataclasses import replace

from enginewright.pages.advice import advise, advise_all
from enginewright.pages.costs import ENGINE, LATENCY
from enginewright.pages.evidence import Evidence
from enginewright.pages.facts import change
from enginewright.pages.sentences import card_of
from enginewright.pages.variant import Kept, Proof, Variant
from enginewright.verdicts import PASSED
from tests.pages.sample import DEVICE, broken, measured, variant


def best(*variants: Variant) -> str | None:
    found = advise(variants).best
    return found.name if found else None


def rehearsed(name: str, engine_mb: float, kept: int = 100) -> Variant:
    return variant(name, kept=kept, proof=Proof.rehearsed, precision="fp16", engine_mb=engine_mb)


def test_the_fastest_of_those_that_are_proven_furthest() -> None:
    assert best(measured("slow", 9.0), measured("fast", 3.0)) == "fast"


def test_what_breached_a_gate_is_never_recommended() -> None:
    assert best(broken("cheap", latency_ms=1.0), measured("dear", 5.0)) == "dear"
    assert best(broken("only")) is None


def test_what_does_not_exist_is_never_recommended() -> None:
    assert best(variant("a", state="refused"), variant("b", state="not_run"), variant("c", state="pending")) is None


def test_what_is_proven_further_goes_before_what_is_smaller() -> None:
    proven = variant("proven", engine_mb=60.0)
    assert best(rehearsed("small", 30.0), proven) == "proven"
    assert best(variant("run", engine_mb=90.0, proof=Proof.engine, gates=PASSED), proven) == "run"


def test_matches_kept_decide_between_equals_then_the_error_then_the_order() -> None:
    assert best(measured("a", 3.0, 99), measured("b", 3.0, 100)) == "b"
    assert best(measured("a", 3.0, error=2.0), measured("b", 3.0, error=1.0)) == "b"
    assert best(measured("a", 3.0), measured("b", 3.0)) == "a"


def test_what_may_be_cheaper_once_it_is_proven_is_told_beside_the_best() -> None:
    advice = advise([variant("proven", engine_mb=60.0), rehearsed("small", 30.0), rehearsed("large", 70.0)])
    assert advice.next is not None
    assert (advice.next.one.name, advice.cost) == ("small", ENGINE)
    poor = rehearsed("poor", 29.0, 85)
    advice = advise([variant("proven", engine_mb=60.0), poor, rehearsed("small", 30.0)])
    assert advice.next is not None
    assert advice.next.one.name == "small", "a megabyte is not worth fifteen matches"
    assert advise([variant("proven", engine_mb=20.0), rehearsed("large", 70.0)]).next is None


def test_the_best_that_loses_nothing_is_told_where_the_best_loses_some() -> None:
    advice = advise([measured("fast", 3.0, 99), measured("whole", 4.0), measured("slow", 5.0)])
    assert (advice.best or advice.lossless) != advice.lossless
    assert advice.lossless is not None
    assert advice.lossless.name == "whole"
    assert advise([measured("whole", 4.0)]).lossless is None


def test_costs_are_compared_with_the_first_sound_fp32_variant_of_native_layernorm() -> None:
    scaled, native = variant("scaled", form="scaled", engine_mb=50.0), variant("native", engine_mb=60.0)
    advice = advise([broken("broken"), scaled, native, rehearsed("small", 10.0)])
    assert advice.baseline is native
    assert advise([native]).baseline is None, "nothing is compared with itself"


def test_sources_and_networks_are_advised_on_apart() -> None:
    found = advise_all([variant("a"), measured("b", 3.0), variant("c", network="other")])
    assert [(one.source, one.network) for one in found] == [
        ("sweep", "disk_lightglue"),
        (DEVICE, "disk_lightglue"),
        ("sweep", "other"),
    ]


def test_the_card_says_what_is_lost_and_what_it_costs() -> None:
    slow = measured("slow", 6.0, graph_mb=40.0, form="native")
    card = card_of(advise([slow, measured("fast", 3.0, 98, graph_mb=20.0, precision="fp16")]))
    facts = {fact.title: (fact.figure, fact.note) for fact in card.facts}
    assert card.name == "fast"
    assert facts["Matches lost"] == ("2 of 100", "2 % lost, by the typed graph")
    assert facts["Typed graph"] == ("20.0 MB", "50 % less than slow; no engine was built")
    assert facts["Latency"][0] == "3.00 ms"
    assert "50 % less than slow" in facts["Latency"][1]
    assert facts["Build"][0] == "not built"
    assert card.lossless == "If no match may be lost: slow, 6.00 ms."
    assert "lowest latency" in card.why


def test_the_card_never_calls_what_was_not_run_proven() -> None:
    gap = (("disk, build", "no NVIDIA GPU"), ("disk_lightglue, build", "no NVIDIA GPU"))
    card = card_of(advise([rehearsed("small", 30.0)]))
    assert (card.headline, card.tone) == ("Nothing is proven yet; prove first", "candidate")
    card = card_of(advise([variant("graph", engine_mb=60.0, unproven=gap)]))
    assert (card.headline, card.tone) == ("Run it on a GPU, then ship", "graph")
    assert card.unproven == (("disk, build; disk_lightglue, build", "no NVIDIA GPU"),)
    assert "No engine of it has been run." in card.status


def test_the_card_of_a_sweep_that_failed_says_so() -> None:
    card = card_of(advise([broken("a"), broken("b"), variant("c", state="not_run")]))
    assert (card.headline, card.tone, card.name) == ("Ship nothing yet", "none", "")
    assert "2 of 3 failed, 1 were refused or not run" in card.why


def test_the_card_says_how_many_are_out() -> None:
    card = card_of(advise([variant("a"), broken("b"), variant("c", state="refused"), variant("d")]))
    assert card.why.startswith(
        "Of 4 variants: 1 failed a gate, 1 was refused or not run, in 2 some gates could not be run. Of those proven"
    )
    why = card_of(advise([variant("a"), variant("b")])).why
    assert why.startswith("Of 2 variants: no gate failed, in all 2 some gates could not be run.")
    assert "could not be run" not in card_of(advise([measured("a", 3.0), measured("b", 4.0)])).why


def test_what_was_not_measured_is_said_to_be_so() -> None:
    facts = {fact.title: fact for fact in card_of(advise([variant("a", kept=None, engine_mb=1.0, build_s=2.0)])).facts}
    assert facts["Latency"].figure == "not measured"
    assert facts["Matches lost"].figure == "not counted"
    assert facts["Build"].figure == "2.0 s"


def test_what_is_rehearsed_and_cheaper_is_worth_proving_and_said_to_be_unproven() -> None:
    card = card_of(advise([variant("proven", engine_mb=60.0), rehearsed("small", 30.0, 99)]))
    assert card.next is not None
    assert card.next.name == "small"
    assert card.next.saves == (
        "30.0 MB, 50 % less. "
        "Only rehearsed: its rounding was imitated on a CPU, which can refute it and cannot prove it."
    )
    assert card.next.why == ("All variants of fp16 with LayerNorm native here kept 99 of 100 matches.",)


def test_what_others_and_gpu_tables_kept_is_told_beside_it_with_what_gates_ask() -> None:
    half = replace(rehearsed("half", 30.0), asked=0.9)
    other = replace(rehearsed("other", 29.9, 92), precision="bf16", asked=0.3)
    table = measured("native-fp16", 3.0, precision="fp16", evidence=Evidence(4, 512, 512, 1024))
    card = card_of(advise([variant("proven", engine_mb=60.0), half, other], [table]))
    assert card.next is not None
    assert card.next.why == (
        "All variants of fp16 with LayerNorm native here kept 100 of 100 matches; its gate asks for 90 %.",
        "bf16 kept 92 of 100 (and its gate asks for 30 % only).",
        f"{DEVICE} kept 100 of 100 with it (4 pairs, 512 x 512 px, 1,024 keypoints per image).",
    )


def test_the_card_names_what_is_as_good_and_by_what_the_choice_fell() -> None:
    pair = [
        variant("opset_18-fp32", opset="18", engine_mb=61.263),
        variant("opset_20-fp32", opset="20", engine_mb=61.256),
    ]
    card = card_of(advise(pair))
    assert card.name == "opset_18-fp32"
    assert card.equals == (
        "opset_20-fp32 is as good: engines within 2 %, as many matches kept, errors alike. "
        "opset_18-fp32 was taken because it stands first in the sweep."
    )
    card = card_of(advise(pair, [measured("native-fp32", 5.0, opset="20")]))
    assert card.name == "opset_20-fp32"
    assert card.equals.endswith(f"the same precision, LayerNorm form and opset were measured on {DEVICE}.")
    assert card_of(advise(pair[:1])).equals == ""
    assert card.facts[1].note == "of all its networks", "an equal is no baseline"


def test_the_card_warns_of_little_evidence_and_says_how_to_have_more() -> None:
    card = card_of(advise([variant("a", evidence=Evidence(1, 128, 128, 64))]), "make sweep SWEEP=x")
    assert card.warning[0].startswith("100 matches of one pair prove little")
    assert card.warning[1] == "make sweep SWEEP=x ARGS='data=folder data.folder=my_pairs'"
    many = variant("a", evidence=Evidence(4, 512, 512, 1024))
    assert card_of(advise([replace(many, kept=Kept(2755, 2755, "the typed graph"))])).warning == ("", "")


def test_the_card_says_what_its_gate_asks_and_on_how_much_it_was_counted() -> None:
    (matches, *_) = card_of(advise([variant("a", asked=0.3, evidence=Evidence(1, 128, 96, 64))])).facts
    assert matches.note == (
        "none lost on 1 pair, 96 x 128 px, 64 keypoints per image, by the typed graph; its gate asks that 30 % be kept"
    )


def test_latency_says_what_of_the_pipeline_it_includes() -> None:
    one = variant("a", latency_ms=3.0, device=DEVICE, parts=("disk", "disk_lightglue"))
    note = {fact.title: fact.note for fact in card_of(advise([one])).facts}["Latency"]
    assert note == f"a call of disk_lightglue, without disk, its graph in ONNX Runtime on {DEVICE}, no engine"


def test_an_engine_that_was_built_and_never_run_is_said_to_be_so() -> None:
    one = variant("a", build_s=4.4, engine_mb=60.0, parts=("disk", "disk_lightglue"))
    note = {fact.title: fact.note for fact in card_of(advise([one])).facts}["Build"]
    assert note == "the builder's time, for disk and disk_lightglue; built, and never run"
    ran = replace(one, proof=Proof.engine, gates=PASSED)
    assert "never run" not in {fact.title: fact.note for fact in card_of(advise([ran])).facts}["Build"]


def test_changes_in_words() -> None:
    assert change(50.0, 100.0) == "50 % less"
    assert change(103.0, 100.0) == "3 % more"
    assert change(100.0, 100.0) == "the same"
    assert change(99.9, 100.0) == "under 1 % less"


def test_latency_is_the_measure_only_where_it_is_known() -> None:
    assert advise([measured("a", 3.0)]).cost is LATENCY
