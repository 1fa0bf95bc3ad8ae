"""ONNX files: single files without external data, checked when read, byte-identical when written again."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from enginewright.artifacts import write_bytes
from enginewright.errors import GraphError
from enginewright.graphs.walk import all_messages, all_tensors
from enginewright.input_file import read_input
from enginewright.memory_limit import at_most_more

_MOST_GROWTH = 16
"""Bytes in memory for each byte of a file: packed numbers take eight."""

_MOST_PARTS = 10_000_000
"""Nodes, attributes, tensors and all other messages of a graph; the largest here has 30,000."""

_REBUILD = "build it again with dvc repro"


def load_graph(path: Path) -> onnx.ModelProto:
    """Return the model in `path`.

    Raises:
        GraphError: if the file is no ONNX model, is empty or cut short, or keeps tensors in other files.
    """
    model = read_graph(path)
    refuse_external_data(model, path.name)
    return model


def read_graph(path: Path, cure: str = _REBUILD) -> onnx.ModelProto:
    """Return the model in `path`; tensors that it keeps in other files are left there.

    cure: what to do about a file that is no graph; a user's own file is not for the pipeline to build again.

    Raises:
        GraphError: if the file is missing, no regular file, no ONNX model, empty or cut short.
    """
    try:
        model = parsed(read_input(path))
        known = any(entry.domain in ("", "ai.onnx") for entry in model.opset_import)
    except (OSError, ValueError) as error:  # a name that is no text shows when it is read
        raise GraphError(f"{path.name} is no ONNX model: {error}", expected="a whole ONNX file", cure=cure) from error
    if not model.graph.node or not known:
        raise GraphError(
            f"{path.name} is no ONNX model: it has no nodes, or no version of ONNX's operators",
            expected="a whole ONNX file",
            cure=cure,
        )
    return model


def parsed(data: bytes) -> onnx.ModelProto:
    """Return the model in the bytes of a file; a few megabytes can spell out more parts than memory holds.

    Raises:
        ValueError: if they are no protobuf, are cut short, or hold more parts than any network has.
    """
    model = onnx.ModelProto()
    try:
        with at_most_more(_MOST_GROWTH * len(data)):
            model.ParseFromString(data)
    except (DecodeError, MemoryError) as error:
        raise ValueError(str(error)) from error
    if any(True for _ in islice(all_messages(model), _MOST_PARTS, None)):
        raise ValueError(f"it has more than {_MOST_PARTS} parts")
    return model


def save_graph(path: Path, model: onnx.ModelProto) -> None:
    """Write the model as one file, deterministically serialised, after the full ONNX check.

    Raises:
        GraphError: if the ONNX checker refuses it.
    """
    check_graph(model, path.name)
    write_bytes(path, graph_bytes(model))


def graph_bytes(model: onnx.ModelProto) -> bytes:
    """Return the model's bytes; equal models give equal bytes."""
    return bytes(model.SerializeToString(deterministic=True))


def check_graph(model: onnx.ModelProto, name: str) -> None:
    """Run ONNX's full check (types and shapes inferred and compared) on a single-file model.

    Raises:
        GraphError: with the checker's own words.
    """
    refuse_external_data(model, name)
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise GraphError(f"{name} does not pass the ONNX checker: {error}", expected="a valid ONNX graph") from error


def refuse_external_data(model: onnx.ModelProto, name: str) -> None:
    """Refuse a model one of whose tensors, wherever in it, lies in another file.

    Raises:
        GraphError: naming the tensor.
    """
    for tensor in all_tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            raise GraphError(
                f"{name} keeps the tensor {tensor.name} in another file",
                expected="one file with all tensors inside",
                got="external data",
                cure="save it with onnx.save(model, path, save_as_external_data=False)",
            )
