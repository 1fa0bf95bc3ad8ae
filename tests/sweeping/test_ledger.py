"""Records of steps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from enginewright.sweeping.ledger import Ledger, Record
from tests.sweeping.toys import entry

KEY = "ab" * 32


def ledger(folder: Path, stored: bool = True) -> Ledger:
    def has(found: Mapping[str, Any]) -> bool:
        return stored

    return Ledger(folder, has)


def test_a_record_comes_back_with_the_order_of_its_keys(tmp_path: Path) -> None:
    ledger(tmp_path).put(KEY, Record("cast@a", {"params": {"b": 1, "a": 2}, "cmd": "x"}, 2.0, 100.0, "s"))
    found = ledger(tmp_path).get(KEY)
    assert found is not None
    assert list(found.entry) == ["params", "cmd"]
    assert list(found.entry["params"]) == ["b", "a"]


def test_a_record_whose_outputs_are_gone_is_none(tmp_path: Path) -> None:
    ledger(tmp_path).put(KEY, Record("cast@a", entry("cast@a"), 2.0, 100.0, "s"))
    assert ledger(tmp_path, stored=False).get(KEY) is None


def test_a_cut_record_is_none(tmp_path: Path) -> None:
    ledger(tmp_path).put(KEY, Record("cast@a", entry("cast@a"), 2.0, 100.0, "s"))
    (path,) = tmp_path.glob("*/*.json")
    path.write_text(path.read_text()[:40])
    assert ledger(tmp_path).get(KEY) is None


def test_a_step_from_the_run_cache_keeps_the_time_of_its_command(tmp_path: Path) -> None:
    ledger(tmp_path).put(KEY, Record("cast@a", entry("cast@a"), 2.0, 100.0, "s"))
    ledger(tmp_path).put(KEY, Record("cast@a", entry("cast@a"), 0.0, 5.0, "s"))
    assert ledger(tmp_path).seconds() == {"cast": 2.0}
    assert ledger(tmp_path).peak_mb(["s"]) == 100.0


def test_memory_is_known_only_when_every_size_was_measured(tmp_path: Path) -> None:
    ledger(tmp_path).put(KEY, Record("cast@a", entry("cast@a"), 2.0, 100.0, "small"))
    assert ledger(tmp_path).peak_mb(["small", "large"]) is None
    assert ledger(tmp_path).peak_mb([]) is None
