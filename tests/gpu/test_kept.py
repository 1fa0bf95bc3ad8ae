"""Matches that a graph keeps are counted against the original's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from enginewright.errors import GraphError, RequirementError
from enginewright.gpu.kept import kept_matches
from enginewright.gpu.session import Session
from enginewright.graphs.provider import CPU, CUDA, has_cuda
from tests.comparing.graphs import artifact
from tests.gpu.small import matcher, reference
from tests.graphs.small import model_of, value, write


def test_all_are_kept(tmp_path: Path) -> None:
    found = kept_matches(Session(write(tmp_path / "m.onnx", matcher()), CPU), reference())
    assert found == {"original": 6, "found": 6, "common": 6, "mscores_max_abs": 0.0}


def test_other_partners_are_not_kept(tmp_path: Path) -> None:
    found = kept_matches(Session(write(tmp_path / "m.onnx", matcher(offset=1.0)), CPU), reference())
    assert (found["original"], found["found"], found["common"]) == (6, 8, 0)


def test_the_error_of_confidences_is_measured(tmp_path: Path) -> None:
    found = kept_matches(Session(write(tmp_path / "m.onnx", matcher(low=True)), CPU), reference())
    assert found["mscores_max_abs"] == pytest.approx(abs(float(np.float16(0.9)) - 0.9), rel=1e-3)


def test_a_graph_that_does_not_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(GraphError, match=r"unknown operator\.onnx does not run in ONNX Runtime"):
        Session(artifact(tmp_path, "unknown operator"), CPU)
    with pytest.raises(GraphError, match=r"sound\.onnx does not run"):
        Session(artifact(tmp_path, "sound"), CPU).run({"other": np.zeros(1)})


def test_types_that_the_provider_has_no_kernel_for_are_a_missing_requirement(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Cast", ["x"], ["low"], to=TensorProto.BFLOAT16),
        helper.make_node("Erf", ["low"], ["other"]),
        helper.make_node("Cast", ["other"], ["y"], to=TensorProto.FLOAT),
    ]
    graph = write(tmp_path / "m.onnx", model_of(nodes, [value("x", (1, 4))], [value("y", (1, 4))]))
    with pytest.raises(RequirementError, match=r"CPUExecutionProvider has no kernel for the types of m\.onnx"):
        Session(graph, CPU)


@pytest.mark.skipif(has_cuda(), reason="onnxruntime-gpu is installed")
def test_a_provider_that_is_not_there_is_a_missing_requirement(tmp_path: Path) -> None:
    with pytest.raises(RequirementError, match="cannot start CUDAExecutionProvider"):
        Session(artifact(tmp_path, "sound"), CUDA)
