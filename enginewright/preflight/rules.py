"""What no builder says of a graph: rules of this project and of ONNX, each with where it was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enginewright.preflight.report import Blocker

if TYPE_CHECKING:
    import onnx


def graph_rules(model: onnx.ModelProto) -> list[Blocker]:
    """Return what stands against a graph before any builder sees it."""
    return [*_external(model), *_opset(model)]


def _external(model: onnx.ModelProto) -> list[Blocker]:
    """Refuse tensors in other files: every stage takes one file with all in it."""
    from onnx import TensorProto

    from enginewright.graphs.walk import all_tensors

    away = [item.name for item in all_tensors(model) if item.data_location == TensorProto.EXTERNAL]
    cure = "save it with onnx.save(model, path, save_as_external_data=False)"
    return [Blocker(tuple(away), "tensor", "it lies in another file than the graph", cure, "graph")] if away else []


def _opset(model: onnx.ModelProto) -> list[Blocker]:
    """Refuse operators of a version that the installed ONNX has no definition of.

    The parser of tensorrt_rtx 1.7.1 takes opset 99 without a word, as if no operator had changed since; so does
    ONNX's own checker.
    """
    from onnx.defs import onnx_opset_version

    from enginewright.graphs.walk import opset_of

    newest, found = onnx_opset_version(), opset_of(model)
    message = f"opset {found} is newer than the installed ONNX knows ({newest}): nobody can say what its operators mean"
    cure = "export it with opset 20, or another of 16 to 23"
    return [Blocker(("as a whole",), "graph", message, cure, "graph")] if found > newest else []
