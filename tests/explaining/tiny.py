"""A pipeline of four tiny stages under real DVC: two networks, a folder of code, a probe file, parameters, a report."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from dvc.repo import Repo  # type: ignore[import-untyped]

from enginewright.explaining.changes import Cases
from enginewright.explaining.foresee import Foresight
from enginewright.explaining.locked import lock_here

PIPELINE = """
stages:
  export:
    foreach: ${networks}
    do:
      cmd: python code/write.py weights/${key}/exported ${key} ${item.export.opset} code/export/a.py
      params: ["networks.${key}.export"]
      deps: [code/export, probe/exporter.json]
      outs: ["weights/${key}/exported"]
  cast:
    foreach: ${networks}
    do:
      cmd: python code/write.py weights/${key}/typed ${key} ${item.cast.precision} weights/${key}/exported
      params: ["networks.${key}.cast"]
      deps: ["weights/${key}/exported"]
      outs: ["weights/${key}/typed"]
      metrics: ["metrics/${key}/cast.json"]
  rank:
    foreach: ${networks}
    do:
      cmd: python code/write.py weights/${key}/rank ${key} constant
      deps: ["weights/${key}/typed"]
      outs: ["weights/${key}/rank"]
  report:
    cmd: python code/write.py report metrics
    deps: [metrics, weights/disk/rank]
    outs: [report]
"""
"""`rank` writes the same whatever it reads, so nothing after it changes. `report` depends on a folder of outputs."""

WRITE = """
import json, sys
from pathlib import Path
out, *words = sys.argv[1:]
words = [Path(word).read_text() if Path(word).is_file() else word for word in words]
Path(out).parent.mkdir(parents=True, exist_ok=True)
Path(out).write_text(" ".join(words))
if out.endswith("typed"):
    metrics = Path("metrics", Path(out).parent.name, "cast.json")
    metrics.parent.mkdir(parents=True, exist_ok=True)
    metrics.write_text(json.dumps({"precision": words[:2]}))
"""

PARAMS = "networks:\n  disk: {export: {opset: 17}, cast: {precision: fp32}}\n"
SECOND = "  lightglue: {export: {opset: 17}, cast: {precision: fp32}}\n"

FILES = {
    "dvc.yaml": PIPELINE,
    "params.yaml": PARAMS + SECOND,
    "code/write.py": WRITE,
    "code/export/a.py": "first",
    "code/export/b.py": "second",
    "probe/exporter.json": '{"onnx": "1.20.0", "torch": "2.12.0"}',
}


@dataclass(frozen=True)
class Tiny:
    """The project in `path`."""

    path: Path

    def run(self, *command: str) -> str:
        """Run a command there, with this Python's programs first in PATH, and return all that it prints."""
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        own = {
            "PATH": programs,
            "DVC_SITE_CACHE_DIR": str(self.path / ".dvc" / "tmp" / "site"),
            "DVC_NO_ANALYTICS": "1",
        }
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DVC_")} | own
        found = subprocess.run(
            command, cwd=self.path, env=environment, capture_output=True, encoding="utf-8", check=False
        )
        assert found.returncode == 0, f"{command}\n{found.stdout}\n{found.stderr}"
        return found.stdout + found.stderr

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_text(text, encoding="utf-8")

    def commit(self) -> None:
        """Commit all that git does not ignore."""
        self.run("git", "add", "-A")
        self.run("git", "commit", "-q", "--allow-empty", "-m", "a state")

    def repro(self) -> tuple[set[str], set[str]]:
        """Return the stages that `dvc repro` ran, and those that it restored."""
        told = self.run("dvc", "repro")
        ran, restored = (
            set(re.findall(rf"^{words}", told, flags=re.MULTILINE))
            for words in (r"Running stage '([^']+)'", r"Stage '([^']+)' is cached - skipping run")
        )
        return ran, restored

    def cases(self, foreseen: dict[str, bytes] | None = None) -> Cases:
        """Return what is foreseen. The working folder must be this project's."""
        with Repo(str(self.path)) as repo:
            return Foresight(repo, lock_here(self.path), foreseen).cases()


def made_in(path: Path) -> Tiny:
    """Return the project, committed and built."""
    tiny = Tiny(path)
    for name, text in FILES.items():
        tiny.write(name, text)
    tiny.run("git", "init", "-q", "-b", "main", ".")
    tiny.run("git", "config", "user.email", "test@example.com")
    tiny.run("git", "config", "user.name", "test")
    tiny.run("dvc", "init", "-q")
    tiny.repro()
    tiny.commit()
    return tiny
