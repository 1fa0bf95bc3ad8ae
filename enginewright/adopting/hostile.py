"""What a small ONNX file can hold that takes ONNX's own tools along, or fills the memory: refused by counting."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import NoReturn

import numpy as np
import onnx
from onnx import TensorProto

from enginewright.errors import GraphError
from enginewright.graphs.walk import all_nodes, all_tensors

MOST_NODES = 1_000_000
"""Nodes of a graph once its functions stand where they are called."""

MOST_ELEMENTS = (1 << 31) - 1
"""Of one tensor: TensorRT takes none that is larger."""

_Key = tuple[str, str]
_PACKED_TWO = {"float_data": {TensorProto.COMPLEX64}, "double_data": {TensorProto.COMPLEX128}}
_FOUR_BITS = (TensorProto.UINT4, TensorProto.INT4, TensorProto.FLOAT4E2M1)
_FIELDS = ("float_data", "int32_data", "string_data", "int64_data", "double_data", "uint64_data")


def refuse_hostile(model: onnx.ModelProto, name: str) -> None:
    """Refuse functions that call themselves or multiply, and stored tensors that are not as large as they say.

    Raises:
        GraphError: naming the function or tensor.
    """
    for tensor in all_tensors(model):
        if fault := _fault(tensor):
            _refuse(name, f"the tensor {tensor.name} {fault}", "as many values as its dimensions say")
    _refuse_multiplying(model, name)


def _fault(tensor: TensorProto) -> str | None:
    """Return what is wrong with the size of a stored tensor."""
    if any(size < 0 for size in tensor.dims):
        return f"has the dimensions {list(tensor.dims)[:8]}"
    count = prod(tensor.dims)
    if count > MOST_ELEMENTS:
        return f"has {count} elements, more than {MOST_ELEMENTS}"
    if not tensor.HasField("raw_data"):
        return _typed_fault(tensor, count)
    wanted = -(-count * _bits(tensor) // 8)
    return None if len(tensor.raw_data) == wanted else f"holds {len(tensor.raw_data)} bytes for {wanted}"


def _typed_fault(tensor: TensorProto, count: int) -> str | None:
    lengths = {field: len(getattr(tensor, field)) for field in _FIELDS}
    field, found = max(lengths.items(), key=lambda item: item[1])
    wanted = 2 * count if tensor.data_type in _PACKED_TWO.get(field, ()) else count
    packed = tensor.data_type != TensorProto.STRING and _bits(tensor) < 8  # two or more to an entry
    if found == wanted or (packed and -(-count * _bits(tensor) // 8) <= found <= count):
        return None
    return f"holds {found} values for {wanted}"


def _bits(tensor: TensorProto) -> int:
    """Return the bits of one element; 8 of a type that is none, which ONNX's checker then refuses."""
    if tensor.data_type in _FOUR_BITS:
        return 4
    try:
        return 8 * np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)).itemsize
    except (KeyError, TypeError):
        return 8


def _refuse_multiplying(model: onnx.ModelProto, name: str) -> None:
    """Refuse a call graph with a circle, and one that would become more than `MOST_NODES` nodes."""
    functions = {(item.domain, item.name): item for item in model.functions}
    sizes: dict[_Key, int] = {}
    for key in functions:
        _measure(key, functions, sizes, name)
    total = sum(sizes.get((node.domain, node.op_type), 1) for node in all_nodes(model.graph))
    if total > MOST_NODES:
        _refuse(name, f"its functions make {total} nodes of it", f"at most {MOST_NODES} nodes")


def _measure(start: _Key, functions: Mapping[_Key, onnx.FunctionProto], sizes: dict[_Key, int], name: str) -> None:
    """Write the size of a function and of all that it calls to `sizes`, without recursion: a chain may be long."""
    waiting, open_ones = [start], set[_Key]()
    while waiting:
        key = waiting[-1]
        called = [(node.domain, node.op_type) for node in all_nodes(functions[key])]
        missing = [other for other in called if other in functions and other not in sizes]
        if key in sizes or not missing:
            sizes.setdefault(key, min(sum(sizes.get(other, 1) for other in called), MOST_NODES + 1))
            waiting.pop()
        elif key in open_ones:
            _refuse(name, f"its function {key[1]} calls itself", "functions that end")
        else:
            open_ones.add(key)
            waiting.extend(dict.fromkeys(missing))


def refuse_huge_tensors(model: onnx.ModelProto, name: str) -> None:
    """Refuse a model in which a tensor, as far as ONNX can tell its shape, is larger than any engine takes.

    Raises:
        GraphError: naming the tensor.
    """
    graph = onnx.shape_inference.infer_shapes(model).graph
    for value in (*graph.input, *graph.output, *graph.value_info):
        sizes = [size.dim_value for size in value.type.tensor_type.shape.dim if size.HasField("dim_value")]
        if any(size < 0 for size in sizes) or prod(sizes) > MOST_ELEMENTS:
            _refuse(name, f"the tensor {value.name} would be {sizes}", f"at most {MOST_ELEMENTS} elements")


def _refuse(name: str, what: str, expected: str) -> NoReturn:
    raise GraphError(
        f"{name} cannot be used: {what}", expected=expected, cure="check where it comes from, and export it again"
    )
