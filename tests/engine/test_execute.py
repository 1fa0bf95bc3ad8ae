from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from enginewright.config.sections import CompareConfig
from enginewright.engine.execute import judged, prove
from enginewright.errors import RequirementError
from enginewright.reference import Arrays, Reference
from enginewright.verdicts import State
from tests.engine.graphs import ROOT, ROWS, normalised_top, record, reference_of

NO_ENGINE = """
from enginewright.config.choices import Builder
from enginewright.engine import api
from enginewright.engine.execute import executed
from enginewright.reference import Reference
from tests.engine.graphs import CONTRACT
api.use(Builder.tensorrt_rtx)
list(executed(None, Reference({}, {}, (), CONTRACT)))
"""


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return reference_of(normalised_top(tmp_path_factory.mktemp("execute") / "graph.onnx"))


def outputs(reference: Reference) -> list[Arrays]:
    """Return copies of the reference's outputs, sample by sample."""
    return [{name: array.copy() for name, array in expected.items()} for _, _, expected in reference.samples()]


def test_without_a_gpu_nothing_is_executed_and_the_reason_says_so(
    reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.delenv("REQUIRE_GPU", raising=False)
    verdict = prove(b"not even an engine", record(), reference, CompareConfig())
    assert verdict.state is State.not_run
    assert verdict.reason == "the engine was not executed: no NVIDIA GPU with a driver"


def test_requiring_a_gpu_turns_that_into_an_error(reference: Reference, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("REQUIRE_GPU", "1")
    with pytest.raises(RequirementError, match="REQUIRE_GPU=1 forbids that"):
        prove(b"engine", record(), reference, CompareConfig())


def test_outputs_that_are_the_references_pass(reference: Reference) -> None:
    assert judged(iter(outputs(reference)), reference, CompareConfig()).state is State.passed


def test_an_error_in_one_sample_fails_with_its_number(reference: Reference) -> None:
    found = outputs(reference)
    found[1]["y"] = found[1]["y"] + np.float32(0.25)
    verdict = judged(iter(found), reference, CompareConfig())
    assert verdict.state is State.failed
    assert "engine.y.max_abs is 0.25, more than 0.001" in verdict.reason


def test_a_wider_tolerance_lets_it_pass(reference: Reference) -> None:
    found = outputs(reference)
    found[0]["y"] = found[0]["y"] + np.float32(0.25)
    wide = CompareConfig(max_abs=1, mean_abs=1, p99_abs=1, cosine=0.9)
    assert judged(iter(found), reference, wide).state is State.passed


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_fails(reference: Reference, value: float) -> None:
    found = outputs(reference)
    found[0]["scores"][0, 0] = value
    verdict = judged(iter(found), reference, CompareConfig())
    assert verdict.state is State.failed
    assert "NaN or Inf" in verdict.reason


def test_a_missing_output_fails(reference: Reference) -> None:
    found = outputs(reference)
    del found[0]["index"]
    assert "the output index is missing" in judged(iter(found), reference, CompareConfig()).reason


def test_a_missing_sample_is_no_pass(reference: Reference) -> None:
    with pytest.raises(ValueError, match="longer"):
        judged(iter(outputs(reference)[:1]), reference, CompareConfig())


def test_an_engine_that_does_not_run_is_a_build_error() -> None:
    """In a new process: Polygraphy settles on a builder once, and other tests use it without one."""
    done = subprocess.run(
        [sys.executable, "-c", NO_ENGINE],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "BuildError: the engine does not run: Invalid Engine" in done.stderr


def test_each_sample_is_held_against_its_own_reference(reference: Reference) -> None:
    other = replace(reference, outputs={name: array[::-1].copy() for name, array in reference.outputs.items()})
    assert judged(iter(outputs(other)), reference, CompareConfig()).state is State.failed


def with_corner(reference: Reference) -> Reference:
    """Return the reference of open rows, with one more sample, of the first rows, as its corner."""
    free = replace(
        reference.contract, inputs=tuple(replace(port, dynamic=("rows",)) for port in reference.contract.inputs)
    )
    static = replace(reference, contract=replace(free, sizes={"rows": ROWS}))
    outputs = {name: array[:1] for name, array in reference.outputs.items()}
    outputs["y"] = outputs["y"][:, :, :16]
    corner = Reference(
        {"x": reference.inputs["x"][:1, :, :16]}, outputs, ("corner",), replace(free, sizes={"rows": 16})
    )
    return replace(static, corners=(corner,))


def test_outputs_at_a_corner_are_held_against_the_reference_there(reference: Reference) -> None:
    both = with_corner(reference)
    found = outputs(both) + outputs(both.corners[0])
    assert judged(iter(found), both, CompareConfig()).state is State.passed
    found[-1]["y"] = found[-1]["y"] + np.float32(0.25)
    verdict = judged(iter(found), both, CompareConfig())
    assert "engine.y.max_abs is 0.25" in verdict.reason
    assert verdict.reason.endswith(", at rows=16")
    with pytest.raises(ValueError, match=r"shorter|longer"):
        judged(iter(outputs(both)), both, CompareConfig())


def test_an_engine_whose_outputs_keep_the_static_shape_fails_at_the_corner(reference: Reference) -> None:
    both = with_corner(reference)
    found = outputs(both) + outputs(both)[:1]
    verdict = judged(iter(found), both, CompareConfig())
    assert verdict.reason.startswith("engine: the output y has shape")
    assert verdict.reason.endswith(", at rows=16")
