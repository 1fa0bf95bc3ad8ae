"""The table in benchmarks/README.md, between two marks, as it was last measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.place import ROOT
from benchmarks.table import table
from enginewright.artifacts import write_bytes

README = ROOT / "benchmarks" / "README.md"
_BEGIN, _END = "<!-- the table of results.json -->\n", "<!-- its end -->\n"


def with_table(text: str, results: Mapping[str, Any]) -> str:
    """Return the README's text with the table of these results between its marks."""
    before, _, rest = text.partition(_BEGIN)
    after = rest.partition(_END)[2]
    return f"{before}{_BEGIN}\n{table(results)}\n\n{_origin(results)}\n\n{_END}{after}"


def write_table(results: Mapping[str, Any]) -> None:
    """Write the table into the README."""
    write_bytes(README, with_table(README.read_text(encoding="utf-8"), results).encode())


def _origin(results: Mapping[str, Any]) -> str:
    """Return where the figures are from, in a sentence for each commit, machine and number of rounds."""
    parts: dict[str, list[str]] = {}
    for name, part in results.items():
        if isinstance(part, Mapping) and "commit" in part:
            words = f"Commit {part['commit']}, {part['hardware']}, {part['rounds']} rounds"
            parts.setdefault(words, []).append(name)
    return "\n".join(f"{words}: {', '.join(names)}." for words, names in parts.items())
