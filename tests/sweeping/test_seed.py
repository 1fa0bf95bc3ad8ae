"""Every worker hashes strings alike: tools that order by hashes then write the same bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from enginewright.sweeping.process import Setting, _environment


def test_workers_have_one_hash_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    setting = Setting("", "", str(tmp_path), "", str(tmp_path), 1)
    assert _environment(tmp_path, setting)["PYTHONHASHSEED"] == "0"
