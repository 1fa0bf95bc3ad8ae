"""Freed memory is kept: the second tensor of a size costs no page of its own."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from enginewright.heap import keep_freed
from tests.dag import ROOT

_CODE = """
import resource
import numpy as np
from enginewright.heap import keep_freed
if {keep}:
    keep_freed()
faults = []
for _ in range(4):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.empty(1 << 26, np.uint8).fill(1)
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(*faults)
"""


def faults(keep: bool) -> list[int]:
    """Return the page faults of filling 64 MiB, four times over."""
    code = _CODE.format(keep=keep)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return [int(word) for word in done.stdout.split()]


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="needs glibc, whose mallopt this sets")
def test_the_pages_of_a_freed_array_are_used_again() -> None:
    first, *later = faults(keep=True)
    assert max(later) < first / 4
    assert min(faults(keep=False)) > max(later), "without it each array has new pages"


@pytest.mark.parametrize("error", [OSError, TypeError, AttributeError])
def test_without_glibc_nothing_changes(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    class Library:
        def __init__(self, _name: None) -> None:
            if error is not AttributeError:
                raise error

    monkeypatch.setattr(ctypes, "CDLL", Library)
    keep_freed()
