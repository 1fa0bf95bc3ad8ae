"""Outlines of real variants, by a planner in a clone, and what `opset_precision` shares."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from enginewright.probing import probe
from enginewright.sweeping.axes import Sweep, sweep_of
from enginewright.sweeping.outline import Outline
from enginewright.sweeping.outlining import outlines_of
from enginewright.sweeping.plan import plan_of
from enginewright.sweeping.process import Setting
from enginewright.sweeping.results import State
from enginewright.sweeping.rows import refuse_typos, rows_of
from enginewright.sweeping.source import source_of
from tests.dag import ROOT

SWEEP = sweep_of("opset_precision", ["precision=fp32,bf16", "networks.disk_lightglue.export.opset=16,18"])


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Setting:
    folder = tmp_path_factory.mktemp("planner")
    source = source_of(ROOT, folder)
    return Setting(str(source.repository), source.tree, str(folder / "clones"), "", str(folder), 1)


@pytest.fixture(scope="module")
def outlines(setting: Setting, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outline]:
    return outlines_of(SWEEP.variants, setting, tmp_path_factory.mktemp("kept"), 1)


def composing(outlines: dict[str, Outline]) -> dict[str, Outline]:
    return {name: outline for name, outline in outlines.items() if not outline.refused}


def test_the_extractor_and_the_export_are_shared_by_precisions(outlines: dict[str, Outline]) -> None:
    plan = plan_of(composing(outlines), probe())
    shared = Counter(len(step.variants) for step in plan.steps.values())
    assert shared == {2: 13, 1: 14}
    alone = {step.outline.name.partition("@")[0] for step in plan.steps.values() if len(step.variants) == 1}
    assert alone == {"cast", "compare", "build", "match", "attest", "report"}


def test_steps_are_in_the_order_that_they_can_run(outlines: dict[str, Outline]) -> None:
    seen: set[str] = set()
    for step in plan_of(composing(outlines), probe()).steps.values():
        assert seen.issuperset(step.needs)
        seen.add(step.key)


def test_an_outline_is_kept_for_its_tree(setting: Setting, tmp_path: Path) -> None:
    first = outlines_of(SWEEP.variants[3:], setting, tmp_path, 1)
    broken = Setting("/nowhere", setting.tree, "/nowhere", "", "", 1)
    assert outlines_of(SWEEP.variants[3:], broken, tmp_path, 1) == first


def test_a_combination_is_a_row_and_a_missing_builder_another(outlines: dict[str, Outline]) -> None:
    refuse_typos(SWEEP, outlines)
    states = [row.state for row in rows_of(SWEEP, outlines, probe()).values()]
    assert states == [State.refused, State.refused, State.pending, State.pending]
    none = {**probe(), "builder_tensorrt_rtx": {"tensorrt-rtx-cu13": None}}
    rows = rows_of(SWEEP, outlines, none)
    assert "make setup" in str(rows[SWEEP.variants[3].name].reason)
    assert rows[SWEEP.variants[3].name].state is State.not_run


def test_a_typo_refuses_the_sweep(setting: Setting, tmp_path: Path) -> None:
    from enginewright.errors import SweepError

    sweep: Sweep = sweep_of(None, ["export.opset=18,99"])
    with pytest.raises(SweepError, match=r"export.opset=99(?s:.*)set export.opset=23"):
        refuse_typos(sweep, outlines_of(sweep.variants, setting, tmp_path, 1))
