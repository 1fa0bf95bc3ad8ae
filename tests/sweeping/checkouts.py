"""Small git checkouts."""

from __future__ import annotations

from pathlib import Path

from enginewright.sweeping.git import Git


def checkout(path: Path, **files: str) -> Path:
    """Return a checkout with these files committed; `__` in a name stands for `/`."""
    path.mkdir(parents=True)
    git = Git(path)
    git("init", "-q", "-b", "main", ".")
    git("config", "user.email", "test@example.com")
    git("config", "user.name", "test")
    for name, text in files.items():
        write(path / name.replace("__", "/"), text)
    git("add", "-A")
    git("commit", "-q", "--allow-empty", "-m", "start")
    return path


def write(path: Path, text: str) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
