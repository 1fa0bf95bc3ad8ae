"""Small ONNX files as somebody else may have made them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from enginewright.config.choices import Exporter, Form
from enginewright.config.models import OnnxModel
from enginewright.config.sections import DataConfig, ExportConfig, SwapConfig
from stages.adopt import Options

WIDTH, WORDS = 16, 50


class Writer:
    """Writes the nodes of a transformer."""

    def __init__(self, opset: int) -> None:
        self.opset = opset
        self.nodes: list[onnx.NodeProto] = []
        self.stored: list[onnx.TensorProto] = []
        self.random = np.random.default_rng(0)

    def add(self, operator: str, *inputs: str, out: str = "", **attributes: Any) -> str:
        value = out or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [value], f"node_{value}", **attributes))
        return value

    def store(self, array: Any, dtype: Any = np.float32) -> str:
        name = f"stored_{len(self.stored)}"
        self.stored.append(numpy_helper.from_array(np.asarray(array, dtype), name))
        return name

    def weight(self, *shape: int) -> str:
        return self.store(self.random.normal(0, shape[0] ** -0.5, shape))

    def mean(self, value: str) -> str:
        if self.opset < 18:
            return self.add("ReduceMean", value, axes=[-1], keepdims=1)
        return self.add("ReduceMean", value, self.store([-1], np.int64), keepdims=1)

    def normal(self, value: str) -> str:
        """Write a LayerNorm as torch does below opset 17."""
        centred = self.add("Sub", value, self.mean(value))
        variance = self.mean(self.add("Pow", centred, self.store(2)))
        deviation = self.add("Sqrt", self.add("Add", variance, self.store(1e-5)))
        scaled = self.add("Mul", self.add("Div", centred, deviation), self.store(self.random.normal(1, 0.1, WIDTH)))
        return self.add("Add", scaled, self.store(self.random.normal(0, 0.1, WIDTH)))

    def block(self, x: str, mask: str) -> str:
        """Write a transformer block; mask (B, 1, S) is added to the scores."""
        y = self.normal(x)
        query, key, value = (self.add("MatMul", y, self.weight(WIDTH, WIDTH)) for _ in range(3))
        scores = self.add("MatMul", query, self.add("Transpose", key, perm=[0, 2, 1]))
        scores = self.add("Add", self.add("Mul", scores, self.store(WIDTH**-0.5)), mask)
        x = self.add("Add", x, self.add("MatMul", self.add("Softmax", scores, axis=-1), value))
        hidden = self.add("Relu", self.add("MatMul", self.normal(x), self.weight(WIDTH, 2 * WIDTH)))
        return self.add("Add", x, self.add("MatMul", hidden, self.weight(2 * WIDTH, WIDTH)))


def transformer(opset: int = 14, blocks: int = 2) -> onnx.ModelProto:
    """Return a text encoder: token ids and a mask (batch, sequence) int64 to features, and the likeliest class."""
    writer = Writer(opset)
    mask = writer.add("Cast", writer.add("Unsqueeze", "attention_mask", writer.store([1], np.int64)), to=1)
    mask = writer.add("Mul", writer.add("Sub", writer.store(1), mask), writer.store(-1e4))
    value = writer.add("Gather", writer.weight(WORDS, WIDTH), "input_ids", axis=0)
    for _ in range(blocks):
        value = writer.block(value, mask)
    features = writer.add("Identity", writer.normal(value), out="features")
    writer.add("ArgMax", features, axis=-1, keepdims=0, out="likeliest")
    axes = ["batch", "sequence"]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, axes) for name in ("input_ids", "attention_mask")]
    outputs = [
        helper.make_tensor_value_info("features", TensorProto.FLOAT, [*axes, WIDTH]),
        helper.make_tensor_value_info("likeliest", TensorProto.INT64, axes),
    ]
    graph = helper.make_graph(writer.nodes, "encoder", inputs, outputs, writer.stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def text_inputs(batch: int = 1, sequence: int = 12) -> dict[str, dict[str, Any]]:
    """Return `model.inputs` of the transformer."""
    shape = [batch, sequence]
    return {
        "input_ids": {"shape": shape, "fill": "values", "low": 0, "high": WORDS},
        "attention_mask": {"shape": shape, "fill": "ones"},
    }


def options(  # noqa: PLR0913 - one keyword for each thing that a test varies
    inputs: dict[str, dict[str, Any]] | None = None,
    *,
    form: Form = Form.native,
    opset: int = 17,
    max_abs: float = 1e-3,
    ranges: dict[str, list[int]] | None = None,
    layernorms: int = 0,
) -> Options:
    """Return the options of adopting, for the transformer unless `inputs` says otherwise."""
    model = OnnxModel(inputs=inputs or text_inputs(), ranges=ranges or {}, layernorms=layernorms)
    data = DataConfig(stereo=False, photographs=["brick"])
    exporter = Exporter.torchscript if opset == 16 else Exporter.dynamo  # a file needs none, and dynamo has no opset 16
    return Options(model, data, SwapConfig(form, max_abs), ExportConfig(exporter, opset, dynamic=bool(ranges)))


def simple(
    *nodes: onnx.NodeProto,
    kind: int = TensorProto.FLOAT,
    shape: tuple[int | str | None, ...] | None = ("batch", 3),
    out: int = TensorProto.FLOAT,
    stored: tuple[onnx.TensorProto, ...] = (),
    opset: int = 17,
) -> onnx.ModelProto:
    """Return a model of the given nodes with the input x and the output y."""
    graph = helper.make_graph(
        list(nodes) or [helper.make_node("Sin", ["x"], ["y"])],
        "simple",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", out, None if shape is None else [None] * len(shape))],
        list(stored),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
