"""Paths of outputs and dependencies, as dvc.yaml writes them."""

from __future__ import annotations


def overlap(one: str, other: str) -> bool:
    """Return whether two paths are the same, or one lies in the other."""
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")
