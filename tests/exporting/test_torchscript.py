"""The TorchScript exporter on a tiny network."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from enginewright.config.choices import Form
from enginewright.contract import Contract, Kind, Port
from enginewright.errors import GraphError
from enginewright.exporting.request import ExportRequest
from enginewright.exporting.torchscript import export_torchscript
from enginewright.graphs.files import check_graph, graph_bytes
from enginewright.graphs.io import check_io
from enginewright.graphs.layernorm import layernorm_ops
from enginewright.graphs.walk import opset_of
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


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    with registered():
        yield


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("opset", range(16, 24))
def test_every_opset_is_written_as_asked(opset: int, form: Form) -> None:
    contract = contract_of(MODEL)
    graph = export_torchscript(swapped_module(MODEL, form), ExportRequest(contract, opset, dynamic=False))
    check_graph(graph, "exported")
    check_io(graph, contract, dynamic=False)
    assert opset_of(graph) == opset
    assert layernorm_ops(graph) == (2 if form is Form.native and opset > 16 else 0)


@pytest.mark.parametrize("form", Form)
def test_the_graph_computes_what_the_module_does(form: Form) -> None:
    contract, module = contract_of(MODEL), swapped_module(MODEL, form)
    graph = export_torchscript(module, ExportRequest(contract, 17, dynamic=False))
    inputs = {name: array[0] for name, array in inputs_of(contract).items()}
    assert_close(run_torch(module_of(MODEL), inputs, contract), run_graph(graph, inputs))


def test_open_axes_take_other_sizes() -> None:
    contract, module = contract_of(MODEL), module_of(MODEL)
    graph = export_torchscript(module, ExportRequest(contract, 17, dynamic=True))
    for shape in ((1, 6, 16), (3, 6, 16), (2, 9, 16), (1, 1, 16)):
        inputs = {"x": np.random.default_rng(0).standard_normal(shape).astype(np.float32)}
        assert_close(run_torch(module, inputs, contract), run_graph(graph, inputs))


def test_two_exports_are_the_same_bytes() -> None:
    request = ExportRequest(contract_of(MODEL), 17, dynamic=True)
    first, second = (graph_bytes(export_torchscript(module_of(MODEL), request)) for _ in range(2))
    assert first == second


class Bessel(nn.Module):
    """No opset has this function."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.i0(x)


def test_an_operator_that_onnx_lacks_is_named() -> None:
    contract = Contract(Kind.network, (Port("x", ("rows",)),), (Port("y", ("rows",)),), {"rows": 4})
    with pytest.raises(GraphError, match=r"the torchscript exporter could not write the graph.*aten::i0") as caught:
        export_torchscript(Bessel(), ExportRequest(contract, 18, dynamic=False))
    assert caught.value.cure == "a later export.opset, or export=dynamo"
