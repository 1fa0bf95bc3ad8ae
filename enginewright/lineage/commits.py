"""Commits of a repository, read with git."""

from __future__ import annotations

import subprocess
from pathlib import Path


def head(repository: Path = Path()) -> tuple[str, bool]:
    """Return the short commit of a checkout, and whether tracked files differ from it."""
    short = _git(repository, "rev-parse", "--short=10", "HEAD")
    return short, bool(_git(repository, "status", "--porcelain", "--untracked-files=no"))


def file_at(repository: Path, revision: str, path: str) -> bytes | None:
    """Return the bytes of a file at a revision, by its path from the repository's root, or None where it has none."""
    words = ["git", "cat-file", "blob", f"{revision}:{path}"]
    found = subprocess.run(words, cwd=repository, capture_output=True, check=False)
    return found.stdout if found.returncode == 0 else None


def _git(repository: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=repository, capture_output=True, text=True, check=True).stdout.strip()
