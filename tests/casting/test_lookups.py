"""Looking readers up gives AutoCast the answers that searching gives it."""

from __future__ import annotations

from contextlib import nullcontext

import onnx
import pytest
from onnx import helper

from enginewright.casting import autocast
from enginewright.casting.lookups import Readers, looked_up
from enginewright.config.choices import Precision
from tests.graphs.small import model_of, tensor, value


def wired() -> onnx.ModelProto:
    """Return a graph whose casts meet: tensors with several readers, a fp32 node between, an output that is read on."""
    nodes = [
        helper.make_node("Mul", ["x", "two"], ["a"], "first"),
        helper.make_node("Softmax", ["a"], ["b"], "wide", axis=-1),
        helper.make_node("Add", ["a", "b"], ["c"], "sum"),
        helper.make_node("Mul", ["c", "c"], ["y"], "square"),
        helper.make_node("Softmax", ["y"], ["d"], "wide_too", axis=-1),
        helper.make_node("Add", ["d", "b"], ["z"], "last"),
    ]
    return model_of(nodes, [value("x", (1, 4))], [value("y", (1, 4)), value("z", (1, 4))], [tensor("two", [2.0] * 4)])


@pytest.mark.parametrize("precision", [Precision.fp16, Precision.bf16])
@pytest.mark.parametrize("islands", [[], ["wide.*"], ["first", "last"], ["sum", "square"]])
def test_the_graph_is_the_same_as_by_searching(
    precision: Precision, islands: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = autocast.cast_all_but(islands, wired(), precision, 65504.0)
    monkeypatch.setattr(autocast, "looked_up", nullcontext)
    slow = autocast.cast_all_but(islands, wired(), precision, 65504.0)
    assert quick.SerializeToString(deterministic=True) == slow.SerializeToString(deterministic=True)


def test_modelopt_is_left_as_it_was() -> None:
    from modelopt.onnx import utils

    usual = utils.get_consumer_nodes
    with looked_up():
        assert utils.get_consumer_nodes != usual
    assert utils.get_consumer_nodes is usual


def test_readers_come_once_each_and_in_order() -> None:
    model = wired()
    readers = Readers(model)
    assert [node.name for node in readers.of("c")] == ["square"]
    assert [node.name for node in readers.of("b")] == ["sum", "last"]
    assert readers.of("nothing") == []


def test_moved_readers_keep_the_order_of_the_graph() -> None:
    readers = Readers(wired())
    readers.move("b", "y")
    assert [node.name for node in readers.of("y")] == ["sum", "wide_too", "last"]
    assert readers.of("b") == []


def test_an_index_is_of_one_graph() -> None:
    model = wired()
    assert Readers(model).are_of(model)
    assert not Readers(model).are_of(wired())
