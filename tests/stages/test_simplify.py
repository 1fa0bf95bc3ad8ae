"""The simplify stage: which of the two graphs goes on, and that both compute the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from enginewright.artifacts import read_json, write_json
from enginewright.config.choices import Builder, Exporter, Form, Keep, Simplifier
from enginewright.config.models import MatcherModel, ModelConfig
from enginewright.config.sections import ExportConfig, SimplifyConfig
from enginewright.errors import GraphError
from enginewright.graphs.clean import name_nodes
from enginewright.graphs.files import load_graph
from enginewright.graphs.io import io_types
from enginewright.graphs.layernorm import Forms, forms_of
from enginewright.graphs.layernorm_forms import fuse_layernorms
from enginewright.graphs.walk import count_ops, opset_of
from enginewright.preflight.report import UNSIMPLIFIED, Blocker, Counts, report_of
from enginewright.stage import Stage
from stages import export
from stages.simplify import SECTIONS, _check, main, run
from tests.graphs.small import NOTE, annotated, nested, scaled, write
from tests.stages.tiny import TinyModel
from tests.stages.tiny_stage import checkpoint_of, registered, run_graph

NATIVE = Forms(2, 0, 0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with registered():
        yield tmp_path_factory.mktemp("simplify")


@pytest.fixture(scope="module")
def shrinking(folder: Path) -> Path:
    """Return a graph that onnxsim makes smaller: a matcher by TorchScript."""
    return exported(MatcherModel(adapter="shallow", keypoints=32), ExportConfig(Exporter.torchscript, 17), folder)


@pytest.fixture(scope="module")
def growing(folder: Path) -> Path:
    """Return a graph that onnxsim makes larger, as it gives each node constants of its own."""
    return exported(TinyModel(), ExportConfig(Exporter.dynamo, 20), folder)


def exported(model: ModelConfig, config: ExportConfig, folder: Path, form: Form = Form.native) -> Path:
    checkpoint = checkpoint_of(model, folder / f"{model.adapter}.safetensors")
    return write(folder / f"{model.adapter}_{form.name}.onnx", export.run(model, form, config, checkpoint))


def assert_same(first: onnx.ModelProto, second: onnx.ModelProto, forms: Forms = NATIVE) -> None:
    """Fail unless both graphs keep one contract and compute the same to the last bit."""
    assert io_types(first) == io_types(second)
    assert forms_of(first) == forms_of(second) == forms
    assert opset_of(first) == opset_of(second)
    random = np.random.default_rng(0)
    inputs = {
        value.name: random.standard_normal([size.dim_value for size in value.type.tensor_type.shape.dim]).astype("f4")
        for value in first.graph.input
    }
    expected, found = run_graph(first, inputs), run_graph(second, inputs)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def test_a_smaller_graph_goes_on(shrinking: Path) -> None:
    before = load_graph(shrinking)
    graph, metrics = run(SimplifyConfig(), shrinking)
    assert metrics["kept"] == "simplified"
    assert metrics["nodes_before"] == len(before.graph.node)
    assert metrics["nodes_after"] == len(graph.graph.node) < metrics["nodes_before"]
    assert_same(before, graph)


def test_a_larger_graph_does_not_go_on_and_the_metrics_say_so(growing: Path) -> None:
    before = load_graph(growing)
    graph, metrics = run(SimplifyConfig(keep=Keep.smaller), growing)
    assert metrics["nodes_after"] > metrics["nodes_before"] == len(before.graph.node)
    assert metrics["kept"] == "exported"
    assert graph == before


def test_a_larger_graph_goes_on_where_it_is_asked_for(growing: Path) -> None:
    graph, metrics = run(SimplifyConfig(keep=Keep.simplified), growing)
    assert metrics["kept"] == "simplified"
    assert metrics["nodes_after"] == count_ops(graph).total() > metrics["nodes_before"]
    assert_same(load_graph(growing), graph)


@pytest.mark.parametrize(("form", "forms"), [(Form.decomposed, Forms(0, 2, 0)), (Form.scaled, Forms(0, 0, 2))])
@pytest.mark.parametrize("export", [ExportConfig(Exporter.torchscript, 17), ExportConfig(Exporter.dynamo, 20)])
def test_a_spelled_out_form_stays_spelled_out(export: ExportConfig, form: Form, forms: Forms, folder: Path) -> None:
    """At opset 17 onnxsim recognises the decomposed one, and would fuse it back."""
    path = exported(TinyModel(), export, folder, form)
    graph, metrics = run(SimplifyConfig(keep=Keep.simplified), path)
    assert_same(load_graph(path), graph, forms)
    assert metrics.items() >= forms.metrics().items()


def fused(path: Path, _: float) -> onnx.ModelProto:
    """Simplify as a tool would that knows the operator better than what was asked for."""
    return fuse_layernorms(load_graph(path)).model


def test_a_simplifier_that_fuses_the_swap_is_blamed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = exported(TinyModel(), ExportConfig(Exporter.torchscript, 17), folder, Form.decomposed)
    monkeypatch.setattr("stages.simplify.simplified", fused)
    with pytest.raises(GraphError, match="onnxsim changed the LayerNorm form") as caught:
        run(SimplifyConfig(), path)
    assert caught.value.expected == "0 operators, 2 decomposed, 0 scaled"
    assert caught.value.got == "2 operators, 0 decomposed, 0 scaled"


def test_a_simplifier_that_breaks_the_contract_or_the_form_is_refused() -> None:
    _check(nested(), nested())
    for after, what in (
        (scaled(output="z"), "inputs or outputs"),
        (nested("LayerNormalization"), "the LayerNorm form"),
    ):
        with pytest.raises(GraphError, match=f"onnxsim changed {what}") as caught:
            _check(nested(), after)
        assert caught.value.cure == "simplify=none"
    with pytest.raises(GraphError):
        _check(nested(), scaled(shape=("batch", 4)))


def named(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with a name for each node, which is all that the stage itself adds."""
    name_nodes(model)
    return model


