"""ModelOpt's AutoCast itself on the tiny network."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from enginewright.casting.autocast import cast_all_but, cast_mixed, quiet
from enginewright.casting.islands import exactly, fp32_nodes
from enginewright.casting.order import settle
from enginewright.config.choices import Exporter, Form, Precision, Rest
from enginewright.config.sections import CastConfig, ExportConfig
from enginewright.errors import GraphError
from enginewright.graphs.files import check_graph, graph_bytes, load_graph
from enginewright.graphs.io import io_types
from enginewright.graphs.layernorm import layernorm_ops
from enginewright.graphs.layernorm_forms.count import layernorm_nodes
from enginewright.graphs.types import reduced_type, reduced_types, tensor_types
from enginewright.graphs.walk import opset_of
from enginewright.reference import Reference
from stages import export
from tests.graphs.small import scaled, write
from tests.stages.tiny import TinyModel
from tests.stages.tiny_stage import assert_close, checkpoint_of, reference_of, registered, run_graph

MODEL = TinyModel()
CASES = [(Exporter.torchscript, 16, Form.decomposed), (Exporter.torchscript, 17, Form.native)]
CASES += [(Exporter.dynamo, 20, form) for form in (Form.native, Form.decomposed)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with registered():
        folder = tmp_path_factory.mktemp("fp16")
        checkpoint_of(MODEL, folder / "checkpoint.safetensors")
        yield folder


@pytest.fixture(scope="module")
def reference(folder: Path) -> Reference:
    return reference_of(MODEL)


def simplified(folder: Path, exporter: Exporter, opset: int, form: Form) -> Path:
    graph = export.run(MODEL, form, ExportConfig(exporter, opset), folder / "checkpoint.safetensors")
    return write(folder / f"{exporter.name}_{opset}_{form.name}.onnx", graph)


def cast(
    path: Path, reference: Reference, islands: Sequence[str] = (), precision: Precision = Precision.fp16, **keys: Any
) -> onnx.ModelProto:
    return cast_mixed(load_graph(path), CastConfig(precision, **keys), reference, islands)


@pytest.mark.parametrize(("exporter", "opset", "form"), CASES)
def test_the_graph_computes_in_fp16_and_keeps_its_contract_and_form(
    exporter: Exporter, opset: int, form: Form, folder: Path, reference: Reference
) -> None:
    path = simplified(folder, exporter, opset, form)
    before, content = load_graph(path), path.read_bytes()
    after = cast(path, reference)
    check_graph(after, "typed")
    assert reduced_type(after) == "float16"
    assert io_types(after) == io_types(before)
    assert layernorm_ops(after) == layernorm_ops(before) == (2 if form is Form.native else 0)
    assert opset_of(after) == opset
    assert path.read_bytes() == content
    products = {name for node in after.graph.node if node.op_type == "MatMul" for name in node.output}
    assert len(products) >= 4
    assert {tensor_types(after)[name] for name in products} == {onnx.TensorProto.FLOAT16}
    inputs = {name: array[0] for name, array in reference.inputs.items()}
    expected, found = run_graph(before, inputs), run_graph(after, inputs)
    assert_close({"y": expected["y"]}, {"y": found["y"]}, atol=0.05)
    assert np.abs(expected["y"] - found["y"]).max() > 0


@pytest.mark.parametrize("form", [Form.native, Form.decomposed])
def test_bf16_is_bf16_throughout_at_opset_22(form: Form, folder: Path, reference: Reference) -> None:
    path = simplified(folder, Exporter.dynamo, 20, form)
    before, after = load_graph(path), cast(path, reference, precision=Precision.bf16)
    check_graph(after, "typed")
    assert reduced_types(after) == {"bfloat16"}
    assert io_types(after) == io_types(before)
    assert layernorm_ops(after) == layernorm_ops(before)
    assert opset_of(after) == 22
    products = {name for node in after.graph.node if node.op_type == "MatMul" for name in node.output}
    assert {tensor_types(after)[name] for name in products} == {onnx.TensorProto.BFLOAT16}


def test_the_graph_is_the_one_that_autocast_itself_would_make(
    folder: Path, reference: Reference, tmp_path: Path
) -> None:
    """The rule for ranges is AutoCast's, measured otherwise; half of the tiny network's values are above this limit.

    But for LayerNorms, which it is told to take however large their values are; and its casts stand in no order.
    """
    from modelopt.onnx.autocast import convert_to_mixed_precision

    path = simplified(folder, Exporter.dynamo, 20, Form.decomposed)
    for index in range(2):
        np.savez(tmp_path / f"{index}.npz", **{name: array[index] for name, array in reference.inputs.items()})
    with quiet():
        theirs = convert_to_mixed_precision(
            onnx_path=str(path),
            nodes_to_include=[exactly(node.name) for node in layernorm_nodes(load_graph(path))],
            data_max=1.0,
            keep_io_types=True,
            calibration_data=str(tmp_path),
        )
    settle(theirs)
    ours = cast(path, reference, data_max=1.0)
    assert 0 < fp32_nodes(ours) < len(ours.graph.node)
    assert graph_bytes(ours) == graph_bytes(theirs)


def test_two_runs_give_the_same_bytes(folder: Path, reference: Reference) -> None:
    path = simplified(folder, Exporter.dynamo, 20, Form.native)
    first, second = (graph_bytes(cast(path, reference)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(("samples", "kept"), [(2, False), (3, True)])
def test_as_many_samples_calibrate_as_are_configured(
    folder: Path, reference: Reference, samples: int, kept: bool
) -> None:
    """Only the third sample leaves the range of fp16, so only with it does what reads the input stay fp32.

    Its LayerNorm does not: the form decides that.
    """
    inputs = {"x": reference.inputs["x"].copy()}
    inputs["x"][2] *= 1e6
    path = simplified(folder, Exporter.dynamo, 20, Form.native)
    loud = Reference(inputs, reference.outputs, reference.names, reference.contract)
    after = cast(path, loud, samples=samples)
    first = next(node for node in after.graph.node if node.op_type == "LayerNormalization")
    assert tensor_types(after)[first.input[0]] == onnx.TensorProto.FLOAT16
    assert (fp32_nodes(after) > 0) == kept


def test_a_graph_that_autocast_cannot_take_is_refused_with_its_words() -> None:
    broken = scaled()
    broken.graph.node[0].op_type = "NoSuchOperator"
    with pytest.raises(GraphError, match=r"ModelOpt AutoCast could not convert the graph: .") as caught:
        cast_all_but([], broken, Rest.bf16, 1.0)
    assert (caught.value.expected, caught.value.cure) == ("a graph of bf16", "precision=fp32")


def test_its_log_is_held_back_and_nobody_elses(
    folder: Path, reference: Reference, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    cast(simplified(folder, Exporter.dynamo, 20, Form.native), reference)
    printed = capfd.readouterr()
    assert "modelopt" not in printed.out + printed.err
    logging.getLogger("other").warning("heard")
    assert "heard" in caplog.text
