"""What to paste into a configuration: patterns that match the nodes found and no others."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from enginewright.casting.islands import exactly

_LAST = r"\\+\Z"
"""Backslashes at the end, before the closing quote."""


def patterns_of(nodes: Sequence[str], configured: Sequence[str]) -> list[str]:
    """Return the value of `fp32_nodes`: what was configured, which it would replace, and each node's exact name."""
    return [*configured, *map(exactly, nodes)]


def as_yaml(patterns: Sequence[str]) -> str:
    """Return the patterns as a line of conf/. Quoted singly, YAML takes a backslash as it stands."""
    quoted = ("'" + pattern.replace("'", "''") + "'" for pattern in patterns)
    return f"precision: {{fp32_nodes: [{', '.join(quoted)}]}}"


def as_command(network: str, overrides: Sequence[str], patterns: Sequence[str]) -> str:
    """Return the command that builds the network so; overrides: those that the bisected graph was composed with."""
    value = ",".join(map(_hydra, patterns))
    settings = [*overrides, f"networks.{network}.cast.fp32_nodes=[{value}]"]
    return " ".join(["dvc exp run", *(f"-S {shlex.quote(setting)}" for setting in settings)])


def _hydra(pattern: str) -> str:
    """Return a string in quotes for Hydra, which halves backslashes before a quote and takes all others as they are."""
    inner = re.sub(r'(\\*)(")', r'\1\1\\"', pattern)
    return f'"{re.sub(_LAST, lambda found: 2 * found[0], inner)}"'
