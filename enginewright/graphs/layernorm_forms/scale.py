"""Every LayerNorm in the scaled form, which fp16 can compute: that of `networks.layernorm.ScaledLayerNorm`."""

from __future__ import annotations

import math

import onnx

from enginewright.graphs.layernorm_forms.axes import attribute
from enginewright.graphs.layernorm_forms.count import forms_of
from enginewright.graphs.layernorm_forms.decompose import Spelling, spell_out
from enginewright.graphs.layernorm_forms.fuse import OPSET, fuse_layernorms
from enginewright.graphs.layernorm_forms.rewrite import Rewrite, copied, prove
from enginewright.graphs.layernorm_forms.scope import Scope
from enginewright.graphs.walk import opset_of

SMALLEST = 2.0**-14
"""The smallest normal number of fp16."""


def scale_layernorms(model: onnx.ModelProto) -> Rewrite:
    """Return the model with each LayerNorm, operator or decomposed, in the scaled form.

    A decomposed one becomes an operator on the way, so what cannot be one is left as it is.
    """
    opset, before = opset_of(model), forms_of(model).scaled
    fused = fuse_layernorms(_at(copied(model), max(opset, OPSET)))
    changed, left = spell_out(fused.model, opset, Scaled)
    prove("scaling LayerNorms", {"scaled": before + changed}, {"scaled": forms_of(fused.model).scaled})
    return Rewrite(_at(fused.model, opset), changed, (*fused.left, *left))


def _at(model: onnx.ModelProto, opset: int) -> onnx.ModelProto:
    """Return the model, said to be of another opset: 17 is 16 and some operators more, one of them used on the way."""
    for entry in model.opset_import:
        if entry.domain in ("", "ai.onnx"):
            entry.version = opset
    return model


class Scaled(Spelling):
    """In the order and with the names of the derivation in `networks.layernorm.ScaledLayerNorm`."""

    @classmethod
    def unknown(cls, scope: Scope, node: onnx.NodeProto) -> str | None:
        """Return what is not known of an operator that has to be."""
        found = super().unknown(scope, node)
        return found or (None if _count(scope, node) else f"the size of the last axes of {node.input[0]} is not known")

    def normal(self, x: str) -> str:
        """Add both scales, both means and the quotient."""
        count = _count(self.editor.scope, self.node)
        quarter = math.sqrt(self.epsilon) / 4
        floor, share = max(quarter, SMALLEST), min(1.0, quarter / SMALLEST)
        limit, least = self.number("floor", floor), self.number("least", min(count**-0.5, share) / 4)
        h = self.add("Mul", [x, self.number("quarter", 0.25)], "quarter")
        total = self.reduced("ReduceSum", self.add("Mul", [h, self.number("part", 1 / count)], "part"), "sum")
        centred = self.add("Sub", [h, total], "centred")
        largest = self.reduced("ReduceMax", self.add("Abs", [centred], "magnitude"), "largest")
        size = self.add("Max", [largest, limit], "size")
        unit = self.add("Div", [centred, size], "scaled")
        unit = self.add("Sub", [unit, self.reduced("ReduceMean", unit, "rest_of_mean")], "unit")
        rest = self.add("Div", [limit, size], "epsilon")
        rest = rest if share == 1 else self.add("Mul", [rest, self.number("share", share)], "share")
        variance = self.reduced("ReduceMean", self.add("Mul", [unit, unit], "square"), "variance")
        padded = self.add("Add", [variance, self.add("Mul", [rest, rest], "epsilon_square")], "padded")
        root = self.add("Max", [self.add("Sqrt", [padded], "root"), least], "deviation")
        self._further(total, size, root)
        return self.add("Div", [unit, root], "normal")

    def _further(self, total: str, size: str, root: str) -> None:
        """Add the operator's further outputs, mean and inverse deviation, where they are asked for."""
        if mean := self.asked(1):
            self.add("Div", [total, self.number("quarter", 0.25)], "mean", mean)
        if inverse := self.asked(2):
            self.add(
                "Div", [self.add("Div", [self.number("quarter", 0.25), size], "over_size"), root], "inverse", inverse
            )


def _count(scope: Scope, node: onnx.NodeProto) -> int:
    """Return how many numbers an operator normalises together, or 0 where that is not known."""
    shape, axis = scope.shape(node.input[0]), int(attribute(node, "axis", -1))
    sizes = shape[axis:] if shape is not None else scope.shape(node.input[1]) or ()
    return math.prod(size or 0 for size in sizes) if sizes else 0
