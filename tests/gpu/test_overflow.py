"""Tensors that overflow where the graph runs: named, on any sample, and none where all values fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from enginewright.gpu.overflow import overflowing
from enginewright.graphs.provider import CPU
from enginewright.reference import Reference
from tests.gpu.small import CONTRACT
from tests.graphs.small import model_of, value, write


def squares(to: int) -> onnx.ModelProto:
    """Return x -> low -> y, where `low` holds x in another type: float16 has no value above 65,504."""
    nodes = [
        helper.make_node("Cast", ["x"], ["low"], "down", to=to),
        helper.make_node("Cast", ["low"], ["y"], "up", to=TensorProto.FLOAT),
        helper.make_node("Sub", ["y", "y"], ["none"], "none"),
    ]
    return model_of(nodes, [value("x", (2,))], [value("y", (2,)), value("none", (2,))], [])


def reference(*rows: list[float]) -> Reference:
    x = np.array(rows, np.float32)[:, None]
    return Reference({"x": x[:, 0]}, {}, tuple("ab"[: len(rows)]), CONTRACT)


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        ([[1, 2], [3, 6e4]], []),
        ([[1, 2], [3, 7e4]], ["low"]),
        ([[-7e4, 2], [3, 4]], ["low"]),
        ([[float("nan"), 2], [3, 4]], ["low"]),
    ],
)
def test_a_half_tensor_that_is_not_finite_on_any_sample_is_named(
    rows: list[list[float]], names: list[str], tmp_path: Path
) -> None:
    path = write(tmp_path / "half.onnx", squares(TensorProto.FLOAT16))
    assert overflowing(path, reference(*rows), CPU) == names


def test_only_half_precision_tensors_are_watched(tmp_path: Path) -> None:
    path = write(tmp_path / "double.onnx", squares(TensorProto.DOUBLE))
    assert overflowing(path, reference([float("inf"), 1]), CPU) == []
