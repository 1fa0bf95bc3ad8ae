"""Processes of their own for a builder: what they inherit, and what they said last."""

from __future__ import annotations

import os
from pathlib import Path

from enginewright.config.choices import Builder
from enginewright.engine import api
from enginewright.lifeline import bound

ERRORS = "stderr.txt"
"""The file in a child's folder that its standard error goes to."""

_PACKAGE_ROOT = Path(__file__).resolve().parents[2]
_MOST_TEXT = 2000


def child_environment(builder: Builder) -> dict[str, str]:
    """Return the environment of a child that ends with this process, and finds this package from any folder."""
    inherited = api.environment(builder, os.environ)
    python_path = os.pathsep.join(filter(None, [str(_PACKAGE_ROOT), inherited.get("PYTHONPATH")]))
    return bound(inherited | {"PYTHONPATH": python_path})


def last_words(folder: Path, cause: str) -> str:
    """Return the cause of a child's end, and behind it what the child wrote last."""
    text = (folder / ERRORS).read_text(encoding="utf-8", errors="replace").strip()[-_MOST_TEXT:]
    return f"{cause}{': ' if text else ''}{text}"
