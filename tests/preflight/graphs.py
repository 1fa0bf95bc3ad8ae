"""Small graphs for preflight: clean ones, and each known blocker put back into one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import FunctionProto, GraphProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

FLOAT, HALF, INT64, UINT8, BOOL = (
    TensorProto.FLOAT,
    TensorProto.FLOAT16,
    TensorProto.INT64,
    TensorProto.UINT8,
    TensorProto.BOOL,
)
IMAGE = (1, 3, 16, 16)

node = helper.make_node


def value(name: str, shape: Sequence[int | str] | None = IMAGE, kind: int = FLOAT) -> ValueInfoProto:
    """Return an input or output, of unknown shape with None."""
    return helper.make_tensor_value_info(name, kind, shape)


def model(  # noqa: PLR0913 - the parts of a graph, by name
    nodes: Iterable[NodeProto],
    inputs: Iterable[ValueInfoProto],
    outputs: Iterable[ValueInfoProto],
    stored: Mapping[str, Any] | None = None,
    *,
    opset: int = 20,
    functions: Sequence[FunctionProto] = (),
) -> onnx.ModelProto:
    """Return a model; `stored` are its tensors as arrays or lists."""
    tensors = [numpy_helper.from_array(np.asarray(array), name) for name, array in (stored or {}).items()]
    graph = helper.make_graph(list(nodes), "small", list(inputs), list(outputs), tensors)
    domains = [helper.make_opsetid(name, 1) for name in {item.domain for item in functions}]
    imports = [helper.make_opsetid("", opset), *domains]
    return helper.make_model(graph, opset_imports=imports, functions=list(functions), ir_version=10)


def one(item: NodeProto, *inputs: ValueInfoProto, kind: int = FLOAT, **stored: Any) -> onnx.ModelProto:
    """Return a model of one node with an output `y` of unknown shape."""
    return model([item], inputs, [value("y", None, kind)], stored)


def ints(*numbers: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array(numbers, np.int64)


def convolution() -> onnx.ModelProto:
    nodes = [node("Conv", ["x", "w"], ["c"], name="conv", pads=[1] * 4), node("Relu", ["c"], ["y"], name="relu")]
    return model(nodes, [value("x")], [value("y", (1, 4, 16, 16))], {"w": np.ones((4, 3, 3, 3), np.float32)})


def layernorm() -> onnx.ModelProto:
    stored = {"scale": np.ones(8, np.float32), "bias": np.zeros(8, np.float32)}
    nodes = [node("LayerNormalization", ["x", "scale", "bias"], ["y"], name="norm", axis=-1)]
    return model(nodes, [value("x", (2, 8))], [value("y", (2, 8))], stored)


def dynamic(columns: int = 8) -> onnx.ModelProto:
    """Return a product with the dynamic axis `rows`."""
    nodes = [node("MatMul", ["x", "w"], ["y"], name="product")]
    weights = np.ones((columns, 4), np.float32)
    return model(nodes, [value("x", ("rows", columns))], [value("y", ("rows", 4))], {"w": weights})


def topk(k: int, axis: int | str, **names: str) -> onnx.ModelProto:
    nodes = [node("TopK", ["x", "k"], ["v", "i"], axis=-1, **({"name": "top"} | names))]
    return model(nodes, [value("x", (1, axis))], [value("v", None), value("i", None, INT64)], {"k": ints(k)})


def attention(kind: int = FLOAT) -> onnx.ModelProto:
    inputs = [value(name, (1, 2, 8, 16), kind) for name in "qkv"]
    nodes = [node("Attention", ["q", "k", "v"], ["y"], name="attend")]
    return model(nodes, inputs, [value("y", (1, 2, 8, 16), kind)], opset=23)


def deformable() -> onnx.ModelProto:
    nodes = [
        node("Conv", ["x", "to_offsets"], ["o"], name="offsets", pads=[1] * 4),
        node("DeformConv", ["x", "w", "o"], ["y"], name="deform", kernel_shape=[3, 3], pads=[1] * 4),
    ]
    stored = {"w": np.ones((4, 3, 3, 3), np.float32), "to_offsets": np.zeros((18, 3, 3, 3), np.float32)}
    return model(nodes, [value("x")], [value("y", (1, 4, 16, 16))], stored)


def nonzero(name: str = "find") -> onnx.ModelProto:
    nodes = [node("Relu", ["x"], ["r"]), node("NonZero", ["r"], ["y"], name=name)]
    return model(nodes, [value("x")], [value("y", (4, "found"), INT64)])


def graph(name: str, nodes: Sequence[NodeProto], outputs: Sequence[ValueInfoProto], *inputs: Any) -> GraphProto:
    return helper.make_graph(list(nodes), name, list(inputs), list(outputs))


def branching(inner: str) -> onnx.ModelProto:
    """Return an If whose then-branch holds a node of the operator `inner`."""
    then = graph("then", [node(inner, ["x"], ["t"], name="inner")], [value("t", None)])
    other = graph("else", [node("Relu", ["x"], ["e"], name="other")], [value("e", None)])
    nodes = [
        node("Abs", ["image"], ["x"], name="before"),
        node("If", ["c"], ["chosen"], name="branch", then_branch=then, else_branch=other),
        node("Exp", ["chosen"], ["y"], name="after"),
    ]
    return model(nodes, [value("image"), value("c", (), BOOL)], [value("y", None)])


def looping(inner: str, name: str = "inner") -> onnx.ModelProto:
    """Return a Loop whose body holds a node of the operator `inner`."""
    body = graph(
        "body",
        [
            node("Identity", ["go"], ["on"], name="keep"),
            node(inner, ["x"], ["d"], name=name),
            node("Add", ["sum", "d"], ["more"], name="add"),
        ],
        [value("on", (), BOOL), value("more", (1, 3))],
        value("i", (), INT64),
        value("go", (), BOOL),
        value("sum", (1, 3)),
    )
    shape = (1, 3, 4, 4) if inner == "Det" else (1, 3)
    stored = {"times": np.array(3), "yes": np.array(True), "none": np.zeros((1, 3), np.float32)}
    nodes = [node("Loop", ["times", "yes", "none"], ["y"], name="loop", body=body)]
    return model(nodes, [value("x", shape)], [value("y", (1, 3))], stored)


def calling() -> onnx.ModelProto:
    """Return a call of a function that holds a Det."""
    opset = helper.make_opsetid("", 20)
    function = helper.make_function("local", "Volume", ["a"], ["b"], [node("Det", ["a"], ["b"], name="inner")], [opset])
    nodes = [node("Volume", ["x"], ["y"], name="call", domain="local")]
    return model(nodes, [value("x")], [value("y", (1, 3))], functions=[function])


def several() -> onnx.ModelProto:
    """Return a graph with blockers that the parser meets at different times, and one that only the builder refuses."""
    nodes = [
        node("Det", ["x"], ["d"], name="det"),
        node("NonZero", ["d"], ["n"], name="find"),
        node("Relu", ["x"], ["r"], name="relu"),
        node("DeformConv", ["r", "w", "o"], ["y"], name="deform", kernel_shape=[3, 3], pads=[1] * 4),
        node("Unique", ["r"], ["u"], name="unique"),
        node("Reshape", ["r", "flat"], ["f"], name="reshape"),
        node("TopK", ["f", "k"], ["v", "i"], name="top", axis=-1),
    ]
    stored = {
        "w": np.ones((4, 3, 3, 3), np.float32),
        "o": np.zeros((1, 18, 64, 64), np.float32),
        "flat": ints(1, -1),
        "k": ints(4096),
    }
    outputs = [value("n", None, INT64), value("y", None), value("u", None), value("v", None)]
    return model(nodes, [value("x", (1, 3, 64, 64))], outputs, stored)


@dataclass(frozen=True)
class Known:
    """A known blocker: the graph it was put into, and how preflight must name it."""

    graph: Callable[[], onnx.ModelProto]
    nodes: tuple[str, ...]
    operator: str
    says: str
    cure: str
    by: str = "parser"
    ranges: Mapping[str, Sequence[int]] = field(default_factory=dict)


def _uint8_transpose() -> onnx.ModelProto:
    nodes = [node("Transpose", ["x"], ["t"], name="turn", perm=[0, 3, 1, 2]), node("Cast", ["t"], ["y"], to=FLOAT)]
    return model(nodes, [value("x", (1, 8, 8, 3), UINT8)], [value("y", (1, 3, 8, 8))])


def _inner_uint8() -> onnx.ModelProto:
    nodes = [node("Cast", ["x"], ["b"], name="narrow", to=UINT8), node("Cast", ["b"], ["y"], name="back", to=FLOAT)]
    return model(nodes, [value("x")], [value("y")])


def _int16() -> onnx.ModelProto:
    nodes = [
        node("Cast", ["x"], ["b"], name="narrow", to=TensorProto.INT16),
        node("Cast", ["b"], ["y"], name="back", to=FLOAT),
    ]
    return model(nodes, [value("x")], [value("y")])


def _mixed() -> onnx.ModelProto:
    return one(node("Div", ["x", "h"], ["y"], name="div"), value("x", (2,)), value("h", (2,), HALF))


def _suppression() -> onnx.ModelProto:
    item = node("NonMaxSuppression", ["b", "s", "most", "overlap"], ["y"], name="suppress")
    inputs = (value("b", (1, 32, 4)), value("s", (1, 1, 32)))
    return one(item, *inputs, kind=INT64, most=ints(8), overlap=np.array([0.5], np.float32))


def _scatter() -> onnx.ModelProto:
    item = node("ScatterElements", ["x", "i", "u"], ["y"], name="scatter", reduction="add")
    return one(item, value("x", (8,)), value("i", (4,), INT64), value("u", (4,)))


def _dropout() -> onnx.ModelProto:
    item = node("Dropout", ["x", "ratio", "train"], ["y"], name="drop")
    return one(item, value("x"), ratio=np.array(0.5, np.float32), train=np.array(True))


def _reshape(columns: int) -> onnx.ModelProto:
    item = node("Reshape", ["x", "s"], ["y"], name="reshape")
    return one(item, value("x", ("rows", 2)), s=ints(-1, columns))


def _external() -> onnx.ModelProto:
    found = convolution()
    tensor = found.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")
    return found


def _opset(version: int) -> onnx.ModelProto:
    return model([node("Relu", ["x"], ["y"], name="relu")], [value("x")], [value("y")], opset=version)


def _typed(kind: int, shape: Sequence[int] = (2,)) -> onnx.ModelProto:
    return one(node("Identity", ["x"], ["y"], name="same"), value("x", shape, kind), kind=kind)


KNOWN: dict[str, Known] = {
    "nonzero": Known(nonzero, ("find",), "NonZero", "plugin", "validity mask"),
    "nonzero without a name": Known(lambda: nonzero(""), ("node 1 (output y)",), "NonZero", "plugin", "validity mask"),
    "deformconv": Known(deformable, ("deform",), "DeformConv", "Plugin not found", "grid_sample"),
    "topk above the limit": Known(lambda: topk(4096, 8192), ("top",), "TopK", "(3840)", "model.keypoints", "builder"),
    "topk above the axis": Known(
        lambda: topk(32, 16), ("top",), "TopK", "axis (16) is smaller than K (32)", "model.keypoints", "builder"
    ),
    "topk above the axis at its least": Known(
        lambda: topk(32, "n"), ("top",), "TopK", "at n=16: ", "model.ranges", "builder", {"n": [16, 64]}
    ),
    "reshape at a corner": Known(
        lambda: _reshape(4), ("reshape",), "Reshape", "at rows=1: ", "sizes", "builder", {"rows": [1, 8]}
    ),
    "fp32 attention": Known(attention, ("attend",), "Attention", "dedicated kernel", "export.opset=22", "builder"),
    "nms": Known(_suppression, ("suppress",), "NonMaxSuppression", "no runners", "max pooling", "builder"),
    "uint8 transpose": Known(_uint8_transpose, ("turn",), "Transpose", "UInt8", "Cast to float32"),
    "uint8 inside": Known(_inner_uint8, ("narrow",), "Cast", "UINT8", "Cast to float32"),
    "int16 inside": Known(_int16, ("narrow",), "Cast", "Unsupported data type", "float32"),
    "mixed types": Known(_mixed, ("div",), "Div", "Float and Half", "one type"),
    "scatter with a reduction": Known(_scatter, ("scatter",), "ScatterElements", "reduction", "one-hot"),
    "dropout in training": Known(_dropout, ("drop",), "Dropout", "training", "eval"),
    "custom operator": Known(
        lambda: one(node("Foo", ["x"], ["y"], name="foo"), value("x")), ("foo",), "Foo", "Plugin not found", "plugin"
    ),
    "in a branch": Known(
        lambda: branching("Det"), ("branch > then_branch > inner",), "Det", "no way to import", "write it out"
    ),
    "import error in a branch": Known(
        lambda: branching("NonZero"), ("branch > then_branch > inner",), "NonZero", "plugin", "validity mask"
    ),
    "in a loop": Known(lambda: looping("Det"), ("loop > body > inner",), "Det", "no way to import", "write it out"),
    "in a loop without a name": Known(
        lambda: looping("Det", ""), ("loop > body > node 1 (output d)",), "Det", "no way to import", "write it out"
    ),
    "in a function": Known(calling, ("Volume/inner__1",), "Det", "no way to import", "write it out"),
    "string input": Known(lambda: _typed(TensorProto.STRING), ("x",), "input", "string", "float32"),
    "int16 input": Known(lambda: _typed(TensorProto.INT16), ("x",), "input", "int16", "float32"),
    "nine axes": Known(lambda: _typed(FLOAT, (1,) * 9), ("x",), "input", "9 axes", "8 axes"),
    "no range": Known(dynamic, ("x",), "input", "axis rows of the input x has no range", "model.ranges.rows", "graph"),
    "external data": Known(_external, ("w",), "tensor", "another file", "save_as_external_data=False", "graph"),
    "opset of the future": Known(lambda: _opset(99), ("as a whole",), "graph", "opset 99", "with opset", "graph"),
}

CLEAN: dict[str, tuple[Callable[[], onnx.ModelProto], dict[str, list[int]]]] = {
    "convolution": (convolution, {}),
    "LayerNorm operator": (layernorm, {}),
    "dynamic with a profile": (dynamic, {"rows": [1, 64]}),
    "topk at the limit": (lambda: topk(3840, 8192), {}),
    "fp16 attention": (lambda: attention(HALF), {}),
    "branches": (lambda: branching("Relu"), {}),
    "loop": (lambda: looping("Relu"), {}),
    "reshape that fits at its corners": (lambda: _reshape(2), {"rows": [1, 8]}),
    "uint8 in": (lambda: one(node("Cast", ["x"], ["y"], to=FLOAT), value("x", IMAGE, UINT8)), {}),
    "int64 in": (lambda: one(node("Add", ["x", "x"], ["y"]), value("x", (2,), INT64), kind=INT64), {}),
    "opset 16": (lambda: _opset(16), {}),
}
