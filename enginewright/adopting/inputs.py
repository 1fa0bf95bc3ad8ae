"""The inputs of an ONNX file as ports of a contract: what the file leaves open, the configuration decides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx

from enginewright.config.filled_input import FilledInput
from enginewright.contract import Port
from enginewright.errors import ConfigError, GraphError

_NAME = re.compile(r"[A-Za-z_][\w.]*")

Sizes = dict[str, int]
"""The size of each axis by its name: the file's own name of an open axis, TENSOR[INDEX] of any other."""


@dataclass(frozen=True)
class Inputs:
    """A graph's inputs in its order, what the file leaves open as dynamic; the size of each axis; what fills them."""

    ports: tuple[Port, ...]
    sizes: Sizes
    fills: Mapping[str, FilledInput]


def inputs_of(model: onnx.ModelProto, inputs: Mapping[str, FilledInput]) -> Inputs:
    """Return the inputs of a model as the configuration describes them.

    Raises:
        ConfigError: if `inputs` does not name just the file's inputs, or gives one sizes that the file forbids.
        GraphError: if an input is no tensor of numbers.
    """
    values = tensor_inputs(model)
    if set(inputs) != {value.name for value in values}:
        _refuse_names(values, inputs)
    sizes: Sizes = {}
    ports = tuple(_port(value, inputs[value.name], sizes) for value in values)
    return Inputs(ports, sizes, inputs)


def output_names(model: onnx.ModelProto) -> list[str]:
    """Return the names of the graph's outputs, in order.

    Raises:
        GraphError: if one is no tensor of numbers.
    """
    for value in model.graph.output:
        dtype_of(value)
    return [value.name for value in model.graph.output]


def tensor_inputs(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """Return the inputs that a caller must give: not those that have a stored default."""
    stored = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in stored]


def dtype_of(value: onnx.ValueInfoProto) -> np.dtype[np.generic]:
    """Return the numpy type of an input or output.

    Raises:
        GraphError: if it is no tensor, or not of numbers.
    """
    kind = value.type.tensor_type.elem_type
    found = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind)) if kind else np.dtype(object)
    if not value.type.HasField("tensor_type") or found.kind not in "fiub":
        raise GraphError(
            f"{value.name} is no tensor of numbers",
            expected="tensors of floats, integers or booleans",
            got=value.type.WhichOneof("value") or "no type",
            cure="export the network without it",
        )
    return found


def _port(value: onnx.ValueInfoProto, given: FilledInput, sizes: Sizes) -> Port:
    axes = _axes(value, len(given.shape))
    if len(axes) != len(given.shape):
        _refuse_shape(value, given)
    for (axis, fixed), size in zip(axes, given.shape, strict=True):
        if fixed not in (None, size):
            _refuse_shape(value, given)
        if sizes.setdefault(axis, size) != size:
            _refuse_size(axis, sizes[axis], value.name, size)
    dynamic = tuple(axis for axis, fixed in axes if fixed is None)
    return Port(value.name, tuple(axis for axis, _ in axes), dynamic, dtype_of(value).name)


def _axes(value: onnx.ValueInfoProto, rank: int) -> list[tuple[str, int | None]]:
    """Return name and fixed size, or None, of each axis of an input; `rank` axes if the file does not say how many."""
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return [(f"{value.name}[{index}]", None) for index in range(rank)]
    return [
        (_axis_name(axis, value.name, index), axis.dim_value if axis.HasField("dim_value") else None)
        for index, axis in enumerate(tensor.shape.dim)
    ]


def _axis_name(axis: onnx.TensorShapeProto.Dimension, tensor: str, index: int) -> str:
    """Return the file's own name of an axis, unless it is an expression or a mere `?`, which names no one axis."""
    return axis.dim_param if _NAME.fullmatch(axis.dim_param) else f"{tensor}[{index}]"


def described(value: onnx.ValueInfoProto) -> str:
    """Return what a file says of an input: its name, type and axes, open ones by name or as `?`."""
    axes = [
        str(axis.dim_value) if axis.HasField("dim_value") else axis.dim_param or "?"
        for axis in value.type.tensor_type.shape.dim
    ]
    return f"{value.name}: {dtype_of(value).name} ({', '.join(axes)})"


def _refuse_names(values: list[onnx.ValueInfoProto], inputs: Mapping[str, FilledInput]) -> None:
    raise ConfigError(
        "model.inputs does not name the inputs of the ONNX file",
        expected="; ".join(map(described, values)),
        got=sorted(inputs) or "none",
        cure="\n    ".join(["give each its sizes and what fills it:", *map(_suggested, values)]),
    )


def _suggested(value: onnx.ValueInfoProto) -> str:
    axes = [str(axis.dim_value) if axis.HasField("dim_value") else "?" for axis in value.type.tensor_type.shape.dim]
    return f"{value.name}: {{shape: [{', '.join(axes)}], fill: values}}"


def _refuse_shape(value: onnx.ValueInfoProto, given: FilledInput) -> None:
    raise ConfigError(
        f"model.inputs.{value.name}.shape is not a shape that the file takes",
        expected=described(value),
        got=list(given.shape),
        cure="a size for each axis; where the file has a number, that number",
    )


def _refuse_size(axis: str, one: int, name: str, other: int) -> None:
    raise ConfigError(
        f"model.inputs.{name}.shape gives the axis {axis} another size than an input before it",
        expected=f"one size: the file says that {axis} is the same axis",
        got=f"{one} and {other}",
        cure="give both inputs the same size there",
    )
