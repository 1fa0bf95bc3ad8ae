"""Nodes in full precision inside a rounded twin: what they read, what others read of them."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from enginewright.rehearsing.rounding import rounded
from enginewright.rehearsing.twin import twin_of
from tests.graphs.small import model_of, tensor, value
from tests.rehearsing.graphs import WIDTH, mean_square
from tests.rehearsing.test_rounding import run

X = np.linspace(-1, 1, WIDTH, dtype=np.float32)[None] * np.float32(1450)
THIRD = np.array([1 / 3], dtype=np.float32)


def half(values: np.ndarray) -> np.ndarray:
    return np.asarray(values.astype(np.float16).astype(np.float32))


def root(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt((x * x).mean(-1, keepdims=True)))


def test_inside_values_are_exact_and_at_the_edges_rounded() -> None:
    found = run(rounded(twin_of(mean_square()), frozenset({"square", "mean", "root"})), X)
    np.testing.assert_allclose(found, half(half(X) / half(root(X))), rtol=1e-6)


def test_a_cast_between_nodes_in_full_rounds_nothing() -> None:
    full = frozenset({"square", "mean", "root", "quotient"})
    np.testing.assert_allclose(run(rounded(twin_of(mean_square()), full), X), X / root(X), rtol=1e-6)


def test_a_reader_left_outside_gets_the_overflow() -> None:
    assert not run(rounded(twin_of(mean_square()), frozenset({"square"})), X).any(), "mean reads Inf"


@pytest.mark.parametrize("full", [frozenset(), frozenset({"nothing of this graph"})])
def test_no_node_in_full_changes_nothing(full: frozenset[str]) -> None:
    np.testing.assert_array_equal(
        run(rounded(twin_of(mean_square()), full), X / 10), run(rounded(twin_of(mean_square())), X / 10)
    )


def scaled(low: bool) -> onnx.ModelProto:
    """Return y = (x / 3) / 3, in fp32 or in fp16 under other names."""
    dtype, names = ("float16", ["x_low", "half_third", "y_low"]) if low else ("float32", ["x", "third", "y"])
    nodes = [
        helper.make_node("Mul", [names[0], names[1]], ["once"], "once"),
        helper.make_node("Mul", ["once", names[1]], [names[2]], "twice"),
    ]
    if low:
        nodes.insert(0, helper.make_node("Cast", ["x"], ["x_low"], "down", to=TensorProto.FLOAT16))
        nodes.append(helper.make_node("Cast", ["y_low"], ["y"], "up", to=TensorProto.FLOAT))
    return model_of(nodes, [value("x", (1, WIDTH))], [value("y", (1, WIDTH))], [tensor(names[1], [1 / 3], dtype)])


def test_stored_tensors_come_from_the_source_and_rounded_ones_go_where_nothing_reads_them() -> None:
    both = frozenset({"once", "twice"})
    model = rounded(twin_of(scaled(low=True)), both, scaled(low=False))
    assert [item.name for item in model.graph.initializer] == ["third/source"]
    np.testing.assert_allclose(run(model, X), X / 9, rtol=1e-6)
    without = run(rounded(twin_of(scaled(low=True)), both), X)
    np.testing.assert_allclose(without, X * half(THIRD) ** 2, rtol=1e-6)
    assert np.abs(without - X / 9).max() > 1e-3


def test_a_node_outside_keeps_its_rounded_tensor() -> None:
    model = rounded(twin_of(scaled(low=True)), frozenset({"once"}), scaled(low=False))
    third = half(THIRD)
    np.testing.assert_array_equal(run(model, X), half(half(X / np.float32(3)) * third))


def test_an_operator_that_only_moves_values_is_rounded_where_it_is_in_full() -> None:
    nodes = [
        helper.make_node("Cast", ["x"], ["low"], "down", to=TensorProto.FLOAT16),
        helper.make_node("Transpose", ["low"], ["moved"], "move", perm=[1, 0]),
        helper.make_node("Neg", ["moved"], ["negative"], "negate"),
        helper.make_node("Cast", ["negative"], ["y"], "up", to=TensorProto.FLOAT),
    ]
    model = model_of(nodes, [value("x", (1, WIDTH))], [value("y", (WIDTH, 1))])
    x = X / np.float32(3)
    np.testing.assert_array_equal(run(rounded(twin_of(model), frozenset({"move"})), x), -half(x).T)
    np.testing.assert_array_equal(run(rounded(twin_of(model), frozenset({"move", "negate"})), x), -x.T)
