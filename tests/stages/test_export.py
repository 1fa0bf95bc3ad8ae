"""The export stage: what was asked for is what comes out, or an error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import onnx
import pytest
import torch
from torch import Tensor, nn

from enginewright.artifacts import read_json, sha256_of
from enginewright.config.choices import Exporter, Form
from enginewright.config.models import ModelConfig
from enginewright.config.sections import ExportConfig
from enginewright.contract import Contract, Kind, Port
from enginewright.errors import CheckpointError, EnginewrightError, GraphError
from enginewright.graphs.files import check_graph, graph_bytes, load_graph
from enginewright.graphs.io import check_io
from enginewright.graphs.layernorm import Forms, forms_of
from enginewright.graphs.metrics import export_metrics
from enginewright.graphs.walk import count_ops, opset_of
from enginewright.stage import Stage
from enginewright.weights.store import write_checkpoint
from networks import Adapter
from stages.export import SECTIONS, main, run
from tests.models import disk_model
from tests.stages.tiny import TinyModel
from tests.stages.tiny_stage import assert_no_traces, checkpoint_of, contract_of, registered

MODEL = TinyModel()
DISK = disk_model(height=64, width=64, keypoints=64)


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
    (Exporter.torchscript, 16, Form.scaled),
    (Exporter.torchscript, 20, Form.island),
    (Exporter.dynamo, 17, Form.scaled),
    (Exporter.dynamo, 20, Form.scaled),
    (Exporter.dynamo, 23, Form.island),
]


@pytest.mark.parametrize(("exporter", "opset", "form"), CASES)
def test_opset_form_inputs_and_outputs_are_as_asked(
    exporter: Exporter, opset: int, form: Form, checkpoint: Path
) -> None:
    graph = run(MODEL, form, ExportConfig(exporter, opset), checkpoint)
    check_graph(graph, "exported")
    check_io(graph, contract_of(MODEL), dynamic=False)
    metrics = export_metrics(graph, 1.26)
    assert metrics == {
        "opset": opset,
        "nodes": len(graph.graph.node),
        "bytes": len(graph_bytes(graph)),
        "layernorm_ops": 2 if form is Form.native else 0,
        "layernorm_decomposed": 2 if form in (Form.decomposed, Form.island) else 0,
        "layernorm_scaled": 2 if form is Form.scaled else 0,
        "seconds": 1.3,
    }
    assert ("Sqrt" in count_ops(graph)) == (form is not Form.native)
    assert_no_traces(graph)


@pytest.mark.parametrize("exporter", Exporter)
@pytest.mark.parametrize("form", [Form.decomposed, Form.scaled])
def test_open_axes_change_nothing_about_the_form(form: Form, exporter: Exporter, checkpoint: Path) -> None:
    model = TinyModel(ranges={"batch": [1, 4], "rows": [2, 8]})
    graph = run(model, form, ExportConfig(exporter, 20, dynamic=True), checkpoint)
    found = forms_of(graph)
    assert found == Forms(0, *((2, 0) if form is Form.decomposed else (0, 2)))


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


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    other = checkpoint_of(DISK, tmp_path / "disk.safetensors")
    with pytest.raises(CheckpointError):
        run(MODEL, Form.native, ExportConfig(Exporter.torchscript, 20), other)


def stage_in(folder: Path, **export: object) -> Stage:
    model = {"adapter": "disk", "kind": "extractor", "height": 64, "width": 64, "keypoints": 64}
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
    assert sorted(metrics) == [
        "bytes", "layernorm_decomposed", "layernorm_ops", "layernorm_scaled", "nodes", "opset", "seconds",
    ]  # fmt: skip
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


class Failing(nn.Module):
    """Fails on its own, or only while an exporter traces it."""

    def __init__(self, always: bool) -> None:
        super().__init__()
        self.always = always

    def forward(self, x: Tensor) -> Tensor:
        if self.always or torch.onnx.is_in_onnx_export() or torch.compiler.is_exporting():
            raise KeyError("no such head")
        return x


class FailingAdapter(Adapter[ModelConfig]):
    def module(self, model: ModelConfig) -> nn.Module:
        return Failing(**model.options)

    def contract(self, model: ModelConfig) -> Contract:
        return Contract(Kind.network, (Port("x", ("long",)),), (Port("y", ("long",)),), {"long": 8})


@pytest.mark.parametrize("exporter", Exporter)
@pytest.mark.parametrize("always", [True, False])
def test_a_module_that_fails_is_told_by_its_own_error(always: bool, exporter: Exporter, tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "none.safetensors", {})
    model = ModelConfig("failing", options={"always": always})
    with registered(failing=FailingAdapter), pytest.raises(EnginewrightError) as caught:
        run(model, Form.native, ExportConfig(exporter, 20), tmp_path / "none.safetensors")
    assert "no such head" in str(caught.value)
    own = caught.value.what.startswith("tests/stages/test_export.py, line ")
    assert own == (always or exporter is Exporter.torchscript)
    assert caught.value.what.endswith(": forward fails") == always


class Scaled(nn.Module):
    """The product of what comes in with a weight, and with 2."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (x * self.weight * 2,)


class FoldingAdapter(Adapter[ModelConfig]):
    def module(self, model: ModelConfig) -> nn.Module:
        return Scaled(torch.ones(8))

    def exported(self, module: nn.Module, model: ModelConfig, export: ExportConfig) -> nn.Module:
        assert isinstance(module, Scaled)
        return Folded(module.weight.detach() * 2)

    def contract(self, model: ModelConfig) -> Contract:
        return Contract(Kind.network, (Port("x", ("long",)),), (Port("y", ("long",)),), {"long": 8})


class Folded(Scaled):
    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (x * self.weight,)


def test_the_module_that_is_exported_may_be_another_one_with_the_loaded_weights(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "three.safetensors", {"weight": torch.full((8,), 3.0)})
    with registered(folding=FoldingAdapter):
        graph = run(
            ModelConfig("folding"), Form.native, ExportConfig(Exporter.dynamo, 20), tmp_path / "three.safetensors"
        )
    assert count_ops(graph) == {"Mul": 1}
    (weight,) = graph.graph.initializer
    assert onnx.numpy_helper.to_array(weight).tolist() == [6.0] * 8
