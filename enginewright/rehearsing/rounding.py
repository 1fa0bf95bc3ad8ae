"""The rounded twin: float32 kernels, and every result rounded as the hardware stores it.

ONNX Runtime on a CPU computes a half-precision node with a float32 kernel between casts, and takes the casts between
two such nodes out: what overflows or vanishes on a GPU does neither there. Here each tensor that the typed graph holds
in a reduced format goes through that format: Cast there and back, which no optimiser removes, since it changes values.
Inside a node everything is float32, as tensor cores accumulate products and as GPU kernels reduce and normalise.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from enginewright.graphs.files import load_graph, save_graph
from enginewright.rehearsing.eight_bit_floats import as_casts
from enginewright.rehearsing.formats import Format
from enginewright.rehearsing.kept_exact import exact, keep_exact
from enginewright.rehearsing.sums import SUM
from enginewright.rehearsing.twin import Twin, twin_of

_KINDS = {"float16": TensorProto.FLOAT16, "bfloat16": TensorProto.BFLOAT16}
_KEEPING = {"Transpose", "Reshape", "Squeeze", "Unsqueeze", "Identity", "Slice", "Gather", "Split", "Expand", "Flatten"}
"""Operators that move values and change none: what goes in rounded comes out rounded."""


@contextmanager
def rounded_file(
    typed: Path, full: frozenset[str] = frozenset(), source: onnx.ModelProto | None = None
) -> Iterator[Path]:
    """Yield a file of the rounded twin of the graph in `typed`, there as long as the context."""
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        path = Path(folder) / "rehearsed.onnx"
        save_graph(path, rounded(twin_of(load_graph(typed)), full, source))
        yield path


def rounded(twin: Twin, full: frozenset[str] = frozenset(), source: onnx.ModelProto | None = None) -> onnx.ModelProto:
    """Return the twin's graph with every reduced tensor of its main graph rounded where it is made.

    Args:
        full: names of nodes that compute in float32 all the same. Such a node reads what others of `full` make
            unrounded, and what the rest makes rounded; its results are rounded for readers outside of `full` only.
        source: the graph that the typed one was cast from; nodes in `full` read their stored tensors from it, as they
            were before the cast rounded them.
    """
    model = onnx.ModelProto()
    model.CopyFrom(twin.model)
    full |= {f"{name}{SUM}" for name in full}
    if full:
        keep_exact(model, twin.reduced, full, source)
    nodes = [step for node in model.graph.node for step in _steps(node, twin.reduced, full)]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return as_casts(model)


def _steps(node: onnx.NodeProto, reduced: dict[str, Format], full: frozenset[str]) -> Iterator[onnx.NodeProto]:
    """Yield the node, and behind it two casts for each of its outputs that the typed graph rounds."""
    kept = node.op_type in _KEEPING and node.name not in full
    outputs = [] if kept else [name for name in node.output if name in reduced]
    for index, name in enumerate(node.output):
        if name in outputs:
            node.output[index] = exact(name)
    yield node
    for name in outputs:
        kind = _KINDS[reduced[name].name]
        yield helper.make_node("Cast", [exact(name)], [f"{name}/stored"], f"{node.name}/{name}/round", to=kind)
        yield helper.make_node("Cast", [f"{name}/stored"], [name], f"{node.name}/{name}/widen", to=TensorProto.FLOAT)
