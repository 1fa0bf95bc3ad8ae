"""Nine networks, and fewer, in one configuration."""

from __future__ import annotations

import pytest

from benchmarks.growth import NETWORK_COUNTS
from benchmarks.unchanged import NETWORKS, nine
from enginewright.config.composed import plain


@pytest.mark.parametrize("count", NETWORK_COUNTS)
def test_so_many_networks_compose_all_of_them_small(count: int) -> None:
    found = plain(list(nine(count)))["networks"]
    assert set(found) == set(NETWORKS[:count])
    assert {network["model"].get("height", 128) for network in found.values()} == {128}


def test_there_are_nine() -> None:
    assert len(NETWORKS) == 9
