"""A folder of variants for a machine that only runs them: graphs whose weights lie together in one file, each once.

Variants of one network share most of their tensors, so all of them are little larger than one of each precision. The
weights are external data as ONNX defines it, which ONNX Runtime reads by itself; nothing is built from such graphs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import onnx
from onnx import TensorProto, numpy_helper

from enginewright.artifacts import write_atomically, write_bytes
from enginewright.graphs.files import load_graph

TENSORS = "tensors.bin"
_LEAST_BYTES = 1024


def pack(variants: Path, references: Iterable[tuple[str, Path]], out: Path) -> None:
    """Write the built variants of a folder into `out`, with the reference of each network as NETWORK.npz."""
    records = sorted(variants.glob("*.json"))
    graphs = [graph for record in records if (graph := record.with_suffix(".onnx")).is_file()]
    for old in out.glob("*.onnx"):
        old.unlink()  # it would look for its tensors in the new file
    slim: dict[str, bytes] = {}
    write_atomically(out / TENSORS, lambda temporary: slim.update(_collected(graphs, temporary)))
    for name, data in slim.items():
        write_bytes(out / name, data)
    for record in records:
        write_bytes(out / record.name, record.read_bytes())
    for network, reference in references:
        write_bytes(out / f"{network}.npz", reference.read_bytes())


def _collected(graphs: Iterable[Path], tensors: Path) -> dict[str, bytes]:
    """Write the large tensors of all graphs to a file, and return the graphs without them, by name."""
    places: dict[str, tuple[int, int]] = {}
    with tensors.open("wb") as file:
        return {path.name: _sharing(load_graph(path), file, places).SerializeToString() for path in graphs}


def _sharing(model: onnx.ModelProto, file: BinaryIO, places: dict[str, tuple[int, int]]) -> onnx.ModelProto:
    """Return the model with its large tensors in `file`, equal ones once; places: (offset, bytes) by digest."""
    for tensor in model.graph.initializer:
        data = _raw(tensor)
        if len(data) < _LEAST_BYTES:
            continue
        digest = hashlib.sha256(data).hexdigest()
        if digest not in places:
            places[digest] = file.tell(), len(data)
            file.write(data)
        _refer(tensor, *places[digest])
    return model


def _raw(tensor: TensorProto) -> bytes:
    if tensor.HasField("raw_data"):
        return bytes(tensor.raw_data)
    return bytes(numpy_helper.from_array(numpy_helper.to_array(tensor), tensor.name).raw_data)


def _refer(tensor: TensorProto, offset: int, length: int) -> None:
    for field in ("raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data"):
        tensor.ClearField(field)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", TENSORS), ("offset", offset), ("length", length)):
        tensor.external_data.add(key=key, value=str(value))
