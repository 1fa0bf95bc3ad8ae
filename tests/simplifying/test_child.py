"""The child process's work, done by the real onnxsim in this process, and its exit status in one of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from enginewright.errors import GraphError
from enginewright.graphs.files import check_graph, load_graph
from enginewright.graphs.io import io_types
from enginewright.graphs.walk import count_ops
from enginewright.simplifying.child import REFUSED, main
from tests.graphs.small import model_of, nested, tensor, value, write
from tests.stages.tiny_stage import run_graph


def wasteful(shape: tuple[int | str, ...] = (2, 8)) -> onnx.ModelProto:
    """Return x * (1 + 2) through two nodes that do nothing and one whose result nobody wants."""
    nodes = [
        helper.make_node("Add", ["one", "two"], ["three"]),
        helper.make_node("Identity", ["x"], ["same"]),
        helper.make_node("Identity", ["same"], ["again"]),
        helper.make_node("Abs", ["x"], ["unused"]),
        helper.make_node("Mul", ["again", "three"], ["y"]),
    ]
    stored = [tensor("one", [1.0]), tensor("two", [2.0])]
    return model_of(nodes, [value("x", shape)], [value("y", shape)], stored)


def random_graph() -> onnx.ModelProto:
    """Return a graph that computes something else in every run: dropout as in training."""
    stored = [tensor("ratio", 0.5), tensor("training", True, "bool")]
    node = helper.make_node("Dropout", ["x", "ratio", "training"], ["y"])
    return model_of([node], [value("x", (64, 64))], [value("y", (64, 64))], stored)


def test_what_does_nothing_is_taken_out(tmp_path: Path) -> None:
    target = tmp_path / "simplified.onnx"
    assert main(write(tmp_path / "exported.onnx", wasteful()), target) == 0
    graph = load_graph(target)
    check_graph(graph, "simplified")
    assert count_ops(graph) == {"Mul": 1}
    x = np.random.default_rng(0).random((2, 8), dtype=np.float32)
    np.testing.assert_array_equal(run_graph(graph, {"x": x})["y"], run_graph(wasteful(), {"x": x})["y"])


def test_a_graph_with_open_axes_is_simplified_and_stays_open(tmp_path: Path) -> None:
    exported = wasteful(("batch", "width"))
    assert main(write(tmp_path / "exported.onnx", exported), tmp_path / "simplified.onnx") == 0
    graph = load_graph(tmp_path / "simplified.onnx")
    assert count_ops(graph) == {"Mul": 1}
    assert io_types(graph) == io_types(exported) == ["x float32 (?, ?)", "y float32 (?, ?)"]
    for shape in ((1, 8), (5, 3)):
        x = np.random.default_rng(0).random(shape, dtype=np.float32)
        np.testing.assert_array_equal(run_graph(graph, {"x": x})["y"], run_graph(exported, {"x": x})["y"])


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    source = write(tmp_path / "exported.onnx", nested())
    for name in ("first", "second"):
        assert main(source, tmp_path / name) == 0
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_a_result_that_computes_something_else_is_refused_by_onnxsim_itself(tmp_path: Path) -> None:
    target = tmp_path / "simplified.onnx"
    assert main(write(tmp_path / "exported.onnx", random_graph()), target) == REFUSED
    assert not target.exists()


def test_the_verdict_is_the_exit_status(tmp_path: Path) -> None:
    source, target = write(tmp_path / "exported.onnx", random_graph()), tmp_path / "simplified.onnx"
    done = subprocess.run([sys.executable, "-m", "enginewright.simplifying.child", source, target], check=False)
    assert done.returncode == REFUSED == 3
    assert not target.exists()


def test_what_is_no_graph_ends_in_an_error(tmp_path: Path) -> None:
    (tmp_path / "exported.onnx").write_bytes(b"no graph")
    with pytest.raises(Exception, match=r".") as caught:
        main(tmp_path / "exported.onnx", tmp_path / "simplified.onnx")
    assert not isinstance(caught.value, GraphError)


def test_sums_that_a_network_takes_in_two_steps_stay_two(tmp_path: Path) -> None:
    """One sum of a whole map loses the digits that a sum of its rows' means keeps."""
    nodes = [
        helper.make_node("ReduceMean", ["x", "rows"], ["of_rows"], "rows"),
        helper.make_node("ReduceMean", ["of_rows", "columns"], ["y"], "columns"),
    ]
    axes = [tensor(name, [axis], "int64") for axis, name in ((3, "rows"), (2, "columns"))]
    graph = model_of(nodes, [value("x", (1, 2, 8, 8))], [value("y", (1, 2, 1, 1))], axes)
    assert main(write(tmp_path / "in.onnx", graph), tmp_path / "out.onnx") == 0
    assert count_ops(load_graph(tmp_path / "out.onnx"))["ReduceMean"] == 2


def test_one_refusal_on_noise_is_no_refusal_and_the_answer_is_the_same_every_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def refusing_first(exported: onnx.ModelProto, seed: int) -> tuple[onnx.ModelProto, bool]:
        seen.append(seed)
        return exported, seed > 0

    monkeypatch.setattr("enginewright.simplifying.child._simplified", refusing_first)
    source = write(tmp_path / "exported.onnx", wasteful())
    assert [main(source, tmp_path / "simplified.onnx") for _ in range(2)] == [0, 0]
    assert seen == [0, 1, 0, 1]
