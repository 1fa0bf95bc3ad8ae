from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from enginewright.errors import GraphError, RequirementError
from enginewright.graphs.provider import CPU, CUDA, provider_for
from enginewright.matching.graph import OnnxGraph, require
from tests.matching.tiny_chain import HEIGHT, KEYPOINTS, WIDTH, extractor_graph, matcher_graph


def test_outputs_come_by_name(tmp_path: Path) -> None:
    graph = OnnxGraph(extractor_graph(tmp_path / "e.onnx"))
    outputs = graph({"image": np.zeros((1, 3, HEIGHT, WIDTH), np.float32)})
    assert set(outputs) == {"keypoints", "scores", "descriptors"}
    assert outputs["keypoints"].shape == (1, KEYPOINTS, 2)


@pytest.mark.parametrize(("batch", "slots"), [(1, 1), (3, 3), ("batch", 1)])
def test_slots_are_the_batch_and_one_where_it_is_open(tmp_path: Path, batch: int | str, slots: int) -> None:
    assert OnnxGraph(extractor_graph(tmp_path / "e.onnx", batch)).slots("image") == slots


def test_matcher_has_two_slots_a_pair(tmp_path: Path) -> None:
    assert OnnxGraph(matcher_graph(tmp_path / "m.onnx", 3)).slots("keypoints") == 6


def test_same_input_gives_the_same_bits(tmp_path: Path) -> None:
    image = np.random.default_rng(0).random((1, 3, HEIGHT, WIDTH), np.float32)
    path = extractor_graph(tmp_path / "e.onnx")
    first, second = (OnnxGraph(path)({"image": image})["descriptors"] for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_missing_input_name_is_a_breach_of_contract(tmp_path: Path) -> None:
    with pytest.raises(GraphError, match=r"breaks the contract[\s\S]*picture[\s\S]*image"):
        OnnxGraph(extractor_graph(tmp_path / "e.onnx")).slots("picture")


def test_broken_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "e.onnx").write_bytes(b"not a graph")
    with pytest.raises(GraphError, match=r"e\.onnx does not run in ONNX Runtime"):
        OnnxGraph(tmp_path / "e.onnx")


def test_wrong_shape_is_refused_by_name(tmp_path: Path) -> None:
    graph = OnnxGraph(extractor_graph(tmp_path / "e.onnx"))
    with pytest.raises(GraphError, match=r"e\.onnx does not run[\s\S]*image"):
        graph({"image": np.zeros((1, 3, HEIGHT + 16, WIDTH), np.float32)})


def test_fp32_is_proven_on_a_cpu_and_less_only_where_cuda_is() -> None:
    offered = CUDA in onnxruntime.get_available_providers()
    assert provider_for(None) == CPU
    assert provider_for("float16") == (CUDA if offered else None)


def test_require_names_what_is_missing() -> None:
    require(["a"], ["b", "a"], "graph")
    with pytest.raises(GraphError, match="c, d is missing"):
        require(["a", "c", "d"], ["a", "b"], "graph")


@pytest.mark.skipif(CUDA in onnxruntime.get_available_providers(), reason="this onnxruntime offers CUDA")
@pytest.mark.filterwarnings("ignore:Specified provider")
def test_provider_that_cannot_start_is_missing_hardware_and_never_a_silent_cpu(tmp_path: Path) -> None:
    with pytest.raises(RequirementError, match=r"offers CUDAExecutionProvider but cannot start it[\s\S]*CPU"):
        OnnxGraph(extractor_graph(tmp_path / "e.onnx"), CUDA)


@pytest.mark.parametrize("reduced", ["float16", "bfloat16", "float8"])
def test_no_reduced_type_is_ever_proven_on_the_cpu(reduced: str) -> None:
    assert provider_for(reduced) != CPU


def test_outputs_are_arrays_of_the_graphs_types(tmp_path: Path) -> None:
    features = np.zeros((2, KEYPOINTS, 3 * 16 * 16), np.float32)
    outputs = OnnxGraph(matcher_graph(tmp_path / "m.onnx"))(
        {"keypoints": np.zeros((2, KEYPOINTS, 2), np.float32), "descriptors": features}
    )
    assert outputs["matches"].dtype == np.int32
    assert outputs["mscores"].dtype == np.float32
    assert (outputs["matches"] == -1).all()


def test_missing_input_is_refused_by_name(tmp_path: Path) -> None:
    graph = OnnxGraph(matcher_graph(tmp_path / "m.onnx"))
    with pytest.raises(GraphError, match=r"m\.onnx does not run[\s\S]*descriptors"):
        graph({"keypoints": np.zeros((2, KEYPOINTS, 2), np.float32)})
