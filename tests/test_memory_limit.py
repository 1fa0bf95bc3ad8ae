"""A bound on memory while one file is read."""

from __future__ import annotations

import resource
import sys

import pytest

from enginewright.memory_limit import at_most_more, memory_left

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux, which counts a process's data")


def test_more_than_was_said_is_an_error_and_not_the_end() -> None:
    with at_most_more(0), pytest.raises(MemoryError):
        bytearray(6 << 30)


def test_what_was_said_can_be_had_and_the_old_limit_comes_back() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with at_most_more(1 << 20):
        assert resource.getrlimit(resource.RLIMIT_DATA) != before
        assert len(bytearray(1 << 20)) == 1 << 20
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_a_bound_within_a_bound_is_never_wider() -> None:
    with at_most_more(1 << 20):
        outer, _ = resource.getrlimit(resource.RLIMIT_DATA)
        with at_most_more(1 << 40):
            assert resource.getrlimit(resource.RLIMIT_DATA)[0] <= outer


def test_there_is_memory_left() -> None:
    assert memory_left() > 1 << 20
