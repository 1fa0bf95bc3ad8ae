"""Graphs with open axes at every corner of their ranges: one that keeps a traced size fails there, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from enginewright.artifacts import read_json
from enginewright.comparing.compare import Comparison, compare_graphs
from enginewright.comparing.judge import at_shapes
from enginewright.comparing.runs import run_graphs
from enginewright.config.sections import CompareConfig
from enginewright.contract import Contract, Kind, Port
from enginewright.contract.shapes import corners, label
from enginewright.errors import CompareError
from enginewright.graphs.provider import CPU
from enginewright.reference import Reference, save_reference
from enginewright.stage import Stage
from enginewright.verdicts import PASSED, failed
from stages.compare import SECTIONS, main, run
from tests.graphs.small import model_of, tensor, value, write

FREE = ("rows", "width")
RANGES = {"rows": [1, 3], "width": [2, 6]}
CONTRACT = Contract(
    Kind.network, (Port("x", FREE, dynamic=FREE),), (Port("y", FREE, dynamic=FREE),), {"rows": 2, "width": 4}
)
CONFIG = CompareConfig()


def reference() -> Reference:
    """Return samples of y = x / width, two of the static shape and one at each of four corners."""
    random = np.random.default_rng(0)

    def at_shape(contract: Contract, samples: int) -> Reference:
        x = random.uniform(1, 2, (samples, *contract.shape(contract.inputs[0]))).astype(np.float32)
        return Reference({"x": x}, {"y": x / np.float32(x.shape[-1])}, ("sample",) * samples, contract)

    return replace(at_shape(CONTRACT, 2), corners=tuple(at_shape(corner, 1) for corner in corners(CONTRACT, RANGES)))


def _graph(nodes: list[onnx.NodeProto], *stored: onnx.TensorProto) -> onnx.ModelProto:
    return model_of(nodes, [value("x", FREE)], [value("y", FREE)], stored)


def _sound() -> onnx.ModelProto:
    nodes = [
        helper.make_node("Shape", ["x"], ["count"], start=1, end=2),
        helper.make_node("Cast", ["count"], ["width"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Div", ["x", "width"], ["y"]),
    ]
    return _graph(nodes)


def _baked_number() -> onnx.ModelProto:
    """The traced width as a divisor: it runs at every shape and is right at one width."""
    return _graph([helper.make_node("Mul", ["x", "share"], ["y"])], tensor("share", [0.25]))


def _baked_reshape() -> onnx.ModelProto:
    """The traced shape in a Reshape: it runs where the number of elements is the same."""
    nodes = [
        helper.make_node("Reshape", ["x", "shape"], ["same"]),
        helper.make_node("Mul", ["same", "share"], ["y"]),
    ]
    return _graph(nodes, tensor("shape", [2, 4], "int64"), tensor("share", [0.25]))


def _baked_output() -> onnx.ModelProto:
    """The traced number of rows cut out of the output: right as far as it goes."""
    nodes = [*_sound().graph.node[:2], helper.make_node("Div", ["x", "width"], ["all"])]
    nodes.append(helper.make_node("Slice", ["all", "start", "stop", "axis"], ["y"]))
    ends = {"start": [0], "stop": [2], "axis": [0]}
    return _graph(nodes, *(tensor(name, end, "int64") for name, end in ends.items()))


Make = Callable[[], onnx.ModelProto]


def compared(folder: Path, make: Make) -> Comparison:
    path = write(folder / "typed.onnx", make())
    return compare_graphs({"typed": path}, reference(), CONFIG, CPU)["typed"]


def test_a_graph_that_follows_its_input_passes_at_every_corner(tmp_path: Path) -> None:
    comparison = compared(tmp_path, _sound)
    assert comparison.verdict("typed", CONFIG) == PASSED
    assert list(comparison.shapes) == [label(shape.contract) for shape in reference().shapes]
    assert [len(shape.errors["y"]) for shape in comparison.shapes.values()] == [2, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("make", "reason", "also"),
    [
        (_baked_number, "typed.y.max_abs is ", ["rows=1, width=6", "rows=3, width=2", "rows=3, width=6"]),
        (_baked_reshape, "typed: it does not run: ", ["rows=1, width=6", "rows=3, width=2", "rows=3, width=6"]),
    ],
)
def test_a_size_kept_from_tracing_fails_at_the_corners_by_name(
    tmp_path: Path, make: Make, reason: str, also: list[str]
) -> None:
    told = compared(tmp_path, make).verdict("typed", CONFIG).reason
    assert told.startswith(reason)
    assert told.endswith(f", at rows=1, width=2; it fails too at {' and at '.join(also)}")
    assert "at rows=2, width=4" not in told, "it agrees at the static shape"


def test_an_output_that_does_not_follow_the_input_is_told_with_both_shapes(tmp_path: Path) -> None:
    told = compared(tmp_path, _baked_output).verdict("typed", CONFIG).reason
    assert told.startswith("typed: the output y has shape (2, 2), the reference (3, 2), at rows=3, width=2; ")
    assert told.endswith("it fails too at rows=3, width=6")


def test_the_static_shape_alone_would_have_passed_each_of_them(tmp_path: Path) -> None:
    static = replace(reference(), corners=())
    for number, make in enumerate((_baked_number, _baked_reshape, _baked_output)):
        path = write(tmp_path / f"{number}.onnx", make())
        assert compare_graphs({"a": path}, static, CONFIG, CPU)["a"].verdict("a", CONFIG) == PASSED


def test_metrics_are_the_worst_of_all_shapes(tmp_path: Path) -> None:
    comparison = compared(tmp_path, _baked_number)
    errors = [
        np.abs(0.25 * inputs["x"] - outputs["y"])
        for shape in reference().shapes
        for _, inputs, outputs in shape.samples()
    ]
    found = comparison.metrics()["y"]
    assert found["max_abs"] == pytest.approx(max(error.max() for error in errors), rel=1e-5)
    means = [error.mean() for error in errors[2:]]
    assert found["mean_abs"] == pytest.approx(max(means), rel=1e-5)
    assert found["mean_abs"] > float(np.mean(means))
    last = comparison.curve_rows("typed")[-1]
    assert last["error"] == pytest.approx(found["max_abs"], rel=1e-5)


def test_a_graph_that_stops_at_a_corner_keeps_the_errors_of_the_others(tmp_path: Path) -> None:
    comparison = compared(tmp_path, _baked_reshape)
    assert comparison.metrics()["y"]["max_abs"] < 1e-6
    assert {row["series"] for row in comparison.curve_rows("typed")} == {"typed y"}


def test_one_graph_that_stops_leaves_the_others_to_run(tmp_path: Path) -> None:
    graphs = {name: write(tmp_path / f"{name}.onnx", make()) for name, make in MAKE.items()}
    outcomes = list(run_graphs(graphs, reference(), CPU))
    assert len(outcomes) == 6
    assert [isinstance(outcome["baked"], CompareError) for outcome in outcomes] == [False, False, *[True] * 4]
    assert not any(isinstance(outcome["sound"], CompareError) for outcome in outcomes)


MAKE: dict[str, Make] = {"sound": _sound, "baked": _baked_reshape}


def test_a_graph_that_does_not_run_at_the_static_shape_is_still_an_error(tmp_path: Path) -> None:
    wrong = _graph([helper.make_node("Reshape", ["x", "shape"], ["y"])], tensor("shape", [7, 1], "int64"))
    with pytest.raises(CompareError, match="a graph did not run in ONNX Runtime"):
        compared(tmp_path, lambda: wrong)


def test_the_first_failure_is_told_and_the_others_are_named() -> None:
    verdicts = {"a=1": PASSED, "a=2": failed("typed.y.max_abs is 1"), "a=3": PASSED, "a=4": failed("other")}
    assert at_shapes(verdicts).reason == "typed.y.max_abs is 1, at a=2; it fails too at a=4"
    assert at_shapes({"": failed("typed.y.max_abs is 1")}).reason == "typed.y.max_abs is 1"
    assert at_shapes({"": PASSED}) == PASSED


def test_the_stage_writes_the_corner_down_and_stops(tmp_path: Path) -> None:
    save_reference(tmp_path / "reference.npz", reference())
    paths = {name: write(tmp_path / f"{name}.onnx", _sound()) for name in ("exported", "simplified")}
    paths["typed"] = write(tmp_path / "typed.onnx", _baked_number())
    stage = Stage(
        network="small",
        networks={"small": {"compare": {}}},
        sections=SECTIONS,
        inputs={"reference": tmp_path / "reference.npz", **paths},
        outputs={
            "metrics": tmp_path / "compare.json",
            "curves": tmp_path / "errors.json",
            "ranges": tmp_path / "ranges.json",
        },
    )
    with pytest.raises(CompareError, match="at rows=1, width=2"):
        main(stage)
    metrics = read_json(stage.outputs["metrics"])
    assert metrics["verdicts"] == {"exported": "passed", "simplified": "passed", "typed": "failed"}
    assert "at rows=1, width=2; it fails too at rows=1, width=6" in metrics["reason"]
    assert set(metrics["typed"]["y"]) == {"max_abs", "mean_abs", "p99_abs", "cosine"}


def test_graphs_of_the_same_bytes_run_once_at_each_shape(tmp_path: Path) -> None:
    paths = {name: write(tmp_path / f"{name}.onnx", _sound()) for name in ("exported", "simplified")}
    found = compare_graphs(paths, reference(), CONFIG, CPU)
    assert found["exported"] is found["simplified"]
    metrics, curves, _ = run(CONFIG, reference(), paths)
    assert metrics["verdict"] == "passed"
    assert len(curves) == 2 * 21
