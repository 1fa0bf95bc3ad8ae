"""Reads the bytes of an ONNX file that somebody else made."""

from __future__ import annotations

from typing import NoReturn

import onnx
from onnx import inliner

from enginewright.adopting.hostile import refuse_hostile, refuse_huge_tensors
from enginewright.errors import GraphError
from enginewright.graphs.files import check_graph, parsed, refuse_external_data
from enginewright.graphs.types import reduced_type
from enginewright.memory_limit import at_most_more

_MOST_TEXT = 300
_MOST_GROWTH = 16
"""Bytes that ONNX's tools may take for each byte of the file."""

_MOST_BYTES = (1 << 31) - 1
"""Protobuf, and so ONNX in a single file, ends here."""


def read_onnx(data: bytes, name: str) -> onnx.ModelProto:
    """Return the fp32 model in `data` after ONNX's full check, its local functions inlined.

    name: what to call it in errors.

    Raises:
        GraphError: if it is no ONNX model or cut short, keeps tensors in other files, has an opset that the installed
            onnx does not know, computes in a reduced type, or breaks ONNX's rules.
    """
    if len(data) > _MOST_BYTES:
        _refuse(name, "it is too large for one file", f"{len(data)} bytes", f"at most {_MOST_BYTES} bytes")
    try:
        model = parsed(data)
        _refuse_what_shows(model, name, len(data))
        refuse_hostile(model, name)
        with at_most_more(_MOST_GROWTH * len(data)):
            check_graph(model, name)
            inlined = inliner.inline_local_functions(model) if model.functions else model
            refuse_huge_tensors(inlined, name)
    except (
        RuntimeError,
        ValueError,
        MemoryError,
    ) as error:  # a name that is no text, for example, which no message can hold
        _refuse(name, "it is no protobuf, cut short or damaged", " ".join(str(error).split())[:_MOST_TEXT])
    return inlined


def _refuse_what_shows(model: onnx.ModelProto, name: str, size: int) -> None:
    if not model.graph.node or not model.opset_import:
        _refuse(name, "it has no nodes, or names no version of ONNX's operators", f"{size} bytes")
    refuse_external_data(model, name)
    _refuse_opset(model, name)
    if found := reduced_type(model):
        _refuse(name, f"it computes in {found} already", found, "an fp32 graph", "export it in fp32; see precision=")


def _refuse_opset(model: onnx.ModelProto, name: str) -> None:
    known = onnx.defs.onnx_opset_version()
    found = [int(entry.version) for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    if not found or not all(1 <= version <= known for version in found):
        _refuse(name, "it is written for operators that do not exist", f"opset {found}", f"an opset from 1 to {known}")


def _refuse(
    name: str, what: str, got: str, expected: str = "a whole ONNX file", cure: str = "check where it comes from"
) -> NoReturn:
    raise GraphError(f"{name} cannot be used: {what}", expected=expected, got=got, cure=cure)
