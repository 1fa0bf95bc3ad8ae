"""A rehearsal is judged by compare's tolerances and, for a matcher, by the matches that it keeps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from enginewright.bisecting.judge import first_samples, rehearsed
from enginewright.config.sections import CompareConfig
from enginewright.verdicts import State
from tests.bisecting.cases import TIGHT, case, shifted, shifted_reference
from tests.gpu import small
from tests.graphs.small import write

LOOSE = CompareConfig(max_abs=10, mean_abs=10, p99_abs=10, cosine=-1)


def test_nodes_in_full_make_a_failing_graph_pass(tmp_path: Path) -> None:
    found = case(tmp_path, shifted(), shifted_reference(), TIGHT)
    states = [
        rehearsed(found.typed, found.reference, found.config, full, found.source()).verdict(found.config).state
        for full in (frozenset(), frozenset({"there"}), frozenset({"there", "back"}))
    ]
    assert states == [State.failed, State.failed, State.passed]


@pytest.mark.parametrize(
    ("offset", "least", "state"), [(0.0, 1.0, "passed"), (1.0, 1.0, "failed"), (1.0, 0.0, "passed")]
)
def test_a_matcher_must_keep_its_matches(offset: float, least: float, state: str, tmp_path: Path) -> None:
    config = case(tmp_path, shifted(), shifted_reference()).config
    config = replace(config, compare=replace(LOOSE, matcher_ratio=least))
    graph = write(tmp_path / "matcher.onnx", small.matcher(offset, low=True))
    verdict = rehearsed(graph, small.reference(), config).verdict(config)
    assert verdict.state.value == state
    if state == "failed":
        assert "rehearsed: 0 of 6 indices kept, a share of 0.0000 where 1 is asked" in verdict.reason


def test_the_first_samples_have_no_corners() -> None:
    whole = shifted_reference()
    few = first_samples(replace(whole, corners=(whole,)), 1)
    assert (len(few), few.inputs["x"].shape[0], few.outputs["y"].shape[0], few.corners) == (1, 1, 1, ())
