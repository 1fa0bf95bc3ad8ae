"""The inputs and outputs of a parsed network, and whether they are what the contract says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from enginewright.errors import GraphError

_NUMPY_NAMES = {"FLOAT": "float32", "HALF": "float16", "BF16": "bfloat16"}

Shape = tuple[int | str, ...]
"""One entry an axis: its size, or the name of a dynamic axis (-1 if it has none)."""


@dataclass(frozen=True)
class Binding:
    """One input or output: tensor name, numpy type name, shape."""

    name: str
    dtype: str
    shape: Shape

    @staticmethod
    def from_json(raw: dict[str, Any]) -> Binding:
        """Return the binding of one JSON object."""
        return Binding(str(raw["name"]), str(raw["dtype"]), tuple(raw["shape"]))


def inputs_of(network: Any) -> tuple[Binding, ...]:
    """Return the inputs of a TensorRT network in its order, dynamic axes by the names that the ONNX graph gives."""
    return tuple(_binding(network.get_input(index)) for index in range(network.num_inputs))


def outputs_of(network: Any) -> tuple[Binding, ...]:
    """Return the outputs of a TensorRT network in its order."""
    return tuple(_binding(network.get_output(index)) for index in range(network.num_outputs))


def _binding(tensor: Any) -> Binding:
    shape = tuple(
        size if size >= 0 else tensor.get_dimension_name(axis) or -1 for axis, size in enumerate(tuple(tensor.shape))
    )
    return Binding(tensor.name, _NUMPY_NAMES.get(tensor.dtype.name, tensor.dtype.name.lower()), shape)


def check_bindings(side: str, found: Sequence[Binding], expected: Sequence[Binding]) -> None:
    """Compare bindings with those of the contract and the reference: names, types, and sizes of static axes.

    Args:
        side: "input" or "output", for the message.
        expected: with the shapes of the reference.

    Raises:
        GraphError: for the first difference.
    """
    wanted = {binding.name: binding for binding in expected}
    if {binding.name for binding in found} != set(wanted):
        raise GraphError(
            f"the typed graph has other {side}s than the contract",
            expected=sorted(wanted),
            got=sorted(binding.name for binding in found),
            cure="export it again: tensor names are fixed",
        )
    for binding in found:
        _check_type(side, binding, wanted[binding.name])
        _check_shape(side, binding, wanted[binding.name])


def _check_type(side: str, found: Binding, expected: Binding) -> None:
    if found.dtype != expected.dtype:
        raise GraphError(
            f"the {side} {found.name} of the typed graph has the wrong type",
            expected=f"{expected.dtype}: inputs and outputs keep their types at every precision",
            got=found.dtype,
            cure="keep the types of inputs and outputs in the cast stage",
        )


def _check_shape(side: str, found: Binding, expected: Binding) -> None:
    sizes = zip(found.shape, expected.shape, strict=False)
    same = all(not isinstance(size, int) or size in (-1, wanted) for size, wanted in sizes)
    if not same or len(found.shape) != len(expected.shape):
        raise GraphError(
            f"the {side} {found.name} of the typed graph does not have the shape of the reference",
            expected=list(expected.shape),
            got=list(found.shape),
            cure="run dvc repro: the graph and the reference come from different sizes",
        )
