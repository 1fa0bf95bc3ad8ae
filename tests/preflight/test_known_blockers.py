"""Every known blocker, put back into a small graph, is named with its node and a cure; clean graphs pass."""

from __future__ import annotations

import json

import pytest

from enginewright.config.sections import BuildConfig
from enginewright.errors import GraphError
from enginewright.preflight.check import check_graph
from enginewright.preflight.task import Options
from enginewright.verdicts import State
from tests.preflight.graphs import CLEAN, KNOWN, Known, several


@pytest.mark.parametrize("known", KNOWN.values(), ids=list(KNOWN))
def test_a_known_blocker_is_named_with_its_node_and_a_cure(known: Known) -> None:
    report = check_graph(known.graph(), Options(ranges=known.ranges))
    assert report.verdict.state is State.failed
    (blocker,) = [item for item in report.blockers if item.by == known.by]
    assert (blocker.nodes, blocker.operator, blocker.by) == (known.nodes, known.operator, known.by)
    assert known.says in blocker.message
    assert known.cure in blocker.cure
    for part in (*known.nodes, known.operator, known.says, known.cure):
        assert part in str(report)


@pytest.mark.parametrize("name", ["convolution", "LayerNorm operator", "dynamic with a profile"])
def test_a_clean_graph_passes(name: str) -> None:
    graph, ranges = CLEAN[name]
    report = check_graph(graph(), Options(ranges=ranges))
    assert (report.verdict.state, report.blockers) == (State.passed, ()), str(report)
    assert report.counts.nodes >= report.counts.alone


def test_several_blockers_are_listed_at_once_in_the_order_of_the_graph() -> None:
    report = check_graph(several(), Options())
    found = [(item.operator, item.nodes, item.by) for item in report.blockers]
    assert found == [
        ("Det", ("det",), "parser"),
        ("NonZero", ("find",), "parser"),
        ("DeformConv", ("deform",), "parser"),
        ("Unique", ("unique",), "parser"),
        ("TopK", ("top",), "builder"),
    ]
    with pytest.raises(GraphError) as caught:
        report.refuse_blockers("the exported graph of small")
    for name in ("det", "find", "deform", "unique", "top"):
        assert f" {name}: " in str(caught.value)
    assert str(caught.value).count("cure: ") == len(found) + 1


def test_the_same_graph_gives_the_same_report_with_other_build_options_too() -> None:
    first = check_graph(several(), Options())
    second = check_graph(several(), Options(build=BuildConfig(tf32=True, compute_capabilities=["8.9"])))
    assert json.dumps(first.as_metrics()) == json.dumps(second.as_metrics())
