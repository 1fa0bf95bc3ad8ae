"""The axes that a node reduces or adds, in the spelling of either opset."""

from __future__ import annotations

from typing import Any

import onnx

from enginewright.graphs.layernorm_forms.scope import Scope


def attribute(node: onnx.NodeProto, name: str, default: Any) -> Any:
    """Return the value of a node's attribute, or `default` where it has none of that name."""
    found = next((item for item in node.attribute if item.name == name), None)
    return default if found is None else onnx.helper.get_attribute_value(found)


def axes_of(node: onnx.NodeProto, scope: Scope, rank: int | None) -> tuple[int, ...] | None:
    """Return the axes of a node, sorted, counted from the front where the rank is known; None if they are not known.

    They are an attribute up to opset 17 (up to 12 for some operators) and the second input since.
    """
    given = attribute(node, "axes", None)
    if given is None and len(node.input) > 1 and node.input[1]:
        array = scope.constant(node.input[1])
        if array is None:
            return None
        given = array.ravel().tolist()
    if not given:
        every = rank is not None and not attribute(node, "noop_with_empty_axes", 0)
        return tuple(range(rank or 0)) if every else None
    return tuple(sorted(int(axis) % rank if rank else int(axis) for axis in given))


def last_axes(axes: tuple[int, ...], rank: int) -> bool:
    """Return whether these are the last axes of a tensor of that rank, all of them and no other between."""
    return axes == tuple(range(rank - len(axes), rank))
