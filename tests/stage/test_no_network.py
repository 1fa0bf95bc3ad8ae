"""The stages do their work in a network namespace of their own, which has nothing, not even a loopback that is up."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests.dag import ROOT

UNSHARE = ["unshare", "--map-root-user", "--net"]


def lacking() -> str:
    """Return why no namespace can be made here, or nothing."""
    if shutil.which("unshare") is None:
        return "needs unshare, of util-linux"
    done = subprocess.run([*UNSHARE, "true"], capture_output=True, text=True, check=False)
    return f"needs user namespaces: {done.stderr.strip()}" if done.returncode else ""


def test_the_stages_work_in_a_network_that_has_nothing() -> None:
    """swap, export, simplify, cast, compare and build, their child processes included."""
    if reason := lacking():
        pytest.skip(reason)
    command = [*UNSHARE, sys.executable, "-m", "tests.stage.without_network"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    verdict, size = done.stdout.split()[-2:]
    assert verdict == "passed"
    assert int(size) > 1000
