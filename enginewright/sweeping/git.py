"""Git commands in one repository."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from enginewright.errors import SweepError

_LEAKING = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR")
"""Variables that a caller such as a git hook sets, and that would send these commands to another repository."""

_IDENTITY = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "enginewright"), ("EMAIL", "enginewright@localhost"))
}


_QUIET = {"GIT_OPTIONAL_LOCKS": "0"}
"""Git then does not rewrite the user's index in passing."""


class Git:
    """Runs git in `folder`, with more environment variables if given; what it prints is the result."""

    def __init__(self, folder: Path, **env: str) -> None:
        self._folder, self._env = folder, env

    def with_env(self, **env: str) -> Git:
        """Return the same with more environment variables."""
        return Git(self._folder, **{**self._env, **env})

    def path(self, name: str) -> Path:
        """Return the path of a file of the repository's own folder."""
        return self._folder / self("rev-parse", "--git-path", name)

    def __call__(self, *words: str, text: str | None = None) -> str:
        """Run a command, with `text` as its input, and return what it prints without the last line's end.

        Raises:
            SweepError: with git's own words if the command fails.
        """
        kept = {name: value for name, value in os.environ.items() if name not in _LEAKING}
        done = subprocess.run(
            ["git", *words],
            cwd=self._folder,
            env={**(self._identity(kept) if words[0] == "commit-tree" else {}), **kept, **_QUIET, **self._env},
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SweepError(f"git {words[0]} failed", got=(done.stderr or done.stdout).strip()[-1000:])
        return done.stdout.rstrip("\n")

    def _identity(self, environment: dict[str, str]) -> dict[str, str]:
        """Return a name for commits where git knows none: a worker's machine seldom has one."""
        if self._env.get("GIT_DIR"):
            return _IDENTITY
        found = subprocess.run(
            ["git", "config", "user.email"], cwd=self._folder, env=environment, capture_output=True, check=False
        )
        return {} if found.stdout.strip() else _IDENTITY
