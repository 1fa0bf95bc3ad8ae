"""The end of a LightGlue graph: from the residual stream to matches and their confidences."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from benchmarks.latency.style import Style
from benchmarks.latency.weights import Array, Weights
from benchmarks.latency.writer import Writer

MASKED = -1e4
THRESHOLD = 0.1


def write_assignment(g: Writer, style: Style, weights: Weights, value: str, left_out: Array) -> None:
    """Write from the descriptors (rows, width), which leave out a constant, to `matches` and `mscores`."""
    matrix = weights["assignment.final_proj.weight"]
    scale = matrix.shape[0] ** -0.25
    bias = (matrix @ left_out + weights["assignment.final_proj.bias"]) * scale
    product = g("MatMul", value, g.weight("final_proj", matrix.T * scale))
    first, second = _pair(g, style, g("Add", product, g.weight("final_proj.bias", bias)), len(matrix))
    similarity = g("MatMul", first, g("Transpose", second, perm=[0, 2, 1]))
    rows, columns = _doubts(g, style, weights, value, left_out)
    if style.masked:
        mask_rows, mask_columns = _masks(g, style)
        similarity = g("Add", g("Add", similarity, mask_rows), mask_columns)
        rows, columns = g("Sub", rows, mask_rows), g("Sub", columns, mask_columns)
    both = g("Add", g("LogSoftmax", similarity, axis=2), g("LogSoftmax", similarity, axis=1))
    _mutual(g, style, g("Sub", g("Sub", both, rows), columns))


def _pair(g: Writer, style: Style, value: str, channels: int) -> tuple[str, str]:
    """Return the two (B, K, C) of the layout's rows."""
    if style.layout == "outer":
        shape, axis = (style.pairs, 2, style.keypoints, channels), 1
    else:
        shape, axis = (style.pairs, style.keypoints, 2, channels), 2
    halves = g.node("Split", g.reshape(value, *shape), g.shape(1, 1), outputs=2, axis=axis)
    first, second = (g.reshape(half, style.pairs, style.keypoints, channels) for half in halves)
    return first, second


def _doubts(g: Writer, style: Style, weights: Weights, value: str, left_out: Array) -> tuple[str, str]:
    """Return -log(matchability) of rows (B, K, 1) and of columns (B, 1, K): softplus of the negated logit."""
    matrix = weights["assignment.matchability.weight"]
    bias = matrix @ left_out + weights["assignment.matchability.bias"]
    product = g("MatMul", value, g.weight("matchability", -matrix.T))
    doubts = g("Softplus", g("Add", product, g.weight("matchability.bias", -bias)))
    rows, columns = _pair(g, style, doubts, 1)
    return rows, g.reshape(columns, style.pairs, 1, style.keypoints)


def _masks(g: Writer, style: Style) -> tuple[str, str]:
    size = g("ReduceSum", g("Abs", "descriptors"), g.shape(2), keepdims=1)
    valid = g("Greater", size, g.constant("nothing", np.zeros((), np.float32)))
    zero, masked = g.weight("zero", np.zeros(())), g.weight("masked", np.array(MASKED))
    rows, columns = _pair(g, style, g("Where", valid, zero, masked), 1)
    return rows, g.reshape(columns, style.pairs, 1, style.keypoints)


def _mutual(g: Writer, style: Style, scores: str) -> None:
    """Write matches and confidences of scores (B, K, K): mutual best pairs, as `mutual_matches` of the network."""
    batch = style.pairs, style.keypoints
    best, column = _best(g, style, scores, axis=2)
    _, row = _best(g, style, scores, axis=1)
    column = g.reshape(column, *batch)
    back = g("GatherElements", g.reshape(row, *batch), column, axis=1)
    mutual = g("Equal", back, g.constant("itself", np.arange(style.keypoints, dtype=np.int64)[None]))
    probability = g("Exp", g.cast(g.reshape(best, *batch), TensorProto.FLOAT))
    confidence = g("Where", mutual, probability, g.constant("none", np.zeros((), np.float32)))
    sure = g("Greater", confidence, g.constant("threshold", np.array(THRESHOLD, np.float32)))
    found = g("Cast", column, to=TensorProto.INT32)
    matches = g("Where", sure, found, g.constant("no_match", np.array(-1, np.int32)))
    _name(g, matches, "matches")
    _name(g, confidence, "mscores")


def _best(g: Writer, style: Style, scores: str, axis: int) -> tuple[str, str]:
    """Return the largest score along an axis, which is kept, and where it is; for axis 1 the place alone is used."""
    if style.head == "topk":
        value, place = g.node("TopK", scores, g.shape(1), outputs=2, axis=axis)
        return value, place
    place = g("ArgMax", scores, axis=axis, keepdims=1)
    return (g("GatherElements", scores, place, axis=axis), place) if axis == 2 else ("", place)


def _name(g: Writer, value: str, name: str) -> None:
    """Give a tensor the name of an output."""
    for node in g.nodes:
        node.input[:] = [name if item == value else item for item in node.input]
        node.output[:] = [name if item == value else item for item in node.output]
