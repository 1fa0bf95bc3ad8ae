"""The export stage: what was asked for is what comes out, wherever the project lies."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from torch import Tensor, nn

import enginewright
from enginewright.artifacts import read_json, sha256_of
from enginewright.checkpoint.store import write_checkpoint
from enginewright.config.choices import Exporter, Form, MatcherOutput
from enginewright.config.models import DiskModel, LightGlueModel, ModelConfig
from enginewright.config.sections import ExportConfig
from enginewright.contract import Contract, Kind, Port
from enginewright.errors import CheckpointError, GraphError
from enginewright.graphs.files import check_graph, graph_bytes, load_graph
from enginewright.graphs.io import check_io
from enginewright.graphs.walk import all_messages, count_ops, opset_of
from enginewright.stage import Stage
from networks import Adapter
from stages.export import SECTIONS, main, metrics_of, run
from tests.stages.tiny import TinyModel
from tests.stages.tiny_stage import (
    assert_close,
    checkpoint_of,
    contract_of,
    module_of,
    registered,
    run_graph,
    run_torch,
)

ROOT = Path(enginewright.__file__).parents[1]
MODEL = TinyModel()
DISK = DiskModel(height=64, width=64, keypoints=64)
MATCHER = LightGlueModel(adapter="shallow", keypoints=32)


@pytest.fixture(scope="module", autouse=True)
def _registered() -> Iterator[None]:
    with registered():
        yield


@pytest.fixture(scope="module")
def checkpoint(_registered: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoint_of(MODEL, tmp_path_factory.mktemp("tiny") / "checkpoint.safetensors")


CASES = [
    (Exporter.torchscript, 16, Form.decomposed),
    (Exporter.torchscript, 17, Form.native),
    (Exporter.torchscript, 20, Form.native),
    (Exporter.torchscript, 23, Form.decomposed),
    (Exporter.dynamo, 17, Form.native),
    (Exporter.dynamo, 17, Form.decomposed),
    (Exporter.dynamo, 20, Form.native),
    (Exporter.dynamo, 20, Form.decomposed),
]


@pytest.mark.parametrize(("exporter", "opset", "form"), CASES)
def test_opset_form_inputs_and_outputs_are_as_asked(
    exporter: Exporter, opset: int, form: Form, checkpoint: Path
) -> None:
    graph = run(MODEL, form, ExportConfig(exporter, opset), checkpoint)
    check_graph(graph, "exported")
    check_io(graph, contract_of(MODEL), dynamic=False)
    metrics = metrics_of(graph, 1.26)
    assert metrics == {
        "opset": opset,
        "nodes": len(graph.graph.node),
        "bytes": len(graph_bytes(graph)),
        "layernorm_ops": 2 if form is Form.native else 0,
        "seconds": 1.3,
    }
    assert ("Sqrt" in count_ops(graph)) == (form is Form.decomposed)
    _refuse_traces(graph)


def _refuse_traces(graph: onnx.ModelProto) -> None:
    """Fail if anything in the graph says where, from what or by what it was written."""
    data = graph_bytes(graph)
    for text in (str(ROOT), sys.prefix, str(Path.home()) + "/", "site-packages", ".py", "File "):
        assert text.encode() not in data, text
    for item in all_messages(graph):
        names = item.DESCRIPTOR.fields_by_name
        assert not ("doc_string" in names and item.doc_string), item
        assert not ("metadata_props" in names and item.metadata_props), item


class Unchecked(ExportConfig):
    """Values that the configuration refuses."""

    def __post_init__(self) -> None:
        pass


def test_an_exporter_that_writes_another_opset_is_found_out(checkpoint: Path) -> None:
    with pytest.raises(GraphError, match="the dynamo exporter did not write the opset that was asked for") as caught:
        run(MODEL, Form.native, Unchecked(Exporter.dynamo, 16), checkpoint)
    assert (caught.value.expected, caught.value.got) == ("opset 16", "opset 18")
    assert caught.value.cure == "export.opset=18, or export=torchscript"


def test_an_exporter_that_decomposes_layernorm_is_named(checkpoint: Path) -> None:
    with pytest.raises(GraphError, match="the torchscript exporter at opset 16 did not keep the LayerNorm form native"):
        run(MODEL, Form.native, ExportConfig(Exporter.torchscript, 16), checkpoint)


BROKEN: list[tuple[ModelConfig, str]] = [
    (TinyModel(dtype="int64"), "best int64 (1, 6)"),
    (TinyModel(rows="width"), "y float32 (1, 16, 16)"),
    (TinyModel(extra=True), "best int32 (1, 6)"),
]


@pytest.mark.parametrize("exporter", Exporter)
@pytest.mark.parametrize(("model", "expected"), BROKEN)
def test_a_module_that_breaks_its_contract_is_refused(
    model: ModelConfig, expected: str, exporter: Exporter, checkpoint: Path
) -> None:
    with pytest.raises(GraphError, match="inputs and outputs are not those of its contract") as caught:
        run(model, Form.native, ExportConfig(exporter, 20), checkpoint)
    assert expected in str(caught.value.expected)
    assert caught.value.expected != caught.value.got


def test_a_contract_that_miscounts_layernorms_is_refused(checkpoint: Path) -> None:
    with pytest.raises(GraphError) as caught:
        run(TinyModel(claimed=3), Form.native, ExportConfig(Exporter.torchscript, 20), checkpoint)
    assert caught.value.expected == "3 LayerNormalization operators for 3 layers"
    assert caught.value.got == 2


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    other = checkpoint_of(DISK, tmp_path / "disk.safetensors")
    with pytest.raises(CheckpointError):
        run(MODEL, Form.native, ExportConfig(Exporter.torchscript, 20), other)


def inputs_of_size(contract: Contract, **sizes: int) -> dict[str, np.ndarray]:
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
    _refuse_traces(graph)
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


ELSEWHERE = """
import sys
from pathlib import Path

