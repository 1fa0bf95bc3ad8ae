"""Every LayerNormalization operator as explicit mean and variance: the graphs of TensorRT 8's time."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto

from enginewright.graphs.layernorm import layernorm_ops
from enginewright.graphs.layernorm_forms.axes import attribute
from enginewright.graphs.layernorm_forms.rewrite import Editor, Rewrite, copied, drop_unread, editors, numpy_type, prove
from enginewright.graphs.layernorm_forms.scope import Scope
from enginewright.graphs.walk import opset_of

_OPERATOR = "LayerNormalization"

_AXES_AS_INPUT = 18
"""The first opset whose ReduceMean takes its axes as an input."""


def decompose_layernorms(model: onnx.ModelProto) -> Rewrite:
    """Return the model with each LayerNormalization operator as mean, difference, square, mean, root and quotient.

    What the operator computes in another type than its input's (`stash_type`, for fp16 and bf16) stands between casts,
    as its definition has it. An operator whose input has a type or rank that is not known is left alone.
    """
    copy = copied(model)
    before, changed = layernorm_ops(copy), 0
    left: list[str] = []
    for editor in editors(copy):
        nodes: dict[int, list[onnx.NodeProto]] = {}
        reasons: list[str] = []
        for index, node in enumerate(editor.scope.graph.node):
            if node.op_type == _OPERATOR and node.domain in ("", "ai.onnx"):
                reason = _unknown(editor.scope, node)
                reasons += [f"{node.output[0]}: {reason}"] if reason else []
                nodes |= {} if reason else {index: _Spelling(editor, node, opset_of(copy)).nodes()}
        editor.replace(nodes, ())
        drop_unread(editor.scope.graph)
        changed, left = changed + len(nodes), left + reasons
    prove("decomposing LayerNorms", {"operators": before - changed}, {"operators": layernorm_ops(copy)})
    return Rewrite(copy, changed, tuple(left))


def _unknown(scope: Scope, node: onnx.NodeProto) -> str | None:
    if scope.kind(node.input[0]) is None:
        return f"the type of {node.input[0]} is not known"
    if attribute(node, "axis", -1) >= 0 and scope.rank(node.input[0]) is None:
        return f"the rank of {node.input[0]} is not known"
    return None


class _Spelling:
    """One operator, spelled out in the order in which its definition computes."""

    def __init__(self, editor: Editor, node: onnx.NodeProto, opset: int) -> None:
        self.editor, self.node, self.opset = editor, node, opset
        self.kind = editor.scope.kind(node.input[0]) or TensorProto.FLOAT
        self.stash = self._stash()
        self.made: list[onnx.NodeProto] = []

    def _stash(self) -> int:
        """Return the type of mean and quotient. A float64 stays: to compute it in fp32 is the operator's limit."""
        stash = int(attribute(self.node, "stash_type", TensorProto.FLOAT))
        return self.kind if self.kind == TensorProto.DOUBLE else stash

    def nodes(self) -> list[onnx.NodeProto]:
        """Return the nodes, the last of which makes the operator's output."""
        x = self._cast(self.node.input[0], self.kind, self.stash, "wide")
        mean = self._reduced(x, self._asked(1), "mean")
        centred = self._add("Sub", [x, mean], "centred")
        # A product and not a power: AutoCast recognises the form with Pow and fuses it back to LayerNormalization.
        variance = self._reduced(self._add("Mul", [centred, centred], "square"), None, "variance")
        deviation = self._add("Sqrt", [self._add("Add", [variance, self._epsilon()], "padded")], "deviation")
        if inverse := self._asked(2):
            self._add("Reciprocal", [deviation], "inverse", inverse)
        normal = self._cast(self._add("Div", [centred, deviation], "normal"), self.stash, self.kind, "narrow")
        for operator, weight in zip(("Mul", "Add"), self.node.input[1:], strict=False):
            normal = self._add(operator, [normal, weight], operator.lower()) if weight else normal
        self.made[-1].output[0] = self.node.output[0]
        return self.made

    def _asked(self, index: int) -> str | None:
        """Return the name of one of the operator's further outputs, mean and inverse deviation, if it has one."""
        return self.node.output[index] if len(self.node.output) > index and self.node.output[index] else None

    def _add(self, operator: str, inputs: list[str], what: str, value: str | None = None, **attributes: Any) -> str:
        name = f"{self.node.output[0]}/{what}"
        value = value or self.editor.name(name)
        self.made.append(onnx.helper.make_node(operator, inputs, [value], name, **attributes))
        return value

    def _cast(self, value: str, before: int, after: int, what: str) -> str:
        return value if before == after else self._add("Cast", [value], what, to=after)

    def _epsilon(self) -> str:
        epsilon = np.array(attribute(self.node, "epsilon", 1e-5), numpy_type(self.stash))
        return self.editor.constant("layernorm/epsilon", epsilon)

    def _reduced(self, value: str, name: str | None, what: str) -> str:
        axes = self._axes()
        if self.opset < _AXES_AS_INPUT:
            return self._add("ReduceMean", [value], what, name, axes=axes, keepdims=1)
        stored = self.editor.constant("layernorm/axes", np.array(axes, np.int64))
        return self._add("ReduceMean", [value, stored], what, name, keepdims=1)

    def _axes(self) -> list[int]:
        axis = int(attribute(self.node, "axis", -1))
        if axis < 0:
            return list(range(axis, 0))
        return list(range(axis - (self.editor.scope.rank(self.node.input[0]) or 0), 0))
