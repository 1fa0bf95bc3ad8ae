"""LayerNorm written out as nodes, in any spelling: what exporters do, put together at will."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SHAPE = (2, 3, 4, 8)
EPSILON = 1e-5


@dataclass
class Nodes:
    """Nodes and constants as they are written down, with names counted up."""

    opset: int = 18
    kind: int = TensorProto.FLOAT
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    stored: list[onnx.TensorProto] = field(default_factory=list)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(helper.tensor_dtype_to_np_dtype(self.kind))

    def add(self, operator: str, *inputs: str, out: str | None = None, **attributes: Any) -> str:
        value = out or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [value], f"n{len(self.nodes)}", **attributes))
        return value

    def store(self, array: Any, dtype: Any = None, how: str = "initializer") -> str:
        name = f"c{len(self.stored)}_{len(self.nodes)}"
        tensor = numpy_helper.from_array(np.asarray(array, dtype or self.dtype), name)
        if how == "constant":
            return self.add("Constant", out=name, value=tensor)
        self.stored.append(tensor)
        return self.add("Identity", name) if how == "identity" else name

    def reduce(self, operator: str, value: str, axes: list[int], keepdims: int = 1) -> str:
        """Reduce over axes, in the spelling of the opset."""
        if operator == "ReduceSum" or self.opset >= 18:
            return self.add(operator, value, self.store(axes, np.int64), keepdims=keepdims)
        return self.add(operator, value, axes=axes, keepdims=keepdims)

    def model(self, output: str, shape: tuple[int, ...] = SHAPE, more: tuple[str, ...] = ()) -> onnx.ModelProto:
        """Return the model with the input x, the output y, which is `output`, and the values `more` as outputs too."""
        self.add("Identity", output, out="y")
        made = [helper.make_tensor_value_info("y", self.kind, [None] * len(shape))]
        made += [helper.make_tensor_value_info(name, self.kind, [None] * len(shape)) for name in more]
        given = [helper.make_tensor_value_info("x", self.kind, list(shape))]
        graph = helper.make_graph(self.nodes, "spelling", given, made, self.stored)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8)


@dataclass(frozen=True)
class Spelling:
    """One way to write a LayerNorm over the last `count` axes of a tensor of shape SHAPE."""

    opset: int = 18
    count: int = 1
    negative: bool = True
    mean: str = "mean"  # mean, squeezed, sum_mul, sum_div
    minus: str = "shared"  # shared, twice, negative
    square: str = "pow"  # pow, mul, reversed
    variance: str = "centred"  # centred, moments, clipped
    epsilon: tuple[int, ...] = ()
    root: str = "div"  # div, reciprocal, half, minus_half, one_over
    scale: str | None = "initializer"  # or constant, identity, number, spread
    early: bool = False  # whether the scale is on 1/sqrt
    bias: str | None = "initializer"
    offset: bool = False  # x / d + (bias - m / d)

    @property
    def axes(self) -> list[int]:
        first = -self.count if self.negative else len(SHAPE) - self.count
        return list(range(first, first + self.count))

    @property
    def sizes(self) -> tuple[int, ...]:
        return SHAPE[len(SHAPE) - self.count :]

    def model(self) -> onnx.ModelProto:
        """Return the model of this one LayerNorm."""
        nodes = Nodes(self.opset)
        return nodes.model(self.written(nodes, "x"))

    def written(self, nodes: Nodes, x: str) -> str:
        """Write the nodes for the value `x` and return the value that is normal."""
        mean = self._mean(nodes, x)
        centred = self._minus(nodes, x, mean)
        variance = self._variance(nodes, x, mean, centred)
        inverse = self._inverse(nodes, variance)
        early = self.early or self.offset
        if inverse is None:
            normal = nodes.add("Div", self._centred(nodes, x, mean, centred), self._deviation(nodes, variance))
            return self._affine(nodes, normal, with_scale=True)
        if early and self.scale:
            inverse = nodes.add("Mul", inverse, self._weight(nodes, self.scale, 0))
        if self.offset:
            bias = self._weight(nodes, self.bias or "initializer", 1)
            rest = nodes.add("Sub", bias, nodes.add("Mul", mean, inverse))
            return nodes.add("Add", nodes.add("Mul", x, inverse), rest)
        normal = nodes.add("Mul", self._centred(nodes, x, mean, centred), inverse)
        return self._affine(nodes, normal, with_scale=not early)

    def _mean(self, nodes: Nodes, x: str) -> str:
        if self.mean == "squeezed":
            return nodes.add("Unsqueeze", nodes.reduce("ReduceMean", x, self.axes, 0), nodes.store(self.axes, np.int64))
        return self._average(nodes, x)

    def _average(self, nodes: Nodes, value: str) -> str:
        number = int(np.prod(self.sizes))
        if self.mean == "sum_mul":
            return nodes.add("Mul", nodes.reduce("ReduceSum", value, self.axes), nodes.store(1 / number))
        if self.mean == "sum_div":
            return nodes.add("Div", nodes.reduce("ReduceSum", value, self.axes), nodes.store(number))
        return nodes.reduce("ReduceMean", value, self.axes)

    def _minus(self, nodes: Nodes, x: str, mean: str) -> str:
        if self.minus == "negative":
            return nodes.add("Add", x, nodes.add("Neg", mean))
        return nodes.add("Sub", x, mean)

    def _centred(self, nodes: Nodes, x: str, mean: str, centred: str) -> str:
        """Return x minus its mean once more: the same value, or that of a node of its own."""
        return self._minus(nodes, x, mean) if self.minus == "twice" else centred

    def _variance(self, nodes: Nodes, x: str, mean: str, centred: str) -> str:
        if self.variance != "centred":
            moments = (self._average(nodes, nodes.add("Mul", x, x)), nodes.add("Mul", mean, mean))
            found = nodes.add("Sub", *moments)
            return nodes.add("Max", nodes.store(0), found) if self.variance == "clipped" else found
        if self.square == "pow":
            return self._average(nodes, nodes.add("Pow", centred, nodes.store(2)))
        if self.square == "reversed":
            centred = nodes.add("Sub", mean, x)
            return self._average(nodes, nodes.add("Mul", centred, centred))
        return self._average(nodes, nodes.add("Mul", centred, self._centred(nodes, x, mean, centred)))

    def _padded(self, nodes: Nodes, variance: str) -> str:
        return nodes.add("Add", variance, nodes.store(np.full(self.epsilon, EPSILON)))

    def _deviation(self, nodes: Nodes, variance: str) -> str:
        padded = self._padded(nodes, variance)
        return nodes.add("Pow", padded, nodes.store(0.5)) if self.root == "half" else nodes.add("Sqrt", padded)

    def _inverse(self, nodes: Nodes, variance: str) -> str | None:
        """Return 1/sqrt(v + eps), or None where the spelling divides instead."""
        if self.root in ("div", "half") and not (self.early or self.offset):
            return None
        if self.root == "minus_half":
            return nodes.add("Pow", self._padded(nodes, variance), nodes.store(-0.5))
        deviation = self._deviation(nodes, variance)
        if self.root == "one_over":
            return nodes.add("Div", nodes.store(1), deviation)
        return nodes.add("Reciprocal", deviation)

    def _affine(self, nodes: Nodes, normal: str, with_scale: bool) -> str:
        if self.scale and with_scale:
            normal = nodes.add("Mul", self._weight(nodes, self.scale, 0), normal)
        return nodes.add("Add", normal, self._weight(nodes, self.bias, 1)) if self.bias else normal

    def _weight(self, nodes: Nodes, how: str, seed: int) -> str:
        if how == "number":
            return nodes.store(0.7)
        array = np.random.default_rng(seed).normal(size=self.sizes).astype(np.float32)
        if how == "spread":
            return nodes.store(array[(None,) * (len(SHAPE) - self.count)])
        return nodes.store(array, how=how)


def sample(shape: tuple[int, ...] = SHAPE, seed: int = 0, dtype: Any = np.float32) -> NDArray[Any]:
    """Return random numbers that are neither centred nor of unit variance."""
    return np.asarray(np.random.default_rng(seed).normal(0.5, 2, shape)).astype(dtype)


def run(model: onnx.ModelProto, x: NDArray[Any]) -> list[NDArray[Any]]:
    """Return the outputs of a model as it is written: no optimiser of the runtime may fuse it first."""
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return [np.asarray(found) for found in session.run(None, {"x": x})]


def apart(first: onnx.ModelProto, second: onnx.ModelProto, x: NDArray[Any]) -> float:
    """Return the largest difference of any output of two models, relative to the largest value of that output."""
    pairs = zip(run(first, x), run(second, x), strict=True)
    return max(float(np.abs(a.astype(float) - b).max() / np.abs(a.astype(float)).max()) for a, b in pairs)
