"""The dynamo exporter on a tiny network."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
import pytest
from torch import Tensor, nn

from enginewright.config.choices import Form
from enginewright.contract import Contract, Kind, Port
from enginewright.errors import GraphError
from enginewright.exporting.dynamo import export_dynamo
from enginewright.exporting.request import ExportRequest
from enginewright.graphs.clean import strip_notes
from enginewright.graphs.files import check_graph, graph_bytes
from enginewright.graphs.io import check_io
from enginewright.graphs.layernorm import layernorm_ops
from enginewright.graphs.walk import opset_of
from tests.stages import tiny
from tests.stages.tiny import TinyModel
from tests.stages.tiny_stage import (
    assert_close,
    contract_of,
    inputs_of,
    module_of,
    registered,
    run_graph,
    run_torch,
    swapped_module,
)

MODEL = TinyModel()


@pytest.fixture(scope="module", autouse=True)
def _registered() -> Iterator[None]:
    with registered():
        yield


@pytest.fixture(scope="module")
def dynamic(_registered: None) -> onnx.ModelProto:
    return export_dynamo(module_of(MODEL), ExportRequest(contract_of(MODEL), 20, dynamic=True))


@pytest.mark.parametrize(
    ("opset", "form"), [(17, Form.native), (17, Form.decomposed), (18, Form.decomposed), (23, Form.native)]
)
def test_the_opset_and_the_form_are_as_asked(opset: int, form: Form) -> None:
    contract, module = contract_of(MODEL), swapped_module(MODEL, form)
    graph = export_dynamo(module, ExportRequest(contract, opset, dynamic=False))
    check_graph(graph, "exported")
    check_io(graph, contract, dynamic=False)
    assert opset_of(graph) == opset
    assert layernorm_ops(graph) == (2 if form is Form.native else 0)
    inputs = {name: array[0] for name, array in inputs_of(contract).items()}
    assert_close(run_torch(module_of(MODEL), inputs, contract), run_graph(graph, inputs))


def test_opset_16_comes_out_as_18_without_a_word_which_is_why_the_stage_checks() -> None:
    graph = export_dynamo(module_of(MODEL), ExportRequest(contract_of(MODEL), 16, dynamic=False))
    assert opset_of(graph) == 18


def test_open_axes_take_other_sizes(dynamic: onnx.ModelProto) -> None:
    contract, module = contract_of(MODEL), module_of(MODEL)
    for shape in ((1, 6, 16), (3, 6, 16), (2, 9, 16)):
        inputs = {"x": np.random.default_rng(0).standard_normal(shape).astype(np.float32)}
        assert_close(run_torch(module, inputs, contract), run_graph(dynamic, inputs))


def test_the_paths_that_it_writes_can_be_taken_out(dynamic: onnx.ModelProto) -> None:
    graph, path = onnx.ModelProto(), str(tiny.__file__).encode()
    graph.CopyFrom(dynamic)
    assert path in graph_bytes(graph)
    strip_notes(graph)
    assert path not in graph_bytes(graph)
    assert len(graph_bytes(graph)) < len(graph_bytes(dynamic)) / 2


class Branch(nn.Module):
    """What it computes depends on values, which no graph of one trace can say."""

    def forward(self, x: Tensor) -> Tensor:
        return x * 2 if x.sum() > 0 else x


def test_a_module_that_cannot_be_captured_is_refused_with_the_reason() -> None:
    contract = Contract(Kind.network, (Port("x", ("rows",)),), (Port("y", ("rows",)),), {"rows": 4})
    with pytest.raises(GraphError, match=r"the dynamo exporter could not write the graph.*data-dependent") as caught:
        export_dynamo(Branch(), ExportRequest(contract, 20, dynamic=False))
    assert caught.value.cure == "export=torchscript"
    assert "\x1b" not in str(caught.value)
