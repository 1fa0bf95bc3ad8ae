"""Whether a graph's inputs and outputs are those of its contract."""

from __future__ import annotations

import numpy as np
import onnx

from enginewright.contract import Contract, Port
from enginewright.errors import GraphError


def check_io(model: onnx.ModelProto, contract: Contract, dynamic: bool) -> None:
    """Refuse a graph whose inputs or outputs differ from the contract in name, order, type, shape or open axes.

    Raises:
        GraphError: with the expected and the found list.
    """
    wanted = [_wanted(port, contract.shape(port), dynamic) for port in contract.ports]
    found = io_types(model)
    if wanted != found:
        raise GraphError(
            "the graph's inputs and outputs are not those of its contract",
            expected=", ".join(wanted),
            got=", ".join(found),
            cure="mend the adapter's contract or its module",
        )


def _wanted(port: Port, shape: tuple[int, ...], dynamic: bool) -> str:
    sizes = [
        "?" if dynamic and axis in port.dynamic else str(size) for axis, size in zip(port.axes, shape, strict=True)
    ]
    return f"{port.name} {port.dtype} ({', '.join(sizes)})"


def _found(value: onnx.ValueInfoProto) -> str:
    tensor = value.type.tensor_type
    dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type))
    sizes = [str(size.dim_value) if size.HasField("dim_value") else "?" for size in tensor.shape.dim]
    return f"{value.name} {dtype} ({', '.join(sizes)})"


def io_types(model: onnx.ModelProto) -> list[str]:
    """Return name, type and shape of each input and output, in order, as text."""
    return [_found(value) for value in (*model.graph.input, *model.graph.output)]
