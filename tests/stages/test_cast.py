"""The cast stage: a graph of the precision asked for, with its islands, its form and its contract, or an error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from enginewright.artifacts import read_json, write_json
from enginewright.config.choices import Builder, Form, Precision
from enginewright.config.quantised import OP_TYPES
from enginewright.config.sections import CastConfig
from enginewright.config.typed import typed
from enginewright.errors import DataError, EnginewrightError, GraphError
from enginewright.graphs.files import check_graph, graph_bytes, load_graph
from enginewright.graphs.io import io_types
from enginewright.graphs.layernorm import forms_of
from enginewright.graphs.types import reduced_type, tensor_types
from enginewright.preflight.report import IN_FP32, Blocker, Counts, report_of
from enginewright.reference import Reference, save_reference
from enginewright.stage import Stage
from stages.cast import SECTIONS, main, run
from tests.graphs.small import NOTE, annotated, model_of, nested, tensor, value, write
from tests.stages.cast_graphs import exported
from tests.stages.tiny import ROWS, WIDTH

FP16 = CastConfig(Precision.fp16)
QUANTISED = {"op_types": ["Conv", "Gemm", "MatMul"], "calibration": "max", "rest": "fp16"}


def config_of(precision: Precision, **keys: Any) -> CastConfig:
    """Return what conf/ sets for a precision."""
    more = QUANTISED if precision in OP_TYPES else {}
    return typed(CastConfig, {"precision": precision.name} | more | keys, "cast")


NODES = 9
"""In a decomposed LayerNorm with scale and bias."""

FORMS = {
    form: dict(zip(("layernorm_ops", "layernorm_decomposed", "layernorm_scaled"), counts, strict=True))
    for form, counts in {
        Form.native: (2, 0, 0),
        Form.decomposed: (0, 2, 0),
        Form.island: (0, 2, 0),
        Form.scaled: (0, 0, 2),
    }.items()
}


def power_norm() -> onnx.ModelProto:
    """Return LayerNorm with a power where ours has a product, at opset 17: the form that AutoCast fuses."""
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[-1], name="mean"),
        helper.make_node("Sub", ["x", "mean"], ["centred"], name="centre"),
        helper.make_node("Pow", ["centred", "two"], ["square"], name="square"),
        helper.make_node("ReduceMean", ["square"], ["variance"], axes=[-1], name="variance"),
        helper.make_node("Add", ["variance", "eps"], ["positive"], name="positive"),
        helper.make_node("Sqrt", ["positive"], ["deviation"], name="root"),
        helper.make_node("Div", ["centred", "deviation"], ["normal"], name="divide"),
        helper.make_node("Mul", ["normal", "weight"], ["y"], name="scale"),
    ]
    stored = [tensor("two", 2.0), tensor("eps", 1e-5), tensor("weight", [1.0] * WIDTH)]
    shape = (1, ROWS, WIDTH)
    model = model_of(nodes, [value("x", shape)], [value("y", shape)], stored)
    del model.opset_import[:]
    model.opset_import.extend([helper.make_opsetid("", 17)])
    check_graph(model, "power norm")
    return model


def with_islands(reference: Reference, *patterns: str) -> Reference:
    return replace(reference, contract=replace(reference.contract, fp32_nodes=patterns))


def test_fp32_is_the_same_graph(native: Path, reference: Reference) -> None:
    graph, metrics = run(CastConfig(), native, reference)
    assert graph_bytes(graph) == native.read_bytes()
    nodes = [node for node in graph.graph.node if node.op_type not in ("Cast", "ArgMax", "Constant")]
    assert (
        metrics
        == {
            "precision": "fp32",
            "opset": 20,
            "casts": 1,
            "fp32_nodes": len(nodes),
            "quantized_nodes": 0,
            "tensors": metrics["tensors"],
        }
        | FORMS[Form.native]
    )
    assert set(metrics["tensors"]) == {"float32", "int32", "int64"}


def test_tf32_is_the_fp32_graph_and_the_rest_is_the_builders(native: Path, reference: Reference) -> None:
    graph, metrics = run(CastConfig(Precision.tf32), native, reference)
    assert graph_bytes(graph) == native.read_bytes()
    assert metrics["precision"] == "tf32"


@pytest.mark.parametrize("precision", [Precision.int8, Precision.fp8, Precision.bf16])
def test_each_precision_says_what_it_made(precision: Precision, native: Path, reference: Reference) -> None:
    graph, metrics = run(config_of(precision), native, reference)
    check_graph(graph, "typed")
    assert metrics["precision"] == precision.name
    assert metrics["opset"] == (22 if precision is Precision.bf16 else 20)
    assert metrics["quantized_nodes"] == (0 if precision is Precision.bf16 else 4)
    named = {Precision.int8: "int8", Precision.fp8: "float8e4m3fn", Precision.bf16: "bfloat16"}[precision]
    assert metrics["tensors"][named] > 10
    assert metrics["tensors"]["float32"] == 2, "input and output"


def test_quantisation_that_left_everything_out_is_refused(native: Path, reference: Reference) -> None:
    with pytest.raises(GraphError, match="the graph is not int8") as caught:
        run(config_of(Precision.int8, float_nodes=[".*"]), native, reference)
    assert (caught.value.expected, caught.value.got) == ("float16, int8", "float16")
    with pytest.raises(GraphError, match=r"precision\.float_nodes matches no node"):
        run(config_of(Precision.int8, float_nodes=["no_such_node"]), native, reference)


def test_a_calibration_on_one_tiny_image_stops_the_cast(native: Path, reference: Reference, tmp_path: Path) -> None:
    """The planted fault, through the stage as it runs: nothing is written."""
    outputs = {name: array[:1] for name, array in reference.outputs.items()}
    inputs = {"x": reference.inputs["x"][:1, :, :1]}
    tiny = replace(reference, inputs=inputs, outputs=outputs, names=reference.names[:1])
    stage = stage_in(tmp_path, native, tiny, Form.native, precision="int8", **QUANTISED)
    with pytest.raises(DataError, match="the sample sample/0 cannot calibrate the cast"):
        main(stage)
    assert not stage.outputs["typed"].exists()


def test_notes_do_not_go_on(reference: Reference, tmp_path: Path) -> None:
    path = write(tmp_path / "simplified.onnx", annotated(nested()))
    graph, _ = run(CastConfig(), path, reference)
    assert NOTE.encode() not in graph_bytes(graph)


def test_a_graph_that_is_reduced_already_is_not_fp32(reference: Reference, tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Cast", ["x"], ["low"], to=TensorProto.FLOAT16),
        helper.make_node("Cast", ["low"], ["y"], to=TensorProto.FLOAT),
    ]
    path = write(tmp_path / "simplified.onnx", model_of(nodes, [value("x", (1, 4))], [value("y", (1, 4))]))
    with pytest.raises(GraphError, match="the graph is not fp32") as caught:
        run(CastConfig(), path, reference)
    assert (caught.value.expected, caught.value.got) == ("float32 only", "float16")


@pytest.mark.parametrize("form", [Form.native, Form.decomposed])
def test_fp16_keeps_the_contract_and_the_form(form: Form, folder: Path, reference: Reference) -> None:
    path = exported(folder, form)
    before = load_graph(path)
    graph, metrics = run(FP16, path, reference, form)
    check_graph(graph, "typed")
    assert reduced_type(graph) == "float16"
    assert io_types(graph) == io_types(before)
    assert forms_of(graph) == forms_of(before)
    if form is Form.island:
        assert metrics["casts"] > 3
        assert metrics["fp32_nodes"] == 2 * NODES
    else:
        assert (metrics["casts"], metrics["fp32_nodes"]) == (3, 0)
    assert metrics.items() >= FORMS[form].items()


def test_islands_of_the_configuration_and_of_the_adapter_stay_fp32(decomposed: Path, reference: Reference) -> None:
    """Square, mean, root and quotient of both decomposed LayerNorm layers: what overflows in fp16."""
    squares = [node.name for node in load_graph(decomposed).graph.node if node.op_type in ("Mul", "Sqrt", "Div")]
    first, last = squares[0], squares[-1]
    config = replace(FP16, fp32_nodes=[f"{first}$"])
    graph, metrics = run(config, decomposed, with_islands(reference, f"{last}$"))
    types = tensor_types(graph)
    islands = [node for node in graph.graph.node if node.name in (first, last)]
    assert len(islands) == 2
    for node in islands:
        assert {types[name] for name in (*node.input, *node.output)} == {TensorProto.FLOAT}, node.name
    assert metrics["fp32_nodes"] == 2
    assert metrics["casts"] > 3
    assert reduced_type(graph) == "float16"


@pytest.mark.parametrize("precision", Precision)
def test_an_island_that_matches_nothing_is_refused_at_every_precision(
    precision: Precision, native: Path, reference: Reference
) -> None:
    for config, contract in ((["no_such_node"], ()), ([], ("no_such_node",))):
        with pytest.raises(GraphError, match="an fp32 island matches no node") as caught:
            run(config_of(precision, fp32_nodes=config), native, with_islands(reference, *contract))
        assert caught.value.got == "no_such_node"


def test_fp16_that_converts_nothing_is_refused(native: Path, reference: Reference) -> None:
    with pytest.raises(GraphError, match="the graph is not fp16") as caught:
        run(replace(FP16, data_max=1e-9, init_max=1e-9), native, reference)
    assert (caught.value.expected, caught.value.got) == ("float16", "float32 only")
    assert "precision.data_max" in str(caught.value.cure)


def test_a_form_that_autocast_fuses_is_refused(reference: Reference, tmp_path: Path) -> None:
    path = write(tmp_path / "simplified.onnx", power_norm())
    with pytest.raises(GraphError, match="ModelOpt changed the LayerNorm form") as caught:
        run(FP16, path, reference)
    assert caught.value.expected == "0 operators, 1 decomposed, 0 scaled"
    assert caught.value.got == "1 operators, 0 decomposed, 0 scaled"
    assert caught.value.cure == "layernorm=native, or precision=fp32"


def stage_in(folder: Path, source: Path, reference: Reference, form: Form = Form.native, **cast: object) -> Stage:
    save_reference(folder / "reference.npz", reference)
    return Stage(
        network="tiny",
        networks={"tiny": {"cast": cast, "swap": {"form": form.name}}},
        sections=SECTIONS,
        inputs={"simplified": source, "reference": folder / "reference.npz"},
        outputs={"typed": folder / "out" / "typed.onnx", "metrics": folder / "out" / "cast.json"},
    )


def test_main_writes_the_same_bytes_in_every_run(native: Path, reference: Reference, tmp_path: Path) -> None:
    stages = [stage_in(tmp_path / name, native, reference, precision="fp16") for name in ("a", "b")]
    for stage in stages:
        main(stage)
    first, second = (stage.outputs["typed"].read_bytes() for stage in stages)
    assert first == second
    assert str(tmp_path).encode() not in first
    metrics = read_json(stages[0].outputs["metrics"])
    assert metrics.items() >= ({"precision": "fp16", "casts": 3, "fp32_nodes": 0} | FORMS[Form.native]).items()
    assert SECTIONS == ("cast", "swap")


def test_main_reads_the_form(decomposed: Path, reference: Reference, tmp_path: Path) -> None:
    stage = stage_in(tmp_path, decomposed, reference, Form.island, precision="fp16")
    main(stage)
    assert read_json(stage.outputs["metrics"])["fp32_nodes"] == 2 * NODES


def test_fp32_writes_the_simplified_graph_byte_for_byte(native: Path, reference: Reference, tmp_path: Path) -> None:
    stage = stage_in(tmp_path, native, reference, precision="fp32")
    main(stage)
    assert stage.outputs["typed"].read_bytes() == native.read_bytes()


def test_what_builds_in_fp16_alone_is_refused_at_fp32_and_with_its_cure(
    native: Path, reference: Reference, tmp_path: Path
) -> None:
    blocker = Blocker(("attend",), "Attention", "no kernel", "precision=fp16 has one", "builder")
    report = report_of(Builder.tensorrt_rtx, (), (), Counts(), {IN_FP32: (blocker,)})
    write_json(tmp_path / "preflight.json", report.as_metrics())
    for precision in ("fp16", "fp32"):
        stage = stage_in(tmp_path / precision, native, reference, precision=precision)
        stage = replace(stage, inputs={**stage.inputs, "preflight": tmp_path / "preflight.json"})
        if precision == "fp16":
            main(stage)
            continue
        with pytest.raises(GraphError, match="cannot build the graph of tiny in fp32") as caught:
            main(stage)
        assert "precision=fp16 has one" in str(caught.value)
        assert not stage.outputs["typed"].exists()


@pytest.mark.parametrize("broken", ["simplified", "reference"])
def test_an_error_leaves_earlier_outputs_as_they_are(
    native: Path, reference: Reference, tmp_path: Path, broken: str
) -> None:
    source = tmp_path / "simplified.onnx"
    source.write_bytes(native.read_bytes())
    stage = stage_in(tmp_path, source, reference)
    main(stage)
    stage.inputs[broken].write_bytes(b"broken")
    with pytest.raises(EnginewrightError, match=f"{broken}"):
        main(stage)
    assert stage.outputs["typed"].read_bytes() == native.read_bytes()
