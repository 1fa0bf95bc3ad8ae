"""Two revisions on one screen."""

from __future__ import annotations

from typing import Any

from enginewright.results.difference import difference
from enginewright.results.figures import figures_of, is_verdict, rank
from enginewright.results.screen import LINES, WIDTH, columns

OLD: dict[str, dict[str, Any]] = {
    "metrics/disk/compare.json": {
        "data": {
            "typed": {"scores": {"max_abs": 0.001, "mean_abs": 0.1}},
            "verdict": "passed",
            "verdicts": {"typed": "passed"},
        }
    },
    "metrics/disk/build.json": {"data": {"engine_mb": 12.5, "seconds": 3.0, "peak_mb": 600, "verdict": "not_run"}},
    "metrics/disk_lightglue/match.json": {"data": {"typed": {"common": 208, "verdict": "passed"}, "reason": ""}},
}
NEW: dict[str, dict[str, Any]] = {
    "metrics/disk/compare.json": {
        "data": {
            "typed": {"scores": {"max_abs": 0.5, "mean_abs": 0.2}},
            "verdict": "failed",
            "verdicts": {"typed": "failed"},
        }
    },
    "metrics/disk/build.json": {"data": {"engine_mb": 6.25, "seconds": 9.0, "peak_mb": 700, "verdict": "not_run"}},
    "metrics/disk_lightglue/match.json": {"data": {"typed": {"common": 200, "verdict": "passed"}, "reason": "x"}},
}


def lines(everything: bool = False) -> list[str]:
    parameters = [(f"networks.{name}.export.opset", 20, 18) for name in ("disk", "aliked")]
    return difference(parameters, figures_of(OLD), figures_of(NEW), everything)


def test_verdicts_then_parameters_then_figures_by_weight() -> None:
    assert [" ".join(line.split()) for line in lines()] == [
        "verdicts (now 2 failed, 1 not run, 1 passed)",
        "disk compare passed -> failed",
        "disk compare.typed passed -> failed",
        "",
        "parameters",
        "networks.{disk,aliked}.export.opset 20 -> 18",
        "",
        "figures",
        "disk_lightglue match.typed.common 208 200 -8",
        "disk compare.typed.scores.max_abs 0.001 0.5 +0.499",
        "disk build.engine_mb 12.5 6.25 -6.25",
        "1 lesser figures differ too: ALL=1 shows them",
    ]


def test_everything_is_all_but_noise() -> None:
    text = "\n".join(lines(everything=True))
    assert "mean_abs" in text
    assert not any(word in text for word in ("seconds", "peak_mb", "reason", "ALL=1"))


def test_the_same_says_so() -> None:
    same = difference([], figures_of(OLD), figures_of(OLD))
    assert [line.partition(",")[0] for line in same] == ["verdicts", "", "parameters", "", "figures"]
    assert all("none of which differs" in line for line in same if line)


def test_it_fits_on_a_screen_whatever_differs() -> None:
    old: dict[tuple[str, str], Any] = {(f"network{n}", "match.typed.common"): n for n in range(90)}
    new = {key: value + 1 for key, value in old.items()} | {("n", "cast.precision"): "x" * 300}
    found = difference([], old, new)
    assert len(found) == LINES
    assert found[-1].endswith("more lines: ALL=1 shows them")
    assert max(map(len, found)) <= WIDTH + 2
    assert len(difference([], old, new, everything=True)) > LINES


def test_a_figure_that_only_one_side_has_is_shown() -> None:
    found = difference([], {}, figures_of(NEW))
    assert any("compare" in line and "absent -> failed" in " ".join(line.split()) for line in found)
    assert any(line.split()[1:4] == ["build.engine_mb", "none", "6.25"] for line in found if "engine_mb" in line)


def test_what_is_a_verdict_and_what_ranks() -> None:
    assert is_verdict("compare.verdict")
    assert is_verdict("compare.verdicts.typed")
    assert is_verdict("match.engine.verdict")
    assert not is_verdict("match.engine.matches")
    assert rank("match.typed.common") == 0
    assert rank("compare.typed.scores.mean_abs") is None


def test_columns_are_aligned_and_cut_at_the_screens_end() -> None:
    assert columns([("a", "b"), ("long", "c")]) == ["a     b", "long  c"]
    assert columns([]) == []
    assert columns([("a", "x" * 300)])[0].endswith("xxx...")