import networks
from enginewright.config.choices import Exporter, Form
from enginewright.config.sections import ExportConfig
from enginewright.graphs.files import save_graph
from networks.tiny import TinyAdapter, TinyModel
from stages import export

root, checkpoint, target = (Path(argument) for argument in sys.argv[1:])
for module in (export, networks, sys.modules["enginewright.graphs.files"], sys.modules["networks.tiny"]):
    assert Path(module.__file__).is_relative_to(root), module
networks.network("tiny")(TinyAdapter)
for exporter in Exporter:
    for opset in (17, 20):
        graph = export.run(TinyModel(), Form.native, ExportConfig(exporter, opset), checkpoint)
        save_graph(target / f"{exporter.name}_{opset}.onnx", graph)
"""


def export_elsewhere(root: Path, cwd: Path, checkpoint: Path, seed: str) -> dict[str, str]:
    """Return the digests of what a copy of the project in `root` exports, in a process of its own."""
    for package in ("enginewright", "networks", "stages"):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "tests" / "stages" / "tiny.py", root / "networks" / "tiny.py")
    environment = os.environ | {"PYTHONPATH": str(root), "PYTHONHASHSEED": seed}
    arguments = [str(root), str(checkpoint), str(root)]
    subprocess.run([sys.executable, "-c", ELSEWHERE, *arguments], check=True, cwd=cwd, env=environment, timeout=300)
    digests = {path.name: sha256_of(path) for path in root.glob("*.onnx")}
    assert len(set(digests.values())) == 4
    return digests


def test_two_folders_give_the_same_bytes(checkpoint: Path, tmp_path: Path) -> None:
    near, far, nowhere = tmp_path / "a", tmp_path / "b" / "much deeper" / ("x" * 80), tmp_path / "nowhere"
    for folder in (near, far, nowhere):
        folder.mkdir(parents=True)
    first = export_elsewhere(near, near, checkpoint, seed="1")
    moved = shutil.copy(checkpoint, far / "weights.safetensors")
    assert export_elsewhere(far, nowhere, Path(moved), seed="20261122") == first
    for exporter in Exporter:
        here = run(MODEL, Form.native, ExportConfig(exporter, 20), checkpoint)
        assert graph_bytes(here) == (near / f"{exporter.name}_20.onnx").read_bytes()


def stage_in(folder: Path, **export: object) -> Stage:
    model = {"adapter": "disk", "height": 64, "width": 64, "keypoints": 64}
    sections = {"model": model, "swap": {"form": "native"}, "export": {"exporter": "torchscript", **export}}
    return Stage(
        network="small",
        networks={"small": {"extractor": "small", **sections}},
        sections=SECTIONS,
        inputs={"checkpoint": checkpoint_of(DISK, folder / "checkpoint.safetensors")},
        outputs={"exported": folder / "out" / "exported.onnx", "metrics": folder / "metrics" / "export.json"},
    )


def test_main_writes_the_graph_and_its_metrics(tmp_path: Path) -> None:
    stage = stage_in(tmp_path, opset=18)
    main(stage)
    graph = load_graph(stage.outputs["exported"])
    metrics = read_json(stage.outputs["metrics"])
    assert opset_of(graph) == metrics["opset"] == 18
    assert metrics["bytes"] == stage.outputs["exported"].stat().st_size
    assert metrics["nodes"] > 50
    assert sorted(metrics) == ["bytes", "layernorm_ops", "nodes", "opset", "seconds"]
    assert SECTIONS == ("model", "swap", "export")


def test_an_error_leaves_earlier_outputs_as_they_are(tmp_path: Path) -> None:
    stage = stage_in(tmp_path)
    main(stage)
    before = sha256_of(stage.outputs["exported"])
    stage.inputs["checkpoint"].write_bytes(b"broken")
    with pytest.raises(CheckpointError):
        main(stage)
    assert sha256_of(stage.outputs["exported"]) == before
    assert [path.name for path in stage.outputs["exported"].parent.iterdir()] == ["exported.onnx"]


class Chunk(nn.Module):
    """Becomes a Split, for which ONNX knows no way from opset 18 to 17."""

    def forward(self, x: Tensor) -> Tensor:
        first, second = x.chunk(2, dim=-1)
        return first * second


class ChunkAdapter(Adapter[ModelConfig]):
    def module(self, model: ModelConfig) -> nn.Module:
        return Chunk()

    def contract(self, model: ModelConfig) -> Contract:
        return Contract(Kind.network, (Port("x", ("long",)),), (Port("y", ("short",)),), {"long": 8, "short": 4})


def test_a_graph_that_cannot_be_made_is_never_written(tmp_path: Path) -> None:
    stage = stage_in(tmp_path, exporter="dynamo", opset=17)
    networks = {"small": stage.networks["small"] | {"model": {"adapter": "chunk"}}}
    with registered(chunk=ChunkAdapter):
        write_checkpoint(stage.inputs["checkpoint"], {})
        with pytest.raises(GraphError, match=r"down to opset 17.*Split"):
            main(replace(stage, networks=networks))
    assert not any(path.exists() for path in stage.outputs.values())
