"""Commits of a repository, read with git."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path


def head(repository: Path = Path()) -> tuple[str, bool]:
    """Return the short commit of a checkout, and whether tracked files differ from it."""
    short = _git(repository, "rev-parse", "--short=10", "HEAD").strip()
    return short, bool(_git(repository, "status", "--porcelain", "--untracked-files=no"))


def file_at(repository: Path, revision: str, path: str) -> bytes | None:
    """Return the bytes of a file at a revision, by its path from the repository's root, or None where it has none."""
    words = ["git", "cat-file", "blob", f"{revision}:{path}"]
    found = subprocess.run(words, cwd=repository, capture_output=True, check=False)
    return found.stdout if found.returncode == 0 else None


def edited(repository: Path, below: Sequence[str] = ()) -> list[str]:
    """Return the tracked files that differ from the commit, then the new ones that git does not ignore.

    below: files and folders that new ones are looked for in; everywhere by default.
    """
    changed = _git(repository, "diff", "--name-only", "--no-renames", "--relative", "-z", "HEAD")
    new = _git(repository, "ls-files", "--others", "--exclude-standard", "-z", "--", *below)
    return [name for name in f"{changed}\0{new}".split("\0") if name]


def _git(repository: Path, *words: str) -> str:
    """Return what git says. It takes no lock that a person's own git waits for; names may be of any bytes."""
    words = ("git", "--no-optional-locks", *words)
    found = subprocess.run(words, cwd=repository, capture_output=True, check=True).stdout
    return found.decode(errors="surrogateescape")
