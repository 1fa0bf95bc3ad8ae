"""The largest magnitude of every tensor, by reductions within one run."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from enginewright.casting.magnitudes import Magnitudes
from enginewright.errors import GraphError
from enginewright.rehearsing.streaming import Streamed
from tests.casting.test_ranges import chain
from tests.dag import ROOT


def passed_on(kind: int, shape: tuple[int, ...], opset: int = 17) -> onnx.ModelProto:
    """Return x -> a -> y, all of one type."""
    ends = (helper.make_tensor_value_info(name, kind, shape) for name in "xy")
    nodes = [helper.make_node("Identity", ["x"], ["a"]), helper.make_node("Identity", ["a"], ["y"])]
    graph = helper.make_graph(nodes, "g", [next(ends)], [next(ends)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    return onnx.shape_inference.infer_shapes(model)


KINDS = [
    (TensorProto.FLOAT, np.float32),
    (TensorProto.FLOAT16, np.float16),
    (TensorProto.DOUBLE, np.float64),
]


@pytest.mark.parametrize(("kind", "dtype"), KINDS)
@pytest.mark.parametrize("opset", [16, 18, 23])
def test_every_type_that_a_cast_touches_has_a_magnitude(kind: int, dtype: Any, opset: int) -> None:
    found = Magnitudes(passed_on(kind, (3,), opset)).of({"x": np.array([-9, 2, 7], dtype)})
    assert found == {"x": 9.0, "a": 9.0, "y": 9.0}


def test_a_scalar_has_one_too() -> None:
    assert Magnitudes(passed_on(TensorProto.FLOAT, ())).of({"x": np.array(-4, np.float32)})["y"] == 4.0


def test_an_empty_tensor_exceeds_nothing() -> None:
    found = Magnitudes(passed_on(TensorProto.FLOAT, (0, 3))).of({"x": np.zeros((0, 3), np.float32)})
    assert max(found.values()) == -np.inf


@pytest.mark.parametrize(("kind", "dtype"), [(TensorProto.BOOL, np.bool_), (TensorProto.INT64, np.int64)])
def test_truths_and_whole_numbers_are_left_out(kind: int, dtype: Any) -> None:
    assert Magnitudes(passed_on(kind, (2,))).of({"x": np.array([1, 0], dtype)}) == {}


def test_whole_numbers_of_unknown_type_are_left_out_too() -> None:
    model = passed_on(TensorProto.INT32, (2,))
    del model.graph.value_info[:]
    assert Magnitudes(model).of({"x": np.array([7, -9], np.int32)}) == {}


@pytest.mark.parametrize("worst", [np.inf, -np.inf])
def test_an_overflow_is_infinite(worst: float) -> None:
    assert Magnitudes(passed_on(TensorProto.FLOAT, (2,))).of({"x": np.array([1, worst], np.float32)})["y"] == np.inf


def test_a_tensor_of_unknown_type_is_looked_at_whole() -> None:
    model = passed_on(TensorProto.FLOAT, (2,))
    del model.graph.value_info[:]
    assert Magnitudes(model).of({"x": np.array([1, -5], np.float32)}) == {"x": 5.0, "a": 5.0, "y": 5.0}


def test_inputs_that_do_not_fit_are_refused() -> None:
    with pytest.raises(GraphError, match="does not run in ONNX Runtime"):
        Magnitudes(passed_on(TensorProto.FLOAT, (2,))).of({"x": np.zeros((3,), np.float32)})


def test_magnitudes_are_those_of_the_tensors_themselves() -> None:
    model, inputs = chain(), {"x": np.array([[1, -3, 2, 0.5]], np.float32)}
    seen: dict[str, float] = {}

    def observe(name: str, values: NDArray[Any]) -> None:
        if values.dtype.kind == "f":
            seen[name] = max(float(values.max()), -float(values.min()))

    Streamed(onnx.shape_inference.infer_shapes(model)).run(inputs, observe)
    found = Magnitudes(onnx.shape_inference.infer_shapes(model)).of(inputs)
    assert {name: found[name] for name in seen} == seen
    assert seen.keys() == {"up", "flipped", "y"}


def test_what_is_only_moved_is_looked_at_once() -> None:
    turned = helper.make_node("Transpose", ["c"], ["d"], perm=[1, 0])
    nodes = [helper.make_node("Neg", ["x"], ["b"]), helper.make_node("Identity", ["b"], ["c"]), turned]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (("x", (2, 1)), ("d", (1, 2)))
    ]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    magnitudes = Magnitudes(onnx.shape_inference.infer_shapes(model))
    assert magnitudes.of({"x": np.array([[1], [-5]], np.float32)}) == {"x": 5.0, "b": 5.0, "c": 5.0, "d": 5.0}
    assert magnitudes._reduced == ["b"]


MEMORY = """
import resource
import numpy as np
import onnx
from onnx import TensorProto, helper
from enginewright.casting.magnitudes import Magnitudes

names = [f"t{number}" for number in range(33)]
nodes = [helper.make_node("Neg", [before], [after]) for before, after in zip(names, names[1:])]
ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, (2048, 2048)) for name in (names[0], names[-1])]
graph = helper.make_graph(nodes, "g", ends[:1], ends[1:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
magnitudes = Magnitudes(onnx.shape_inference.infer_shapes(model))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
magnitudes.of({"t0": np.ones((2048, 2048), np.float32)})
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_no_tensor_outlives_its_readers() -> None:
    """A chain of 32 tensors of 16 MB: looked at last, all of them would be there at one time."""
    done = subprocess.run([sys.executable, "-c", MEMORY], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 120
