"""A checkout of the project as a user has it: committed files in a folder of its own, its own DVC cache."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DOWNLOADS = Path(os.environ.get("ENGINEWRIGHT_CACHE", ROOT / ".cache" / "downloads")).resolve()
"""Downloads are shared with the checkout under test: their digests are checked at each use anyway."""


@dataclass(frozen=True)
class Workspace:
    """A checkout in `path`, and commands run in it."""

    path: Path

    @staticmethod
    def copied_to(path: Path) -> Workspace:
        """Return a checkout of the files that git tracks or would track, committed."""
        listed = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
        names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in filter(None, names.split("\0")):
            if (ROOT / name).is_file():
                (path / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, path / name)
        space = Workspace(path)
        space.run("git", "init", "-q", ".")
        space.run("git", "config", "user.email", "test@example.com")
        space.run("git", "config", "user.name", "test")
        space.commit("as it is")
        return space

    def commit(self, message: str) -> None:
        """Commit all changes, some or none."""
        self.run("git", "add", "-A")
        self.run("git", "commit", "-q", "--allow-empty", "-m", message)

    def run(self, *command: str, check: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout, with this Python's programs first in PATH."""
        found = subprocess.run(
            command,
            cwd=self.path,
            env=self.environment() | env,
            capture_output=True,
            text=True,
            check=False,
            timeout=1500,
        )
        assert found.returncode == 0 or not check, f"{command}\n{found.stdout[-3000:]}\n{found.stderr[-3000:]}"
        return found

    def environment(self) -> dict[str, str]:
        """Return the environment that commands run in."""
        programs = str(Path(sys.executable).parent)
        own = {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "ENGINEWRIGHT_CACHE": str(DOWNLOADS),
            "DVC_SITE_CACHE_DIR": str(self.path / ".cache" / "dvc-site"),
            "DVC_NO_ANALYTICS": "1",
        }
        return {name: value for name, value in os.environ.items() if not name.startswith(("DVC_", "PYTEST"))} | own

    def repro(self, *targets: str) -> list[str]:
        """Compose and reproduce, as `make repro` does; return the stages that ran, cache hits not counted."""
        self.run("python", "-m", "enginewright.config.compose")
        return ran(self.run("dvc", "repro", *targets))

    def json(self, name: str) -> dict[str, Any]:
        """Return a JSON file of the checkout."""
        value: dict[str, Any] = json.loads((self.path / name).read_text(encoding="utf-8"))
        return value

    def digests(self, pattern: str) -> dict[str, str]:
        """Return the SHA-256 of each file that matches."""
        found = sorted(self.path.glob(pattern))
        return {str(path.relative_to(self.path)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}

    def edit(self, name: str, pattern: str, replacement: str) -> None:
        """Replace what must occur exactly once in a file."""
        text = (self.path / name).read_text(encoding="utf-8")
        changed, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
        assert count == 1, f"{pattern} occurs {count} times in {name}"
        (self.path / name).write_text(changed, encoding="utf-8")


def ran(found: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the stages that a DVC command ran, in order, without the name of the file that holds the probe."""
    names = re.findall(r"^Running stage '([^']+)'", found.stdout + found.stderr, flags=re.MULTILINE)
    return [name.removeprefix("machine/dvc.yaml:") for name in names]
