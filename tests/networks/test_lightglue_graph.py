from __future__ import annotations

import numpy as np
import pytest
import torch

import networks
from enginewright.config.choices import Exporter, Form
from enginewright.exporting import exporter as export
from enginewright.exporting.request import ExportRequest
from networks.layernorm import swap_layernorms
from tests.models import lightglue_model
from tests.networks.graphs import FORBIDDEN, assert_close, engine_bytes, operators, run_graph
from tests.networks.tiny_lightglue import WIDTH, random_inputs, small_lightglue

SMALL = networks.load("lightglue").contract(lightglue_model(keypoints=24, input_dim=WIDTH))

CASES = [
    (Exporter.torchscript, 16, False, Form.decomposed),
    (Exporter.torchscript, 20, True, Form.native),
    (Exporter.dynamo, 17, False, Form.native),
    (Exporter.dynamo, 23, True, Form.native),
    (Exporter.dynamo, 20, False, Form.decomposed),
]


@pytest.mark.parametrize(("exporter", "opset", "dynamic", "form"), CASES)
def test_the_graph_does_the_same(exporter: Exporter, opset: int, dynamic: bool, form: Form) -> None:
    module = small_lightglue(filter_threshold=0.0)
    swap_layernorms(module, form)
    inputs = random_inputs(1, 24)
    model = export(exporter)(module, ExportRequest(SMALL, opset, dynamic))
    assert model.opset_import[0].version == opset
    assert not FORBIDDEN & operators(model).keys()
    assert operators(model)["LayerNormalization"] == (4 if form is Form.native else 0)
    for feed in [inputs, random_inputs(3, 31, seed=1)] if dynamic else [inputs]:
        with torch.inference_mode():
            assert_close(run_graph(model, feed), module(*feed), atol=1e-4)


@pytest.mark.parametrize("exporter", list(Exporter))
@pytest.mark.parametrize("form", list(Form))
def test_tensorrt_rtx_builds_the_graph(exporter: Exporter, form: Form) -> None:
    module = small_lightglue()
    swap_layernorms(module, form)
    model = export(exporter)(module, ExportRequest(SMALL, 20, dynamic=False))
    assert engine_bytes(model) > 10_000


def test_no_number_in_the_graph_is_infinite() -> None:
    model = export(Exporter.torchscript)(small_lightglue(), ExportRequest(SMALL, 20, dynamic=False))
    floats = [np.frombuffer(tensor.raw_data, np.float32) for tensor in model.graph.initializer if tensor.data_type == 1]
    constants = [
        np.frombuffer(attribute.t.raw_data, np.float32)
        for node in model.graph.node
        for attribute in node.attribute
        if attribute.t.data_type == 1
    ]
    assert len(floats) > 10
    assert all(np.isfinite(values).all() for values in [*floats, *constants])
    assert min(values.min() for values in constants if values.size) == -1e4
