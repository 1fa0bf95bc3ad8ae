from __future__ import annotations

from dataclasses import replace

from enginewright.engine.support import Targets
from enginewright.pages.proving import proving_of
from enginewright.pages.variant import Proof, Variant
from tests.pages.sample import variant

RTX = Targets(("8.0", "8.6", "8.9", "12.0", "12.1"), and_later=True)


def built(precision: str = "fp32", *targets: Targets) -> Variant:
    return variant("a", precision=precision, targets=targets or (RTX,), experiment="sweep-a")


def test_the_hardware_is_that_of_the_engines_and_what_cannot_run_them_is_named() -> None:
    found = proving_of(built(), "make sweep SWEEP=x")
    assert found is not None
    assert "8.9 (RTX 40, L4, L40S)" in found.where
    assert found.where.endswith("and later; it does not run on 8.7 (Jetson Orin), 9.0 (H100, H200), 10.0 (B200)")
    assert found.otherwise == ("make setup-tensorrt", "make sweep SWEEP=x ARGS='builder=tensorrt'")


def test_the_commands_take_the_experiment_and_forbid_what_is_not_run() -> None:
    found = proving_of(built(), "")
    assert found is not None
    assert found.commands == ("dvc exp apply sweep-a", "REQUIRE_GPU=1 dvc repro")
    assert found.otherwise[-1] == "dvc exp run -S builder=tensorrt"


def test_a_reduced_graph_needs_a_provider_that_computes_in_its_types() -> None:
    found = proving_of(built("fp16"), "")
    assert found is not None
    assert found.commands == ("dvc exp apply sweep-a", "make setup-gpu", "REQUIRE_GPU=1 dvc repro")


def test_of_two_runs_that_are_compared_the_one_to_check_out_is_named() -> None:
    found = proving_of(replace(built(), source="compared", experiment=""), "")
    assert found is not None
    assert found.where.startswith("with a in the checkout, on an NVIDIA GPU")
    assert found.commands == ("REQUIRE_GPU=1 dvc repro",)


def test_all_engines_must_run_on_the_gpu() -> None:
    found = proving_of(built("fp32", RTX, Targets(("8.9", "12.0", "12.1"), and_later=True)), "")
    assert found is not None
    assert "capability 8.9 (" in found.where
    assert "does not run on 8.0 (A100), 8.6" in found.where


def test_what_is_proven_or_was_not_built_needs_no_proving() -> None:
    assert proving_of(variant("a", proof=Proof.engine, targets=(RTX,)), "") is None
    assert proving_of(variant("a"), "") is None
