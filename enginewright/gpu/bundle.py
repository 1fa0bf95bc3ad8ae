"""A folder of variants for a machine that only runs them: graphs whose weights lie together in one file, each once.

Variants of one network share most of their tensors, so all of them are little larger than one of each precision. The
weights are external data as ONNX defines it, which ONNX Runtime reads by itself; nothing is built from such graphs.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import onnx
from onnx import TensorProto, numpy_helper

from enginewright.artifacts import write_bytes
from enginewright.graphs.files import load_graph

TENSORS = "tensors.bin"
_LEAST_BYTES = 1024


def pack(variants: Path, references: Iterable[tuple[str, Path]], out: Path) -> None:
    """Write the built variants of a folder into `out`, with the reference of each network as NETWORK.npz."""
    out.mkdir(parents=True, exist_ok=True)
    places: dict[str, tuple[int, int]] = {}
    with (out / TENSORS).open("wb") as file:
        for path in sorted(variants.glob("*.json")):
            shutil.copyfile(path, out / path.name)
            graph = path.with_suffix(".onnx")
            if graph.is_file():
                write_bytes(out / graph.name, _sharing(load_graph(graph), file, places).SerializeToString())
    for network, reference in references:
        shutil.copyfile(reference, out / f"{network}.npz")


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
