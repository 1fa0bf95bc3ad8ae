"""Whether LayerNorm is in a graph in the form that was asked for, and still is after a tool has been at it."""

from __future__ import annotations

import onnx

from enginewright.config.choices import Form
from enginewright.errors import GraphError
from enginewright.graphs.layernorm_forms.count import Forms, forms_of
from enginewright.graphs.layernorm_forms.operators import layernorm_ops

__all__ = ["Forms", "check_form", "check_kept", "forms_of", "layernorm_ops"]


def check_form(model: onnx.ModelProto, form: Form, calls: int, stage: str) -> None:
    """Refuse a graph in which `stage` changed the form of LayerNorm, which the network runs `calls` times.

    Other normalisations that a network spells out itself count as decomposed LayerNorms, so there may be more of these.

    Raises:
        GraphError: naming the stage, what was expected and what was found.
    """
    found = forms_of(model)
    wanted = Forms(
        operators=calls if form is Form.native else 0,
        decomposed=max(found.decomposed, calls if form in (Form.decomposed, Form.island) else 0),
        scaled=calls if form is Form.scaled else 0,
    )
    if found != wanted:
        raise GraphError(
            f"{stage} did not keep the LayerNorm form {form.name}",
            expected=f"{wanted}, for {calls} calls of LayerNorm",
            got=str(found),
            cure="choose another LayerNorm form, exporter, opset or precision: this one rewrites what was asked for",
        )


def check_kept(before: onnx.ModelProto | Forms, after: onnx.ModelProto, tool: str, cure: str) -> Forms:
    """Return the LayerNorms of `after`, which `tool` made of `before`, by form.

    A decomposed one more is no loss: a tool that folds constants can make plain what was one all along.

    Raises:
        GraphError: naming the tool, if a LayerNorm is gone or in another form.
    """
    found = forms_of(after)
    if after is before:
        return found
    wanted = before if isinstance(before, Forms) else forms_of(before)
    if (found.operators, found.scaled) != (wanted.operators, wanted.scaled) or found.decomposed < wanted.decomposed:
        raise GraphError(f"{tool} changed the LayerNorm form", expected=str(wanted), got=str(found), cure=cure)
    return found
