"""Graphs in ONNX Runtime, on every sample of the reference."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from enginewright.comparing.runs import refuse_fallback, run_graphs
from enginewright.errors import CompareError, RequirementError
from enginewright.graphs.provider import CPU, CUDA, has_cuda
from enginewright.reference import Arrays
from tests.comparing.graphs import artifact, reference


def ran(outcome: Arrays | CompareError) -> Arrays:
    """Return the outputs of a graph that ran."""
    assert not isinstance(outcome, CompareError)
    return outcome


def test_every_sample_runs_through_every_graph(tmp_path: Path) -> None:
    samples = reference(3)
    graphs = {name: artifact(tmp_path, name) for name in ("sound", "off")}
    results = list(run_graphs(graphs, samples, CPU))
    assert len(results) == 3
    for result, x in zip(results, samples.inputs["x"], strict=True):
        assert result.keys() == {"sound", "off"}
        np.testing.assert_array_equal(ran(result["sound"])["y"], 2 * x)
        np.testing.assert_array_equal(ran(result["off"])["y"], np.float32(2.1) * x)


def test_results_come_one_sample_at_a_time(tmp_path: Path) -> None:
    results = run_graphs({"sound": artifact(tmp_path, "sound")}, reference(2), CPU)
    assert ran(next(results)["sound"])["y"].shape == (1, 4)
    assert len(list(results)) == 1


def test_every_output_is_returned_by_its_name(tmp_path: Path) -> None:
    result = next(run_graphs({"other": artifact(tmp_path, "missing")}, reference(1), CPU))
    assert list(ran(result["other"])) == ["z"]


@pytest.mark.parametrize("kind", ["unknown operator", "other size"])
def test_a_graph_that_does_not_run_is_an_error_that_says_where(tmp_path: Path, kind: str) -> None:
    graphs = {"sound": artifact(tmp_path, "sound"), "typed": artifact(tmp_path, kind)}
    with pytest.raises(CompareError, match=r"a graph did not run in ONNX Runtime: .") as caught:
        list(run_graphs(graphs, reference(), CPU))
    assert caught.value.expected == "sound, typed run on CPUExecutionProvider"


@pytest.mark.parametrize("content", [b"", b"garbage"])
def test_a_broken_file_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "typed.onnx").write_bytes(content)
    with pytest.raises(CompareError, match="a graph did not run"):
        list(run_graphs({"typed": tmp_path / "typed.onnx"}, reference(), CPU))


def test_a_session_that_fell_back_to_the_cpu_is_refused(tmp_path: Path) -> None:
    session = onnxruntime.InferenceSession(str(artifact(tmp_path, "sound")), providers=[CPU])
    refuse_fallback(session, CPU)
    with pytest.raises(RequirementError, match="cannot start CUDAExecutionProvider here") as caught:
        refuse_fallback(session, CUDA)
    assert caught.value.got == [CPU]


@pytest.mark.skipif(has_cuda(), reason="onnxruntime-gpu is installed")
def test_a_provider_that_is_not_installed_is_never_replaced_by_the_cpu(tmp_path: Path) -> None:
    with pytest.raises(RequirementError, match="cannot start CUDAExecutionProvider here"):
        list(run_graphs({"typed": artifact(tmp_path, "half")}, reference(), CUDA))


def test_cuda_is_there_where_the_package_for_it_is() -> None:
    try:
        version("onnxruntime-gpu")
    except PackageNotFoundError:
        assert not has_cuda()
    else:
        assert has_cuda()
