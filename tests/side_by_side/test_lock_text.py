"""What is put into a lock file is, to the byte, what DVC itself would write."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.serialize import dump_yaml, load_yaml, modify_yaml  # type: ignore[import-untyped]

from enginewright.side_by_side.lock_text import with_entries
from tests.dag import ROOT

LOCK = ROOT / "dvc.lock"


def stages_of(path: Path = LOCK) -> dict[str, Any]:
    return dict(load_yaml(path)["stages"])


def written_by_dvc(path: Path, text: str, entries: dict[str, Any]) -> str:
    path.write_text(text, encoding="utf-8")
    with modify_yaml(path) as data:
        data["stages"].update(entries)
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("seed", range(8))
def test_entries_that_change_and_new_ones_are_as_dvc_writes_them(seed: int, tmp_path: Path) -> None:
    chance, stages = random.Random(seed), stages_of()  # noqa: S311 - nothing secret
    names = chance.sample(sorted(stages), 12)
    there = {name: stages[name] for name in names[:9]}
    dump_yaml(tmp_path / "old.lock", {"schema": "2.0", "stages": there})
    text = (tmp_path / "old.lock").read_text(encoding="utf-8")
    entries = {name: _changed(stages[name], chance) for name in names[6:]}
    assert with_entries(text, entries) == written_by_dvc(tmp_path / "new.lock", text, entries)


def _changed(entry: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Return an entry with another command, whose length moves every line break, and other values."""
    words = ["word" * chance.randint(1, 9) for _ in range(chance.randint(1, 60))]
    values = {"params": {"params.yaml": {"a.b": [1, 2.5e-7, None, True, "yes", "1e-4", "x: y", ""]}}}
    return {**entry, "cmd": " ".join(words), **values}


def test_putting_what_is_there_changes_nothing() -> None:
    text = LOCK.read_text(encoding="utf-8")
    assert with_entries(text, stages_of()) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "stages:\n  a:\n    cmd: x\n",
        "schema: '2.0'\nstages: {}\n",
        "schema: '2.0'\nstages:\n  a:\n    cmd: x\ndatasets: []\n",
        "schema: '2.0'\nstages:\n  a:\n    cmd: x",
        "schema: '2.0'\nstages:\n  a:\n    cmd: x\n  a:\n    cmd: y\n",
        "schema: '2.0'\nstages:\n    cmd: x\n",
        "# a note\nschema: '2.0'\nstages:\n  a:\n    cmd: x\n",
        "schema: '2.0'\nstages:\n  'a b':\n    cmd: x\n",
        "schema: '2.0'\nstages:\n  a: {cmd: x}\n",
    ],
)
def test_a_file_in_another_form_is_left_to_dvc(text: str) -> None:
    assert with_entries(text, {"b": {"cmd": "y"}}) is None


def test_a_name_in_another_form_is_left_to_dvc() -> None:
    assert with_entries("schema: '2.0'\nstages:\n  a:\n    cmd: x\n", {"b: c": {"cmd": "y"}}) is None
