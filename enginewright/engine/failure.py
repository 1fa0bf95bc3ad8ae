"""What a builder logged, as the reason why no engine came out."""

from __future__ import annotations

import re
from pathlib import Path

_NODE = re.compile(r"In node (\d+) with name: (.*?) and operator: (\w+) \(\w+\): (\w+): (.*)", re.DOTALL)
_LETTER = re.compile(r"^\[[EW!]\] ", re.MULTILINE)
_NOISE = "Thread context has not been set"
_MOST_LINES = 6


def reason_from(log: Path) -> str:
    """Return why the build failed: the node and operator that the parser names, or else the last errors logged."""
    entries = [entry.strip() for entry in _LETTER.split(_text(log)) if entry.strip() and _NOISE not in entry]
    nodes = [_node(found) for entry in entries if (found := _NODE.search(entry))]
    if nodes:
        return "; ".join(dict.fromkeys(nodes))
    return "; ".join(list(dict.fromkeys(" ".join(entry.split()) for entry in entries))[-_MOST_LINES:])


def _node(found: re.Match[str]) -> str:
    index, name, operator, code, message = found.groups()
    return f"node {index} ({operator} {name or 'without a name'}): {code}: {' '.join(message.split())}"


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
