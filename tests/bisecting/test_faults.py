"""The node set that ranges need: exact, and minimal by construction."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from enginewright.bisecting.case import Case, write_typed
from enginewright.bisecting.faults import by_module, candidates, faulty, nodes_at
from enginewright.casting.islands import exactly
from enginewright.graphs.files import load_graph
from enginewright.rehearsing.gate import tensors_in
from tests.bisecting.cases import case, mean_square
from tests.rehearsing import graphs


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return case(tmp_path_factory.mktemp("broken"), mean_square(), graphs.reference(1450.0))


def faults(found: Case, path: Path) -> list[str]:
    return [tensor.name for tensor in faulty(tensors_in(load_graph(path), {}, found.reference, found.config.compare))]


def test_makers_and_readers_and_no_casts() -> None:
    typed = graphs.mean_square()
    assert nodes_at(typed, ["square"]) == {"square", "mean"}
    assert nodes_at(typed, ["quotient"]) == {"quotient"}, "the cast behind it is no reader"
    assert nodes_at(typed, ["x_low"]) == {"square", "quotient"}, "the cast before them makes nothing"
    assert nodes_at(typed, []) == set()


@pytest.mark.parametrize("left_out", [None, "square", "mean", "root"])
def test_the_set_leaves_no_fault_and_without_any_one_of_it_there_is_one(
    broken: Case, left_out: str | None, tmp_path: Path
) -> None:
    nodes = nodes_at(load_graph(broken.typed), faults(broken, broken.typed))
    assert nodes == {"square", "mean", "root"}
    cast = replace(broken.config.cast, fp32_nodes=[exactly(node) for node in nodes if node != left_out])
    write_typed(tmp_path / "typed.onnx", broken.simplified, broken.reference, broken.config, cast)
    assert bool(faults(broken, tmp_path / "typed.onnx")) == (left_out is not None)


def test_candidates_are_the_nodes_of_the_source_that_touch_reduced_tensors(broken: Case) -> None:
    assert candidates(load_graph(broken.typed), mean_square()) == ["square", "mean", "root", "quotient"]
    assert candidates(mean_square(), mean_square()) == [], "all of it is fp32 already"


def test_modules_keep_the_order_of_their_nodes() -> None:
    found = by_module(["a", "b", "c", "d"], {"a": "one", "c": "one", "b": "two"})
    assert found == {"one": ["a", "c"], "two": ["b"], "": ["d"]}
