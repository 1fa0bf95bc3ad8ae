"""Sizes of folders."""

from __future__ import annotations

from pathlib import Path


def folder_mb(folder: Path) -> float:
    """Return the sum of the sizes of all files below a folder, in MB."""
    return round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6, 1)
