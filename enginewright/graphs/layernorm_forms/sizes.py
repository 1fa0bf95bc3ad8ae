"""Numbers that a graph takes from the shape of a value: `x.shape[-1]` is a constant where that axis has a known size.

Exporters write Shape, Gather and Cast for it, around Squeeze and Unsqueeze; what else they compute with sizes is data.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from numpy.typing import NDArray

if TYPE_CHECKING:
    from enginewright.graphs.layernorm_forms.scope import Scope

_UNKNOWN = -1
"""What stands in an array of sizes for an axis that is not known: no size is negative."""

_NUMBERS = {onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.INT32, onnx.TensorProto.INT64}

Sizes = NDArray[Any]


def known_sizes(scope: Scope, node: onnx.NodeProto) -> Sizes | None:
    """Return what a node makes of a shape, or None where it makes something else or an axis of it is not known."""
    found = _sizes(scope, node)
    return None if found is None or (found == _UNKNOWN).any() else found


def _sizes(scope: Scope, node: onnx.NodeProto) -> Sizes | None:
    if node.op_type == "Shape":
        return _shape(scope, node)
    step = _STEPS.get(node.op_type)
    maker = scope.maker(node.input[0]) if step else None
    found = _sizes(*maker) if maker else None
    return step(scope, node, found) if step and found is not None else None


def _shape(scope: Scope, node: onnx.NodeProto) -> Sizes | None:
    shape = scope.shape(node.input[0])
    if shape is None:
        return None
    whole = np.array([_UNKNOWN if size is None else size for size in shape], np.int64)
    return whole[_attribute(node, "start", 0) : _attribute(node, "end", None)]


def _gathered(scope: Scope, node: onnx.NodeProto, sizes: Sizes) -> Sizes | None:
    index = scope.constant(node.input[1])
    fits = index is not None and index.dtype.kind == "i" and sizes.ndim == 1 and (abs(index + 0.5) < sizes.size).all()
    return np.asarray(sizes[index]) if fits else None


def _cast(scope: Scope, node: onnx.NodeProto, sizes: Sizes) -> Sizes | None:
    kind = _attribute(node, "to", None)
    return sizes.astype(onnx.helper.tensor_dtype_to_np_dtype(kind)) if kind in _NUMBERS else None


def _squeezed(scope: Scope, node: onnx.NodeProto, sizes: Sizes) -> Sizes | None:
    return sizes.reshape(()) if sizes.size == 1 else None


def _unsqueezed(scope: Scope, node: onnx.NodeProto, sizes: Sizes) -> Sizes | None:
    return sizes.reshape(1) if sizes.ndim == 0 else None


_STEPS: dict[str, Callable[[Scope, onnx.NodeProto, Sizes], Sizes | None]] = {
    "Gather": _gathered,
    "Cast": _cast,
    "Squeeze": _squeezed,
    "Unsqueeze": _unsqueezed,
    "Identity": lambda scope, node, sizes: sizes,
}


def _attribute(node: onnx.NodeProto, name: str, default: Any) -> Any:
    return next((onnx.helper.get_attribute_value(item) for item in node.attribute if item.name == name), default)
