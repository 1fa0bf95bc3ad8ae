"""The largest magnitude of every floating-point tensor that a graph computes, by one run that reduces them on the way.

Two numbers of each tensor leave the run: none is copied, and ONNX Runtime lets go of them as it always does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from enginewright.graphs.exact_session import exact_session, not_run_by

_CAST = (TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE)
"""Types that are reduced as float32."""

_MOVED = ("Identity", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten")
"""Operators of ONNX whose output has the values of their first input, all of them."""

_WHAT = "the graph"


class Magnitudes:
    """A graph whose tensors' magnitudes can be asked for.

    model: with the types of its tensors, as shape inference gives them.

    Raises:
        GraphError: if ONNX Runtime does not take it.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        types = _types(model)
        made = [name for node in model.graph.node for name in node.output if name]
        numbers = [name for name in made if types.get(name) in (TensorProto.FLOAT, *_CAST)]
        self._alike = _alike(model, set(numbers))
        self._reduced = [name for name in numbers if name not in self._alike]
        self._whole = [name for name in made if not types.get(name)]
        self._session = exact_session(_with_reductions(model, self._reduced, self._whole, types), _WHAT, arena=False)

    def of(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, float]:
        """Return the largest magnitude of every floating-point tensor by name, those of the inputs included.

        Raises:
            GraphError: if ONNX Runtime does not run the graph.
        """
        ends = [end for name in self._reduced for end in _ends(name)]
        found = dict(zip([*ends, *self._whole], self._run([*ends, *self._whole], inputs), strict=True))
        whole = {**inputs, **{name: np.asarray(found[name]) for name in self._whole}}
        seen = {name: _magnitude(values.max(), values.min()) for name, values in whole.items() if _counts(values)}
        seen |= {name: _magnitude(*(found[end] for end in _ends(name))) for name in self._reduced}
        return seen | {name: seen[source] for name, source in self._alike.items()}

    def _run(self, outputs: list[str], inputs: Mapping[str, NDArray[Any]]) -> Sequence[Any]:
        if not outputs:
            return []
        try:
            values: Sequence[Any] = self._session.run(outputs, dict(inputs))
        except Exception as error:  # ONNX Runtime's errors have no common class of their own
            raise not_run_by(_WHAT, error) from error
        return values


def _counts(values: NDArray[Any]) -> bool:
    return bool(values.size) and values.dtype.kind == "f"


def _magnitude(high: Any, low: Any) -> float:
    return max(float(high), -float(low))


def _types(model: onnx.ModelProto) -> dict[str, int]:
    known = (*model.graph.value_info, *model.graph.output)
    return {value.name: value.type.tensor_type.elem_type for value in known}


def _alike(model: onnx.ModelProto, numbers: set[str]) -> dict[str, str]:
    """Return the tensors that are another one in a new shape, each with the first that has its values.

    numbers: tensors that can be reduced, made by a node each.
    """
    found: dict[str, str] = {}
    for node in model.graph.node:
        if not node.domain and node.op_type in _MOVED and numbers.issuperset((node.input[0], node.output[0])):
            found[node.output[0]] = found.get(node.input[0], node.input[0])
    return found


def _ends(name: str) -> tuple[str, str]:
    """Return the names of a tensor's largest and smallest value."""
    return f"{name}/largest", f"{name}/smallest"


def _with_reductions(
    model: onnx.ModelProto, reduced: Sequence[str], whole: Sequence[str], types: Mapping[str, int]
) -> onnx.ModelProto:
    """Return the graph with two reductions after the node of each tensor to reduce; its outputs are those, and `whole`.

    whole: tensors of which shape inference does not know the type.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    wanted = set(reduced)
    nodes = [part for node in model.graph.node for part in (node, *_reductions(node, wanted, types))]
    del copy.graph.node[:], copy.graph.output[:]
    copy.graph.node.extend(nodes)
    copy.graph.output.extend(
        helper.make_tensor_value_info(end, TensorProto.FLOAT, []) for name in reduced for end in _ends(name)
    )
    copy.graph.output.extend(onnx.ValueInfoProto(name=name) for name in whole)
    return copy


def _reductions(node: onnx.NodeProto, wanted: set[str], types: Mapping[str, int]) -> Iterator[onnx.NodeProto]:
    for name in node.output:
        if name not in wanted:
            continue
        source = name
        if types[name] != TensorProto.FLOAT:
            source = f"{name}/number"
            yield helper.make_node("Cast", [name], [source], to=TensorProto.FLOAT)
        for kind, end in zip(("ReduceMax", "ReduceMin"), _ends(name), strict=True):
            yield helper.make_node(kind, [source], [end], keepdims=0)
