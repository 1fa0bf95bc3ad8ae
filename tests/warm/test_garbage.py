"""Garbage is looked for seldom where packages are imported."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.dag import ROOT


@pytest.mark.parametrize("importing", ["import stages", "from enginewright.warm.server import main"])
def test_a_stage_and_the_server_collect_seldom(importing: str) -> None:
    called = "main(os.open(os.devnull, 0), 0, ())" if "main" in importing else "None"
    code = f"""
import gc, os
{importing}
try:
    {called}
except OSError:
    pass
print(gc.get_threshold()[0])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"ENGINEWRIGHT_WARM": "0"}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert int(done.stdout) == 100_000
