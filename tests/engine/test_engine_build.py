"""Real builds with the embedded builder, each in its own process."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import replace
from pathlib import Path

import onnx
import pytest

from enginewright.config.choices import Builder
from enginewright.config.sections import BuildConfig
from enginewright.engine.build import Built, build_engine
from enginewright.engine.job import Job
from enginewright.engine.support import RTX_DEFAULT, Targets
from enginewright.errors import BuildError, ConfigError, GraphError, RequirementError
from tests.engine.graphs import (
    INDEX,
    RANGES,
    ROWS,
    SCORES,
    WIDTH,
    X,
    Y,
    job,
    many_outputs,
    many_outputs_job,
    normalised_top,
    with_nonzero,
)


def digest(built: Built) -> str:
    return hashlib.sha256(built.engine).hexdigest()


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return normalised_top(tmp_path_factory.mktemp("graphs") / "graph.onnx")


@pytest.fixture(scope="module")
def built(graph: Path) -> Built:
    return build_engine(graph, job())


def test_an_engine_comes_with_its_facts(built: Built) -> None:
    assert b"ftrt" in built.engine[:32] or b"vtrt" in built.engine[:32]
    assert built.inputs == (X,)
    assert set(built.outputs) == {SCORES, INDEX, Y}
    assert built.layers > 5
    assert built.profile == {}
    assert built.targets == Targets(RTX_DEFAULT, and_later=True)
    assert sorted(built.versions) == ["polygraphy", "tensorrt_rtx"]
    assert 0 < built.seconds < 60
    assert 50 < built.peak_mb < 2000
    assert built.timing_cache_sha256 is None


def test_the_same_graph_gives_the_same_bytes_from_every_folder(graph: Path, built: Built, tmp_path: Path) -> None:
    deep = tmp_path / "a" / "much" / "deeper" / "folder" / ("x" * 120) / "renamed.onnx"
    deep.parent.mkdir(parents=True)
    deep.write_bytes(graph.read_bytes())
    assert build_engine(deep, job()).engine == built.engine


def test_variables_of_the_user_do_not_reach_the_engine(
    graph: Path, built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "0")
    monkeypatch.setenv("PYTHONHASHSEED", "12345")
    monkeypatch.setenv("A_LONG_VARIABLE", "x" * 5000)
    assert build_engine(graph, job()).engine == built.engine


def test_many_outputs_keep_their_order_from_build_to_build(tmp_path: Path) -> None:
    first = build_engine(many_outputs(tmp_path / "graph.onnx"), many_outputs_job())
    again = build_engine(many_outputs(tmp_path / "another" / "folder" / "graph.onnx"), many_outputs_job())
    assert digest(first) == digest(again)
    assert [output.name for output in first.outputs] == [f"out_{index}" for index in range(8)]


def test_the_memory_of_the_caller_is_not_counted(graph: Path) -> None:
    held = bytearray(os.urandom(1024)) * (700 << 10)
    assert build_engine(graph, job()).peak_mb < 600
    assert len(held) > 700e6


def test_tf32_is_off_unless_asked_for(graph: Path, built: Built) -> None:
    assert b"tf32=0" in built.engine
    allowed = build_engine(graph, job(BuildConfig(tf32=True)))
    assert b"tf32=1" in allowed.engine
    assert (built.options["tf32"], allowed.options["tf32"]) == (False, True)


def test_capabilities_and_workspace_reach_the_engine(graph: Path, built: Built) -> None:
    ada = build_engine(graph, job(BuildConfig(compute_capabilities=["8.9"], workspace_mib=256)))
    assert ada.targets == Targets(("8.9",), and_later=False)
    assert ada.options["workspace_mib"] == 256
    assert re.findall(rb"accelerators=\{(\w+) \}", ada.engine) == [b"sm89"]
    assert ada.engine != built.engine


def test_a_dynamic_graph_gets_its_profile(tmp_path: Path) -> None:
    made = build_engine(normalised_top(tmp_path / "graph.onnx", dynamic=True), job(ranges=RANGES))
    assert made.inputs[0].shape == ("batch", "rows", WIDTH)
    assert made.profile == {"x": {"min": [1, 16, WIDTH], "opt": [2, ROWS, WIDTH], "max": [4, 128, WIDTH]}}


def test_a_dynamic_axis_without_a_range_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the dynamic axis rows of the input x has no range"):
        build_engine(normalised_top(tmp_path / "graph.onnx", dynamic=True), job(ranges={"batch": [1, 4]}))


def test_a_half_precision_graph_keeps_its_inputs_and_outputs(tmp_path: Path) -> None:
    made = build_engine(normalised_top(tmp_path / "graph.onnx", half=True), job())
    assert {binding.dtype for binding in (*made.inputs, *made.outputs)} == {"float32", "int32"}
    assert b"type=half" in made.engine


def test_an_operator_that_the_builder_lacks_is_named_with_its_node(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="the builder cannot take the typed graph") as caught:
        build_engine(with_nonzero(tmp_path / "graph.onnx"), job())
    assert "node 5 (NonZero find_peaks): UNSUPPORTED_NODE" in str(caught.value)


def test_an_operation_that_no_target_can_run_is_named(graph: Path) -> None:
    with pytest.raises(BuildError, match="the builder made no engine") as caught:
        build_engine(graph, job(BuildConfig(compute_capabilities=["7.5"])))
    assert "product" in str(caught.value)
    assert "SM75" in str(caught.value)


def test_too_little_workspace_is_the_reason_given(tmp_path: Path) -> None:
    with pytest.raises(BuildError) as caught:
        build_engine(normalised_top(tmp_path / "graph.onnx"), job(BuildConfig(workspace_mib=1)))
    assert "workspace" in str(caught.value)


@pytest.mark.parametrize("keep", [0, 100, 3000])
def test_a_cut_graph_is_an_error(graph: Path, tmp_path: Path, keep: int) -> None:
    cut = tmp_path / "graph.onnx"
    cut.write_bytes(graph.read_bytes()[:keep])
    with pytest.raises((BuildError, GraphError)):
        build_engine(cut, job())


def test_a_graph_whose_weights_lie_in_another_file_is_an_error(graph: Path, tmp_path: Path) -> None:
    split = tmp_path / "graph.onnx"
    model = onnx.load(graph)
    onnx.save(model, split, save_as_external_data=True, location="weights.bin", size_threshold=0)
    with pytest.raises(BuildError, match="the builder cannot take the typed graph") as caught:
        build_engine(split, job())
    assert "weights.bin" in str(caught.value)


def test_a_graph_of_another_contract_is_refused_before_it_is_built(graph: Path) -> None:
    with pytest.raises(GraphError, match="other outputs than the contract"):
        build_engine(graph, Job(BuildConfig(), (X,), (SCORES,), {}))
    with pytest.raises(GraphError, match="the output index of the typed graph has the wrong type"):
        build_engine(graph, Job(BuildConfig(), (X,), (SCORES, replace(INDEX, dtype="int64"), Y), {}))


def test_the_full_tensorrt_needs_a_gpu(graph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(RequirementError, match="the builder tensorrt times kernels on a GPU") as caught:
        build_engine(graph, job(BuildConfig(builder=Builder.tensorrt)))
    assert "builder=tensorrt_rtx" in str(caught.value)
