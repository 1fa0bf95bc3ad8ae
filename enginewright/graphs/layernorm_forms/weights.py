"""Whether a value can be the scale or the bias of a LayerNormalization, and that value in the shape it needs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from enginewright.graphs.layernorm_forms.axes import last_axes
from enginewright.graphs.layernorm_forms.scope import Scope
from enginewright.graphs.layernorm_forms.terms import Term


def normalised_shape(scope: Scope, term: Term) -> tuple[int, ...] | None:
    """Return the sizes of the axes that are normalised, if they are known and the last ones of x."""
    shape = scope.shape(term.of)
    if shape is None or not term.axes or not last_axes(term.axes, len(shape)):
        return None
    sizes = [size for size in shape[len(shape) - len(term.axes) :] if size]
    return tuple(sizes) if len(sizes) == len(term.axes) else None


def is_fitting(scope: Scope, term: Term, name: str) -> bool:
    """Return whether `name` is a weight that varies over the normalised axes of x and no others."""
    wanted, shape = normalised_shape(scope, term), scope.shape(name)
    if wanted is None or shape is None or None in shape or not scope.is_weight(name):
        return False
    if shape == wanted:
        return True
    rank = scope.rank(term.of) or 0
    padded = (1,) * (rank - len(shape)) + shape
    outer, inner = padded[: rank - len(wanted)], padded[rank - len(wanted) :]
    spread = all(size in (1, full) for size, full in zip(inner, wanted, strict=False))
    return len(padded) == rank and set(outer) <= {1} and spread and scope.constant(name) is not None


def fitted(scope: Scope, term: Term, name: str) -> NDArray[Any] | None:
    """Return a fitting constant in the normalised shape, or None where `name` has that shape already."""
    wanted, array = normalised_shape(scope, term), scope.constant(name)
    if wanted is None or array is None or array.shape == wanted:
        return None
    inner = array.reshape(array.shape[max(0, array.ndim - len(wanted)) :])  # all before is of size 1
    return np.ascontiguousarray(np.broadcast_to(inner, wanted))
