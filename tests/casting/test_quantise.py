"""ModelOpt's quantisation itself on the tiny network."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from enginewright.casting.islands import check_islands
from enginewright.casting.products import check_scales, quantised_nodes
from enginewright.casting.quantise import cast_quantised
from enginewright.config.choices import Calibration, Exporter, Form, Precision, Rest
from enginewright.config.quantised import PRODUCTS, reduced_types_of
from enginewright.config.sections import CastConfig, ExportConfig
from enginewright.errors import DataError, GraphError
from enginewright.graphs.files import check_graph, graph_bytes
from enginewright.graphs.io import io_types
from enginewright.graphs.layernorm import layernorm_ops
from enginewright.graphs.layernorm_forms.count import layernorm_nodes
from enginewright.graphs.types import reduced_types, tensor_types
from enginewright.graphs.walk import opset_of
from enginewright.reference import Reference
from stages import export
from tests.stages.tiny import TinyModel
from tests.stages.tiny_stage import assert_close, checkpoint_of, reference_of, registered, run_graph

MODEL = TinyModel()


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[onnx.ModelProto]:
    with registered():
        checkpoint = checkpoint_of(MODEL, tmp_path_factory.mktemp("quantise") / "checkpoint.safetensors")
        yield export.run(MODEL, Form.decomposed, ExportConfig(Exporter.dynamo, 20), checkpoint)


@pytest.fixture(scope="module")
def reference(graph: onnx.ModelProto) -> Reference:
    return reference_of(MODEL)


FLOAT16 = onnx.TensorProto.FLOAT16


def config(precision: Precision = Precision.int8, **keys: Any) -> CastConfig:
    needed: dict[str, Any] = {"op_types": list(PRODUCTS), "calibration": Calibration.max, "rest": Rest.fp16}
    return CastConfig(precision, **(needed | keys))


def copy(model: onnx.ModelProto) -> onnx.ModelProto:
    found = onnx.ModelProto()
    found.CopyFrom(model)
    return found


@pytest.mark.parametrize("rest", Rest)
@pytest.mark.parametrize("precision", [Precision.int8, Precision.fp8])
def test_products_are_quantised_and_all_else_has_the_type_of_the_rest(
    precision: Precision, rest: Rest, graph: onnx.ModelProto, reference: Reference
) -> None:
    """The products of attention are 6 wide, too little for tensor cores: ModelOpt leaves them alone."""
    after = cast_quantised(copy(graph), config(precision, rest=rest), reference, ())
    check_graph(after, "typed")
    check_scales(after)
    assert reduced_types(after) == reduced_types_of(precision, rest)
    assert io_types(after) == io_types(graph)
    assert layernorm_ops(after) == 0
    assert opset_of(after) == (22 if rest is Rest.bf16 else 20)
    assert len(quantised_nodes(after)) == 4
    if precision is Precision.int8 and rest is not Rest.bf16:
        inputs = {name: array[0] for name, array in reference.inputs.items()}
        expected, found = run_graph(graph, inputs), run_graph(after, inputs)
        assert_close({"y": expected["y"]}, {"y": found["y"]}, atol=0.2)
        assert np.abs(expected["y"] - found["y"]).max() > 1e-3


@pytest.mark.parametrize("rest", [Rest.fp16, Rest.fp32])
def test_islands_are_not_quantised_and_stay_fp32(rest: Rest, graph: onnx.ModelProto, reference: Reference) -> None:
    name = next(node.name for node in graph.graph.node if node.op_type == "MatMul")
    after = cast_quantised(copy(graph), config(rest=rest), reference, (f"{name}$",))
    check_islands(after, (f"{name}$",))
    assert len(quantised_nodes(after)) == 3


def test_float_nodes_are_not_quantised_and_have_the_type_of_the_rest(
    graph: onnx.ModelProto, reference: Reference
) -> None:
    name = next(node.name for node in graph.graph.node if node.op_type == "MatMul")
    after = cast_quantised(copy(graph), config(float_nodes=[f"{name}$"]), reference, ())
    assert len(quantised_nodes(after)) == 3
    node = next(node for node in after.graph.node if node.name == name)
    assert tensor_types(after)[node.output[0]] == FLOAT16


def test_nodes_whose_values_leave_the_range_are_neither_quantised_nor_cast(
    graph: onnx.ModelProto, reference: Reference
) -> None:
    loud = replace(reference, inputs={"x": reference.inputs["x"] * 1e6})
    after = cast_quantised(copy(graph), config(samples=1, data_max=1e-3), loud, ())
    assert quantised_nodes(after) == []
    types = tensor_types(after)
    half = [node for node in after.graph.node if any(types.get(name) == FLOAT16 for name in node.output)]
    formed = {node.name for node in layernorm_nodes(graph)}
    assert {node.name for node in half if node.op_type != "Cast"} == formed, "their form decides, not their values"


def test_entropy_cuts_the_range_that_max_takes_whole(graph: onnx.ModelProto, reference: Reference) -> None:
    found = [
        graph_bytes(cast_quantised(copy(graph), config(calibration=method), reference, ())) for method in Calibration
    ]
    assert found[0] != found[1]


def test_only_the_operators_that_were_asked_for_are_quantised(graph: onnx.ModelProto, reference: Reference) -> None:
    with_adds = cast_quantised(copy(graph), config(op_types=["MatMul", "Add"]), reference, ())
    kinds = {node.op_type for node in with_adds.graph.node if node.name in quantised_nodes(with_adds)}
    assert kinds == {"MatMul", "Add"}


def test_two_runs_give_the_same_bytes_and_leave_no_file(
    graph: onnx.ModelProto, reference: Reference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    first, second = (graph_bytes(cast_quantised(copy(graph), config(), reference, ())) for _ in range(2))
    assert first == second
    assert list(tmp_path.iterdir()) == []
    assert tempfile.tempdir == str(tmp_path)
    assert str(tmp_path).encode() not in first


def test_nothing_is_printed(graph: onnx.ModelProto, reference: Reference, capsys: pytest.CaptureFixture[str]) -> None:
    cast_quantised(copy(graph), config(calibration=Calibration.entropy), reference, ())
    printed = capsys.readouterr()
    assert "modelopt" not in printed.out + printed.err
    assert "Collecting" not in printed.out


def test_a_calibration_on_one_tiny_or_constant_sample_is_refused(graph: onnx.ModelProto, reference: Reference) -> None:
    tiny = replace(reference, inputs={"x": reference.inputs["x"][:1, :, :2]}, names=reference.names[:1])
    with pytest.raises(DataError, match="another size than the network"):
        cast_quantised(copy(graph), config(), tiny, ())
    constant = replace(reference, inputs={"x": np.full_like(reference.inputs["x"], 0.5)})
    with pytest.raises(DataError, match="its values do not vary"):
        cast_quantised(copy(graph), config(), constant, ())


def test_an_activation_of_zeros_is_refused(graph: onnx.ModelProto, reference: Reference) -> None:
    """The planted fault: the first LayerNorm's scale and shift are zero, so its product sees nothing."""
    dead = copy(graph)
    for stored in dead.graph.initializer:
        if stored.name.startswith("first."):
            stored.CopyFrom(onnx.numpy_helper.from_array(np.zeros(tuple(stored.dims), np.float32), stored.name))
    with pytest.raises(GraphError, match="calibration saw only zeros"):
        cast_quantised(dead, config(), reference, ())


def test_a_graph_that_modelopt_cannot_take_is_refused_with_its_words(reference: Reference) -> None:
    node = onnx.helper.make_node("NoSuchOperator", ["x"], ["y"])
    model = onnx.helper.make_model(onnx.helper.make_graph([node], "broken", [], []))
    with pytest.raises(GraphError, match=r"ModelOpt quantisation could not convert the graph: .") as caught:
        cast_quantised(model, config(rest=Rest.fp32), reference, ())
    assert caught.value.expected == "quantised products"
