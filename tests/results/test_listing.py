"""Experiments, a line each."""

from __future__ import annotations

import pytest

from enginewright.results.listing import Line, listing, verdict
from enginewright.results.screen import LINES, WIDTH

FIGURES = {
    ("disk", "compare.verdict"): "passed",
    ("disk", "compare.typed.scores.max_abs"): 0.25,
    ("disk", "compare.rehearsed.scores.max_abs"): 9.0,
    ("disk", "build.engine_mb"): 12.0,
    ("disk_lightglue", "build.engine_mb"): 30.5,
    ("disk_lightglue", "match.original.matches"): 2755,
    ("disk_lightglue", "match.typed.common"): 2755,
    ("disk_lightglue", "match.rehearsed.common"): 890,
}


def test_a_line_has_the_worst_of_everything_and_what_was_changed() -> None:
    head, row = listing([Line("odd-name", FIGURES, [("networks.disk.export.opset", 20, 18)], indent=True)])
    assert head.split("  ")[0] == "experiment"
    cells = [cell.strip() for cell in row.split("  ") if cell.strip()]
    assert cells == ["odd-name", "passed", "890 of 2,755", "0.25", "42.5 MB", "disk.export.opset 18"]
    assert row.startswith("  odd-name  passed")


@pytest.mark.parametrize(
    ("states", "words"),
    [
        (["passed", "passed"], "passed"),
        (["passed", "not_run"], "not run"),
        (["not_run", "failed"], "failed: b compare"),
        ([], "—"),
    ],
)
def test_the_worst_verdict_names_the_check_that_failed(states: list[str], words: str) -> None:
    figures = {(name, "compare.verdict"): state for name, state in zip("ab", states, strict=False)}
    assert verdict(figures) == words


def test_an_experiment_without_metrics_says_what_it_is() -> None:
    assert "queued or unread" in listing([Line("waiting", {}, note="queued or unread")])[1]


def test_many_fit_on_a_screen() -> None:
    lines = [Line(f"experiment-{number}", FIGURES, [("a.b", 1, "x" * 200)]) for number in range(80)]
    found = listing(lines)
    assert len(found) == LINES
    assert max(map(len, found)) <= WIDTH
    assert found[-1] == "32 more: ALL=1 shows them"
    assert len(listing(lines, everything=True)) == 81
