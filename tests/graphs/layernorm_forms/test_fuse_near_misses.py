"""Property: whatever is changed about a spelled-out LayerNorm, fusing does not change what the graph computes."""

from __future__ import annotations

import numpy as np
import onnx
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from enginewright.graphs.layernorm_forms import fuse_layernorms
from tests.graphs.layernorm_forms.spelling import SHAPE, Spelling, apart, run, sample
from tests.graphs.layernorm_forms.test_fuse_spellings import spellings

REFUSALS = (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, Exception)
ARITHMETIC = ("Add", "Sub", "Mul", "Div")


def swapped(model: onnx.ModelProto, data: st.DataObject) -> None:
    node = data.draw(st.sampled_from([node for node in model.graph.node if len(node.input) == 2]))
    first, second = node.input
    node.input[:] = [second, first]


def renamed(model: onnx.ModelProto, data: st.DataObject) -> None:
    node = data.draw(st.sampled_from([node for node in model.graph.node if node.op_type in ARITHMETIC]))
    node.op_type = data.draw(st.sampled_from(ARITHMETIC))


def rewired(model: onnx.ModelProto, data: st.DataObject) -> None:
    index = data.draw(st.integers(1, len(model.graph.node) - 1))
    node = model.graph.node[index]
    assume(node.input)
    made = ["x", *(name for earlier in list(model.graph.node)[:index] for name in earlier.output)]
    node.input[data.draw(st.integers(0, len(node.input) - 1))] = data.draw(st.sampled_from(made))


def reduced_elsewhere(model: onnx.ModelProto, data: st.DataObject) -> None:
    stored = [tensor for tensor in model.graph.initializer if tensor.data_type == onnx.TensorProto.INT64]
    assume(stored)
    tensor = data.draw(st.sampled_from(stored))
    axes = data.draw(st.lists(st.integers(0, len(SHAPE) - 1), min_size=1, max_size=3, unique=True))
    tensor.CopyFrom(onnx.numpy_helper.from_array(np.array(axes, np.int64), tensor.name))


def other_number(model: onnx.ModelProto, data: st.DataObject) -> None:
    stored = [tensor for tensor in model.graph.initializer if tensor.data_type == onnx.TensorProto.FLOAT]
    assume(stored)
    tensor = data.draw(st.sampled_from(stored))
    value = data.draw(st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.0, 3.0]))
    array = np.full(list(tensor.dims), value, np.float32)
    tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))


CHANGES = (swapped, renamed, rewired, reduced_elsewhere, other_number)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(spellings, st.data())
def test_a_changed_graph_computes_the_same_fused_or_not(spelling: Spelling, data: st.DataObject) -> None:
    model = spelling.model()
    for _ in range(data.draw(st.integers(1, 2))):
        data.draw(st.sampled_from(CHANGES))(model, data)
    try:
        found = run(model, sample())
    except Exception:
        assume(False)
    assume(all(np.isfinite(array).all() and np.abs(array).max() > 1e-3 for array in found))
    fused = fuse_layernorms(model)
    assume(fused.changed)
    assert apart(model, fused.model, sample()) < 1e-4
