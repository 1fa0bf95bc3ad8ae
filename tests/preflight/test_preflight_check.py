"""The child process of preflight: what kills it, what it lacks, and that nothing is left behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnx
import pytest

from enginewright.config.choices import Builder
from enginewright.config.sections import BuildConfig
from enginewright.errors import BuildError, RequirementError
from enginewright.preflight.check import _died, check_graph, missing
from enginewright.preflight.task import Options
from enginewright.verdicts import State
from tests.preflight.graphs import convolution, ints, model, node, one, several, value

FULL = Options(build=BuildConfig(builder=Builder.tensorrt))


def division() -> onnx.ModelProto:
    """Return a graph in which the builder divides by a stored zero, which kills its process."""
    nodes = [
        node("Relu", ["x"], ["r"], name="relu"),
        node("Div", ["a", "b"], ["y"], name="by_zero"),
        node("NonZero", ["r"], ["n"], name="find"),
    ]
    outputs = [value("y", None, onnx.TensorProto.INT64), value("n", None, onnx.TensorProto.INT64)]
    return model(nodes, [value("x")], outputs, {"a": ints(3), "b": ints(0)})


def test_a_node_that_kills_the_builder_is_a_blocker_beside_the_others() -> None:
    found = check_graph(division(), Options())
    assert [(item.operator, item.nodes) for item in found.blockers] == [("Div", ("by_zero",)), ("NonZero", ("find",))]
    assert found.blockers[0].message == "the builder's process dies of it: SIGFPE"
    assert "constant zero" in found.blockers[0].cure


def test_a_graph_that_kills_the_parser_is_still_looked_at_node_by_node() -> None:
    nodes = [node("DepthToSpace", ["x"], ["y"], name="deep", blocksize=0), node("Det", ["x"], ["d"], name="det")]
    found = check_graph(model(nodes, [value("x")], [value("y", None), value("d", None)]), Options())
    assert [item.nodes for item in found.blockers] == [("deep",), ("det",)]
    assert "SIGFPE" in found.blockers[0].message


def test_a_segmentation_fault_is_one_too() -> None:
    found = check_graph(model([node("Relu", ["x"], [], name="lost")], [value("x")], [value("x")]), Options())
    assert [(item.nodes, item.message) for item in found.blockers] == [
        (("lost",), "the builder's process dies of it: SIGSEGV")
    ]


def test_a_stored_tensor_that_is_cut_short_is_named() -> None:
    graph = one(node("Reshape", ["x", "s"], ["y"], name="reshape"), value("x"), s=ints(1, -1))
    graph.graph.initializer[0].raw_data = b"\0\0\0"
    (blocker,) = check_graph(graph, Options(half=True)).blockers
    assert (blocker.nodes, blocker.message) == (("reshape",), "its stored tensor s is broken")
    assert "export it again" in blocker.cure


def test_a_builder_that_is_not_installed_is_not_run_with_the_reason() -> None:
    if missing(Builder.tensorrt) is None:
        pytest.skip("needs a machine without the full TensorRT or without a GPU")
    found = check_graph(convolution(), FULL)
    assert found.verdict.state is State.not_run
    assert "tensorrt" in found.verdict.reason
    assert found.blockers == ()
    found.refuse_blockers("a graph that nobody looked at")
    assert f"not_run, {found.verdict.reason}" in str(found)


def test_require_gpu_turns_that_into_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    if missing(Builder.tensorrt) is None:
        pytest.skip("needs a machine without the full TensorRT or without a GPU")
    monkeypatch.setenv("REQUIRE_GPU", "1")
    with pytest.raises(RequirementError, match="could not be run"):
        check_graph(convolution(), FULL)


def test_rules_need_no_builder() -> None:
    """A file that no stage takes is refused on every machine."""
    graph = convolution()
    graph.opset_import[0].version = 99
    assert check_graph(graph, FULL).verdict.state is State.failed


def test_the_embedded_builder_lacks_nothing_here() -> None:
    assert missing(Builder.tensorrt_rtx) is None


def test_the_graph_that_was_passed_in_stays_as_it_is() -> None:
    graph = several()
    before = graph.SerializeToString(deterministic=True)
    check_graph(graph, Options(half=True, simplified=True))
    assert graph.SerializeToString(deterministic=True) == before


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    check_graph(convolution(), Options())
    assert list(tmp_path.iterdir()) == []


def test_what_the_user_set_for_polygraphy_does_not_reach_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYGRAPHY_USE_TENSORRT_RTX", "0")
    assert check_graph(convolution(), Options()).verdict.state is State.passed


def test_a_child_that_ends_without_an_answer_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter that does not start, as with a broken environment: its words are in the error."""
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    with pytest.raises(BuildError) as caught:
        check_graph(convolution(), Options())
    assert "ended without an answer" in str(caught.value)
    assert "exit code 1" in str(caught.value.got)


def test_the_last_words_of_a_long_log_are_kept(tmp_path: Path) -> None:
    (tmp_path / "stderr.txt").write_text("early " * 1000 + "the end")
    error = _died(tmp_path, Builder.tensorrt_rtx, -9)
    assert str(error.got).startswith("exit code -9: ")
    assert str(error.got).endswith("the end")
    assert len(str(error.got)) < 2100


def test_a_large_stored_tensor_costs_no_more_than_its_bytes() -> None:
    item = node("Mul", ["x", "w"], ["y"], name="scale")
    found = check_graph(one(item, value("x", (1, 1)), w=np.ones((1000, 1000), np.float32)), Options())
    assert found.verdict.state is State.passed
    assert found.counts.alone == 1
