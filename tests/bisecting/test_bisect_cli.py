"""The command on small networks: what it finds, what it prints, and that casting so holds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from enginewright.bisecting import __main__ as command
from enginewright.bisecting.case import Case
from enginewright.config.sections import CastConfig
from enginewright.errors import ConfigError
from tests.bisecting.cases import TIGHT, case, mean_square, shifted, shifted_reference
from tests.rehearsing.graphs import reference

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def main(found: Case, *arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(command, "case_of", lambda network, overrides: found)
        status = command.main(["network=small", "precision=fp16", *arguments])
        return status, capsys.readouterr().out

    return main


def pasted(text: str) -> list[str]:
    """Return the patterns of the line to paste."""
    line = next(line for line in text.splitlines() if line.startswith("precision: "))
    found: list[str] = yaml.safe_load(line)["precision"]["fp32_nodes"]
    return found


def test_an_overflow_is_mended_by_the_nodes_that_touch_it(run: Run, tmp_path: Path) -> None:
    status, text = run(case(tmp_path, mean_square(), reference(1450.0)))
    assert pasted(text) == ["square$", "mean$", "root$"]
    assert status == 0
    assert "tensors do not fit their format: mean (ReduceSum of norm): overflow" in text
    assert "(rehearsals of the search: 1)" in text, "no search: the ranges say it all"
    assert text.rstrip().endswith("ranges: passed\nrehearsed: passed\nit holds")
    assert "  norm: square, mean, root\n" in text


def test_a_loss_that_no_range_shows_is_searched_for_by_module_and_node(run: Run, tmp_path: Path) -> None:
    status, text = run(case(tmp_path, shifted(), shifted_reference(), TIGHT))
    assert pasted(text) == ["there$", "back$"]
    assert status == 0
    assert "ranges: all " in text, "no range shows it"
    assert text.rstrip().endswith("it holds")
    setting = re.search(r"dvc exp run -S precision=fp16 -S '(.*)'", text)
    assert setting
    assert setting[1] == 'networks.small.cast.fp32_nodes=["there$","back$"]'
    rows = json.loads((tmp_path / "errors.json").read_text(encoding="utf-8"))
    assert (tmp_path / "errors.png").stat().st_size > 1000
    assert max(row["error"] for row in rows if row["node"] == "back") > 0.01


def test_what_fp32_does_not_mend_is_blamed_on_the_stages_before(run: Run, tmp_path: Path) -> None:
    status, text = run(case(tmp_path, shifted(), shifted_reference(error=0.5), TIGHT))
    assert status == 1
    assert "a stage before" in text
    assert "precision: " not in text


def test_a_bound_that_was_reached_is_said_and_what_was_found_still_holds(run: Run, tmp_path: Path) -> None:
    status, text = run(case(tmp_path, shifted(), shifted_reference(), TIGHT), "--most", "4")
    assert status == 0
    assert set(pasted(text)) == {"there$", "back$", "last$"}
    assert "the bound on rehearsals was reached" in text


def test_a_network_that_is_well_needs_nothing(run: Run, tmp_path: Path) -> None:
    status, text = run(case(tmp_path, mean_square(), reference(100.0)))
    assert status == 0
    assert "nothing breaks" in text


def test_an_fp32_graph_has_nothing_to_bisect(run: Run, tmp_path: Path) -> None:
    found = case(tmp_path, shifted(), shifted_reference(), TIGHT)
    plain = replace(found, typed=found.simplified, config=replace(found.config, cast=CastConfig()))
    with pytest.raises(ConfigError, match="no reduced tensors"):
        run(plain)


@pytest.mark.parametrize("words", [[], ["network=a", "network=b"]])
def test_one_network_is_needed(words: list[str]) -> None:
    with pytest.raises(ConfigError, match="of one network"):
        command.main(words)
