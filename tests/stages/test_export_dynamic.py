"""The export stage with open axes: the published networks run at other sizes than they were exported at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from enginewright.config.choices import Exporter, Form, MatcherOutput
from enginewright.config.models import MatcherModel
from enginewright.config.sections import ExportConfig
from enginewright.contract import Contract
from enginewright.graphs.files import check_graph
from enginewright.reference import Arrays
from stages.export import run
from tests.models import disk_model
from tests.stages.tiny_stage import (
    assert_close,
    assert_no_traces,
    checkpoint_of,
    contract_of,
    module_of,
    registered,
    run_graph,
    run_torch,
)

DISK = disk_model(height=64, width=64, keypoints=64, ranges={"batch": [1, 2], "height": [64, 96], "width": [64, 80]})
MATCHER = MatcherModel(adapter="shallow", keypoints=32, ranges={"batch": [1, 3], "keypoints": [32, 50]})


@pytest.fixture(scope="module", autouse=True)
def _registered() -> Iterator[None]:
    with registered():
        yield


def inputs_of_size(contract: Contract, **sizes: int) -> Arrays:
    larger = replace(contract, sizes=contract.sizes | sizes)
    random = np.random.default_rng(3)
    return {port.name: random.random(larger.shape(port), dtype=np.float32) for port in contract.inputs}


def axes_of(graph: onnx.ModelProto) -> dict[str, list[int | str]]:
    values = (*graph.graph.input, *graph.graph.output)
    return {
        value.name: [size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim] for value in values
    }


@pytest.mark.parametrize("exporter", Exporter)
def test_disk_with_open_axes_runs_at_another_size(exporter: Exporter, tmp_path: Path) -> None:
    checkpoint = checkpoint_of(DISK, tmp_path / "disk.safetensors")
    graph = run(DISK, Form.native, ExportConfig(exporter, 20, dynamic=True), checkpoint)
    check_graph(graph, "exported")
    assert_no_traces(graph)
    assert axes_of(graph) == {
        "image": ["batch", 3, "height", "width"],
        "keypoints": ["batch", 64, 2],
        "scores": ["batch", 64],
        "descriptors": ["batch", 64, 128],
        "valid": ["batch", 64],
    }
    contract, module = contract_of(DISK), module_of(DISK)
    for sizes in ({}, {"batch": 2, "height": 96, "width": 80}):
        inputs = inputs_of_size(contract, **sizes)
        expected = run_torch(module, inputs, contract)
        assert expected["valid"].sum() > 10
        assert_close(expected, run_graph(graph, inputs), atol=1e-4)


@pytest.mark.parametrize("exporter", Exporter)
def test_lightglue_with_open_axes_runs_at_another_size(exporter: Exporter, tmp_path: Path) -> None:
    model = replace(MATCHER, output=MatcherOutput.scores)
    checkpoint = checkpoint_of(model, tmp_path / "shallow.safetensors")
    graph = run(model, Form.native, ExportConfig(exporter, 20, dynamic=True), checkpoint)
    check_graph(graph, "exported")
    assert axes_of(graph) == {
        "keypoints": ["images", "keypoints", 2],
        "descriptors": ["images", "keypoints", 128],
        "scores": ["batch", "keypoints", "keypoints"],
    }
    contract, module = contract_of(model), module_of(model)
    for sizes in ({}, {"images": 6, "keypoints": 50}):
        inputs = inputs_of_size(contract, **sizes)
        assert_close(run_torch(module, inputs, contract), run_graph(graph, inputs), atol=1e-4)


@pytest.mark.parametrize("exporter", Exporter)
def test_an_axis_without_a_range_keeps_its_static_size(exporter: Exporter, tmp_path: Path) -> None:
    model = replace(MATCHER, ranges={"keypoints": [32, 50]})
    checkpoint = checkpoint_of(model, tmp_path / "shallow.safetensors")
    graph = run(model, Form.native, ExportConfig(exporter, 20, dynamic=True), checkpoint)
    assert axes_of(graph) == {
        "keypoints": [2, "keypoints", 2],
        "descriptors": [2, "keypoints", 128],
        "matches": [1, "keypoints"],
        "mscores": [1, "keypoints"],
    }


def test_static_axes_stay_numbers(tmp_path: Path) -> None:
    graph = run(
        MATCHER,
        Form.decomposed,
        ExportConfig(Exporter.torchscript, 17),
        checkpoint_of(MATCHER, tmp_path / "shallow.safetensors"),
    )
    assert axes_of(graph) == {
        "keypoints": [2, 32, 2],
        "descriptors": [2, 32, 128],
        "matches": [1, 32],
        "mscores": [1, 32],
    }
