"""How the tests are spread over processes: what is dear to make is made in one of them only.

Each process keeps its memory and lets its threads sleep, as a stage does: the others need the cores.
"""

from __future__ import annotations

import pytest

from enginewright.heap import keep_freed
from enginewright.waiting import sleep_while_waiting

keep_freed()
sleep_while_waiting()

SHARED = {"built": "built", "small": "small", "scratch": "small"}
"""Fixtures that take minutes, or are copies of one that does, and the group of the tests that use them."""


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test the group that `--dist loadgroup` keeps together: its dear fixture, its networks, or its file."""
    for item in items:
        used = [SHARED[name] for name in getattr(item, "fixturenames", ()) if name in SHARED]
        place = "networks" if "networks" in item.path.parts else str(item.path)
        item.add_marker(pytest.mark.xdist_group(next(iter(sorted(used)), place)))
