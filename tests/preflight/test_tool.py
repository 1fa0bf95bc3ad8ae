"""The builder itself: parsing with every refusal, building wholly and up to where compiling begins."""

from __future__ import annotations

import onnx
import pytest

from enginewright.config.choices import Builder
from enginewright.config.sections import BuildConfig
from enginewright.engine.profile import Range
from enginewright.errors import RequirementError
from enginewright.preflight.tool import Parsed, Tool
from tests.preflight.asking import tool
from tests.preflight.graphs import (
    KNOWN,
    attention,
    convolution,
    deformable,
    dynamic,
    layernorm,
    model,
    node,
    nonzero,
    several,
    topk,
    value,
)


def parsed(graph: onnx.ModelProto) -> Parsed:
    return tool().parse(graph.SerializeToString())


def test_a_clean_graph_parses_and_builds() -> None:
    for graph in (convolution(), layernorm()):
        found = parsed(graph)
        assert found.refusals == []
        assert found.network.num_layers > 0
        assert tool().build(found) is None


def test_the_parser_names_index_name_and_operator() -> None:
    (refusal,) = parsed(nonzero()).refusals
    assert (refusal.index, refusal.name, refusal.operator, refusal.by) == (1, "find", "NonZero", "parser")
    (refusal,) = parsed(nonzero("")).refusals
    assert (refusal.index, refusal.name, refusal.operator) == (1, "", "NonZero")


def test_the_parser_stops_at_the_first_node_that_it_cannot_import() -> None:
    """Why nodes are asked for one by one: of five blockers in a graph it names two."""
    assert [refusal.name for refusal in parsed(several()).refusals] == ["det", "unique"]
    assert [refusal.name for refusal in parsed(deformable()).refusals] == ["deform"]


def test_bytes_that_are_no_model_are_refused() -> None:
    found = tool().parse(b"no model")
    assert len(found.refusals) == 1
    assert found.refusals[0].by == "parser"


@pytest.mark.parametrize("graph", [topk(4096, 8192), topk(32, 16), KNOWN["nms"].graph()])
@pytest.mark.parametrize("wholly", [True, False])
def test_what_only_the_builder_refuses_shows_before_it_compiles(graph: onnx.ModelProto, wholly: bool) -> None:
    found = parsed(graph)
    assert found.refusals == []
    refusal = tool().build(found, wholly=wholly)
    assert refusal is not None
    assert (refusal.by, refusal.late) == ("builder", False)


def test_what_has_no_kernel_shows_only_when_it_compiles() -> None:
    found = parsed(attention())
    assert tool().build(found, wholly=False) is None
    refusal = tool().build(found)
    assert refusal is not None
    assert refusal.late
    assert "dedicated kernel" in refusal.message


def test_a_build_that_stops_early_does_not_compile() -> None:
    nodes = [node("MatMul", [f"x{i}", "x0"], [f"x{i + 1}"], name=f"m{i}") for i in range(60)]
    found = parsed(model(nodes, [value("x0", (64, 64))], [value("x60", (64, 64))]))
    assert tool().build(found, wholly=False) is None
    assert tool().build(found) is None


def test_a_dynamic_graph_needs_a_profile() -> None:
    found = parsed(dynamic())
    assert tool().build(found, {"x": Range((1, 8), (2, 8), (4, 8))}) is None
    assert tool().build(found, {"x": Range((2, 8), (2, 8), (2, 8))}, wholly=False) is None


def test_the_builder_itself_looks_at_the_best_size_only() -> None:
    """Why every corner is asked for as if it were the best one: this engine would fail when it runs."""
    found = parsed(topk(32, "n"))
    assert tool().build(found, {"x": Range((1, 16), (1, 64), (1, 64))}) is None
    refusal = tool().build(found, {"x": Range((1, 16), (1, 16), (1, 16))}, wholly=False)
    assert refusal is not None
    assert "smaller than K" in refusal.message


def test_a_parsed_graph_can_be_built_again_after_a_refusal() -> None:
    found = parsed(topk(32, "n"))
    assert tool().build(found, {"x": Range((1, 16), (1, 16), (1, 16))}) is not None
    assert tool().build(found, {"x": Range((1, 64), (1, 64), (1, 64))}) is None


def test_a_builder_that_cannot_be_imported_is_a_requirement() -> None:
    try:
        Tool(BuildConfig(builder=Builder.tensorrt))
    except RequirementError as error:
        assert "tensorrt" in error.what  # noqa: PT017 - a machine that has it and a GPU raises nothing
    else:
        pytest.skip("this machine has the full TensorRT")
