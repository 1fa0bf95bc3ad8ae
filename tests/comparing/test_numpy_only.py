"""Comparing must not import torch, whatever Polygraphy would like to know."""

from __future__ import annotations

import subprocess
import sys

from tests.e2e.workspace import ROOT

CODE = """
import sys, tempfile
from pathlib import Path
from enginewright.config.sections import CompareConfig
from stages.compare import run
from tests.comparing.graphs import artifact, reference

with tempfile.TemporaryDirectory() as folder:
    metrics, _, _ = run(CompareConfig(), reference(), {"exported": artifact(Path(folder), "sound")})
assert metrics["verdict"] == "passed", metrics
print("torch" in sys.modules)
"""


def test_a_whole_comparison_runs_without_torch() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "False\n"
