"""Every LayerNormalization operator as explicit mean and variance: the graphs of TensorRT 8's time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto

from enginewright.graphs.layernorm_forms.axes import attribute
from enginewright.graphs.layernorm_forms.operators import OPERATOR, layernorm_ops
from enginewright.graphs.layernorm_forms.rewrite import Editor, Rewrite, copied, drop_unread, editors, numpy_type, prove
from enginewright.graphs.layernorm_forms.scope import Scope
from enginewright.graphs.walk import opset_of

_AXES_AS_INPUT = 18
"""The first opset whose ReduceMean and ReduceMax take their axes as an input, as ReduceSum has since 13."""


def decompose_layernorms(model: onnx.ModelProto) -> Rewrite:
    """Return the model with each LayerNormalization operator as mean, difference, square, mean, root and quotient.

    What the operator computes in another type than its input's (`stash_type`, for fp16 and bf16) stands between casts,
    as its definition has it. An operator whose input has a type or rank that is not known is left alone.
    """
    copy = copied(model)
    changed, left = spell_out(copy, opset_of(copy), Decomposed)
    return Rewrite(copy, changed, left)


def spell_out(model: onnx.ModelProto, opset: int, spelling: type[Spelling]) -> tuple[int, tuple[str, ...]]:
    """Spell out each operator of a model, in place, in the operators of `opset`; return how many, and why not others.

    Raises:
        GraphError: if the count of the operators that are left is another one.
    """
    before, changed = layernorm_ops(model), 0
    left: list[str] = []
    for editor in editors(model):
        nodes: dict[int, list[onnx.NodeProto]] = {}
        reasons: list[str] = []
        for index, node in enumerate(editor.scope.graph.node):
            if node.op_type == OPERATOR and node.domain in ("", "ai.onnx"):
                reason = spelling.unknown(editor.scope, node)
                reasons += [f"{node.output[0]}: {reason}"] if reason else []
                nodes |= {} if reason else {index: spelling(editor, node, opset).nodes()}
        editor.replace(nodes, ())
        drop_unread(editor.scope.graph)
        changed, left = changed + len(nodes), left + reasons
    prove("spelling out LayerNorms", {"operators": before - changed}, {"operators": layernorm_ops(model)})
    return changed, tuple(left)


class Spelling(ABC):
    """One operator, spelled out."""

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
        normal = self._cast(self.normal(x), self.stash, self.kind, "narrow")
        for operator, weight in zip(("Mul", "Add"), self.node.input[1:], strict=False):
            normal = self.add(operator, [normal, weight], operator.lower()) if weight else normal
        self.made[-1].output[0] = self.node.output[0]
        return self.made

    @classmethod
    def unknown(cls, scope: Scope, node: onnx.NodeProto) -> str | None:
        """Return what is not known of an operator that has to be."""
        if scope.kind(node.input[0]) is None:
            return f"the type of {node.input[0]} is not known"
        if attribute(node, "axis", -1) >= 0 and scope.rank(node.input[0]) is None:
            return f"the rank of {node.input[0]} is not known"
        return None

    @abstractmethod
    def normal(self, x: str) -> str:
        """Add what makes the value `x` normal, before scale and bias, and return the value."""

    def asked(self, index: int) -> str | None:
        """Return the name of one of the operator's further outputs, mean and inverse deviation, if it has one."""
        return self.node.output[index] if len(self.node.output) > index and self.node.output[index] else None

    def add(self, operator: str, inputs: list[str], what: str, value: str | None = None, **attributes: Any) -> str:
        """Add a node and return the value that it makes, by the name `value` or else a new one."""
        name = f"{self.node.output[0]}/{what}"
        value = value or self.editor.name(name)
        self.made.append(onnx.helper.make_node(operator, inputs, [value], name, **attributes))
        return value

    def _cast(self, value: str, before: int, after: int, what: str) -> str:
        return value if before == after else self.add("Cast", [value], what, to=after)

    def number(self, what: str, number: float) -> str:
        """Return the name of a constant of the type that the operator computes in."""
        return self.editor.constant(f"layernorm/{what}", np.array(number, numpy_type(self.stash)))

    @property
    def epsilon(self) -> float:
        """The operator's epsilon."""
        return float(attribute(self.node, "epsilon", 1e-5))

    def reduced(self, operator: str, value: str, what: str, name: str | None = None) -> str:
        """Add a reduction over the normalised axes, which stay with size 1."""
        axes = self._axes()
        if self.opset < _AXES_AS_INPUT and operator != "ReduceSum":
            return self.add(operator, [value], what, name, axes=axes, keepdims=1)
        stored = self.editor.constant("layernorm/axes", np.array(axes, np.int64))
        return self.add(operator, [value, stored], what, name, keepdims=1)

    def _axes(self) -> list[int]:
        axis = int(attribute(self.node, "axis", -1))
        if axis < 0:
            return list(range(axis, 0))
        return list(range(axis - (self.editor.scope.rank(self.node.input[0]) or 0), 0))


class Decomposed(Spelling):
    """In the order in which the operator's definition computes."""

    def normal(self, x: str) -> str:
        """Add mean, difference, square, mean, root and quotient."""
        mean = self.reduced("ReduceMean", x, "mean", self.asked(1))
        centred = self.add("Sub", [x, mean], "centred")
        # A product and not a power: AutoCast recognises the form with Pow and fuses it back to LayerNormalization.
        variance = self.reduced("ReduceMean", self.add("Mul", [centred, centred], "square"), "variance")
        padded = self.add("Add", [variance, self.number("epsilon", self.epsilon)], "padded")
        deviation = self.add("Sqrt", [padded], "deviation")
        if inverse := self.asked(2):
            self.add("Reciprocal", [deviation], "inverse", inverse)
        return self.add("Div", [centred, deviation], "normal")
