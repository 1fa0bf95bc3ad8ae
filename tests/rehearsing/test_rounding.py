"""The rounded twin: what overflows or vanishes on hardware does so here, though every kernel computes in float32."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from enginewright.rehearsing.formats import FORMATS
from enginewright.rehearsing.rounding import rounded, rounded_file
from enginewright.rehearsing.twin import twin_of
from tests.graphs.small import model_of, value, write
from tests.rehearsing.graphs import WIDTH, mean_square

X = np.linspace(-1, 1, WIDTH, dtype=np.float32)[None]


def run(model: object, x: np.ndarray) -> np.ndarray:
    """Run with every optimiser on: none may take the rounding out."""
    data = model if isinstance(model, str) else model.SerializeToString()  # type: ignore[attr-defined]
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": x})[0])


def half(x: np.ndarray) -> np.ndarray:
    """Compute x / sqrt(mean(x * x)) with numpy's float16, sums in float32."""
    with np.errstate(over="ignore"):
        low = x.astype(np.float16)
        square = low * low
        mean = square.astype(np.float32).mean(-1, keepdims=True).astype(np.float16)
        return np.asarray((low / np.sqrt(mean)).astype(np.float32))


@pytest.mark.parametrize("largest", [1.0, 200.0, 300.0, 60_000.0])
def test_every_result_is_rounded_as_numpy_rounds_it(largest: float) -> None:
    found = run(rounded(twin_of(mean_square())), X * largest)
    np.testing.assert_array_equal(found, half(X * np.float32(largest)))
    assert np.all(found == 0) == (largest > 256 * np.sqrt(2)) or largest == 300.0


def test_a_cpu_calls_healthy_what_the_rounded_twin_shows_as_lost() -> None:
    x = X * np.float32(1450)
    by_casts, by_rounding = run(mean_square(), x), run(rounded(twin_of(mean_square())), x)
    assert np.abs(by_casts).max() > 1, "float32 kernels between casts hold the square"
    assert not by_rounding.any(), "x / Inf"


def test_bfloat16_holds_the_square_and_loses_bits() -> None:
    x = X * np.float32(1450)
    found = run(rounded(twin_of(mean_square("bfloat16"))), x)
    exact = x / np.sqrt((x * x).mean())
    assert np.abs(found - exact).max() < 0.02
    assert np.abs(found - exact).max() > 1e-4
    low = FORMATS[TensorProto.BFLOAT16]
    np.testing.assert_array_equal(low.rounded(found), found)


def test_an_operator_that_only_moves_values_is_not_rounded_again() -> None:
    nodes = [
        helper.make_node("Cast", ["x"], ["low"], "down", to=TensorProto.FLOAT16),
        helper.make_node("Transpose", ["low"], ["moved"], "move", perm=[1, 0]),
        helper.make_node("Cast", ["moved"], ["y"], "up", to=TensorProto.FLOAT),
    ]
    model = rounded(twin_of(model_of(nodes, [value("x", (1, 4))], [value("y", (4, 1))])))
    assert [node.op_type for node in model.graph.node] == ["Cast", "Cast", "Cast", "Transpose", "Cast"]


def test_the_file_is_there_as_long_as_it_is_needed(tmp_path: Path) -> None:
    typed = write(tmp_path / "typed.onnx", mean_square())
    with rounded_file(typed) as path:
        assert not run(str(path), X * np.float32(1450)).any()
    assert not path.exists()
