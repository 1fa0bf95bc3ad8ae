from __future__ import annotations

import os

import pytest

from enginewright.waiting import POLICY, sleep_while_waiting


@pytest.mark.parametrize(("before", "after"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_sleep_unless_the_user_said_otherwise(
    before: str | None, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(POLICY, before or "")
    if before is None:
        monkeypatch.delenv(POLICY)
    sleep_while_waiting()
    assert os.environ[POLICY] == after