@pytest.mark.parametrize("keep", Keep)
def test_none_passes_the_graph_on_as_it_is(tmp_path: Path, keep: Keep) -> None:
    path = write(tmp_path / "exported.onnx", nested())
    config = SimplifyConfig(tool=Simplifier.none, keep=keep, timeout_s=1e-6)
    graph, metrics = run(config, path)
    assert graph == named(nested())
    assert metrics == {"nodes_before": 20, "nodes_after": 20, "kept": "exported"} | Forms(0, 0, 0).metrics()


def test_notes_do_not_go_on(tmp_path: Path) -> None:
    path = write(tmp_path / "exported.onnx", annotated(nested()))
    assert NOTE.encode() in path.read_bytes()
    graph, _ = run(SimplifyConfig(tool=Simplifier.none), path)
    assert graph == named(nested())


def test_the_time_limit_is_the_configured_one(growing: Path) -> None:
    with pytest.raises(GraphError, match="onnxsim did not finish") as caught:
        run(SimplifyConfig(timeout_s=0.05), growing)
    assert caught.value.expected == "at most 0.05 s (simplify.timeout_s)"


@pytest.mark.parametrize("content", [b"", b"garbage"])
def test_a_broken_graph_is_refused_before_onnxsim_sees_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "exported.onnx").write_bytes(content)
    with pytest.raises(GraphError, match=r"exported\.onnx is no ONNX model"):
        run(SimplifyConfig(timeout_s=1e-6), tmp_path / "exported.onnx")


def stage_in(folder: Path, source: Path, **simplify: object) -> Stage:
    return Stage(
        network="tiny",
        networks={"tiny": {"simplify": simplify}},
        sections=SECTIONS,
        inputs={"exported": source},
        outputs={"simplified": folder / "simplified.onnx", "metrics": folder / "simplify.json"},
    )


def test_main_writes_the_same_bytes_again(shrinking: Path, tmp_path: Path) -> None:
    stages = [stage_in(tmp_path / name, shrinking) for name in ("a", "b")]
    for stage in stages:
        main(stage)
    first, second = (stage.outputs["simplified"].read_bytes() for stage in stages)
    assert first == second
    assert str(tmp_path).encode() not in first
    metrics = read_json(stages[0].outputs["metrics"])
    assert metrics.keys() == {"kept", "nodes_after", "nodes_before", *Forms(0, 0, 0).metrics()}
    assert metrics["nodes_after"] == len(load_graph(stages[0].outputs["simplified"]).graph.node)
    assert SECTIONS == ("simplify",)


@pytest.mark.parametrize("tool", ["onnxsim", "none"])
def test_what_a_simplifier_must_remove_is_refused_where_there_is_none(
    tool: str, shrinking: Path, tmp_path: Path
) -> None:
    blocker = Blocker(("find",), "NonZero", "no plugin", "return a mask", "parser")
    report = report_of(Builder.tensorrt_rtx, (), (), Counts(), {UNSIMPLIFIED: (blocker,)})
    write_json(tmp_path / "preflight.json", report.as_metrics())
    stage = stage_in(tmp_path, shrinking, tool=tool)
    stage = replace(stage, inputs={**stage.inputs, "preflight": tmp_path / "preflight.json"})
    if tool == "none":
        with pytest.raises(GraphError, match="cannot build the graph of tiny without a simplifier"):
            main(stage)
    else:
        main(stage)
    assert stage.outputs["simplified"].exists() == (tool == "onnxsim")


def test_an_error_leaves_earlier_outputs_as_they_are(tmp_path: Path) -> None:
    source = write(tmp_path / "exported.onnx", nested())
    stage = stage_in(tmp_path / "out", source, tool="none")
    main(stage)
    before = stage.outputs["simplified"].read_bytes()
    source.write_bytes(before[:100])
    with pytest.raises(GraphError):
        main(stage)
    assert stage.outputs["simplified"].read_bytes() == before
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["simplified.onnx", "simplify.json"]
