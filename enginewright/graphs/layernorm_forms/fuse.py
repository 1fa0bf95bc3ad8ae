"""Every decomposed LayerNorm as the LayerNormalization operator."""

from __future__ import annotations

import numpy as np
import onnx

from enginewright.errors import GraphError
from enginewright.graphs.layernorm_forms.candidates import Candidate, candidates
from enginewright.graphs.layernorm_forms.operators import layernorm_ops
from enginewright.graphs.layernorm_forms.rewrite import Editor, Rewrite, copied, drop_unread, editors, numpy_type, prove
from enginewright.graphs.layernorm_forms.scope import scopes
from enginewright.graphs.layernorm_forms.weights import fitted, is_fitting, normalised_shape
from enginewright.graphs.walk import opset_of

OPSET = 17
"""The first opset with a LayerNormalization operator."""


def decomposed_layernorms(model: onnx.ModelProto) -> int:
    """Return how many decomposed LayerNorms the graph has that `fuse_layernorms` would fuse."""
    return sum(len(candidates(scope)[0]) for scope in scopes(copied(model)))


def fuse_layernorms(model: onnx.ModelProto) -> Rewrite:
    """Return the model with each decomposed LayerNorm as one LayerNormalization operator, where it is exactly that.

    A step that something else reads, or that is an output, keeps its LayerNorm as it is; so does a Cast inside it,
    a float64, and axes that are not the last. A scale or bias that is not one of the operator's goes behind it.

    Raises:
        GraphError: if there is something to fuse and the opset is older than 17.
    """
    copy = copied(model)
    before, changed = layernorm_ops(copy), 0
    left: list[str] = []
    for editor in editors(copy):
        found, reasons = candidates(editor.scope)
        _refuse_old(copy, len(found))
        _fuse(editor, found)
        changed, left = changed + len(found), left + reasons
    prove(
        "fusing LayerNorms",
        {"operators": before + changed, "decomposed": 0},
        {"operators": layernorm_ops(copy), "decomposed": decomposed_layernorms(copy)},
    )
    return Rewrite(copy, changed, tuple(left))


def _refuse_old(model: onnx.ModelProto, found: int) -> None:
    if found and opset_of(model) < OPSET:
        raise GraphError(
            f"opset {opset_of(model)} has no LayerNormalization operator to fuse {found} LayerNorms into",
            expected=f"opset {OPSET} or more",
            got=opset_of(model),
            cure=f"export.opset={OPSET} or more, or layernorm=decomposed",
        )


def _fuse(editor: Editor, found: list[Candidate]) -> None:
    if not found:
        return
    nodes = {candidate.last: _operator(editor, candidate) for candidate in found}
    editor.replace(nodes, frozenset().union(*(candidate.term.nodes for candidate in found)))
    drop_unread(editor.scope.graph)


def _operator(editor: Editor, candidate: Candidate) -> list[onnx.NodeProto]:
    """Return the operator, and behind it what of scale and bias it cannot hold itself."""
    term, scope = candidate.term, editor.scope
    scale = term.scale if term.scale and is_fitting(scope, term, term.scale) else None
    behind = [("Mul", term.scale)] if term.scale and not scale else []
    bias = term.bias if term.bias and not behind and is_fitting(scope, term, term.bias) else None
    behind += [("Add", term.bias)] if term.bias and not bias else []
    inputs = [term.of, _weight(editor, candidate, "scale", scale)]
    inputs += [_weight(editor, candidate, "bias", bias)] if bias else []
    value = editor.name(f"{candidate.value}/normal") if behind else candidate.value
    name = f"{candidate.value}/LayerNormalization"
    axis = -len(term.axes or ())
    nodes = [onnx.helper.make_node("LayerNormalization", inputs, [value], name, axis=axis, epsilon=term.epsilon)]
    for index, (operator, other) in enumerate(behind):
        result = candidate.value if index + 1 == len(behind) else editor.name(f"{candidate.value}/{operator}")
        nodes.append(onnx.helper.make_node(operator, [value, str(other)], [result], f"{candidate.value}/{operator}"))
        value = result
    return nodes


def _weight(editor: Editor, candidate: Candidate, what: str, name: str | None) -> str:
    """Return the name of a weight in the normalised shape: the one that is there, a copy of it, or ones."""
    scope, term = editor.scope, candidate.term
    if name is None:
        ones = np.ones(normalised_shape(scope, term) or (), numpy_type(scope.kind(term.of) or 0))
        return editor.constant("layernorm/ones", ones)
    array = fitted(scope, term, name)
    return name if array is None else editor.constant(f"{candidate.value}/{what}", array)
