"""The README's result table."""

from __future__ import annotations

from collections.abc import Sequence

from enginewright.report.summary import COLUMNS, Summary


def markdown_table(rows: Sequence[Summary], commit: str, hardware: str) -> str:
    """Return a Markdown table with a line for each network, and below it the reason for each `not run` or `failed`.

    commit: that the numbers were made at. hardware: that they were made on, in words.
    """
    head = ("Network", "Precision", *COLUMNS, "Commit", "Hardware")
    lines = [(row.network, row.precision, *(result.words for result in row.results), commit, hardware) for row in rows]
    table = [_line(head), _line(("---",) * len(head)), *map(_line, lines)]
    return "\n".join([*table, *_reasons(rows)]) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _reasons(rows: Sequence[Summary]) -> list[str]:
    """Return a list entry for each result that is not in order, after an empty line."""
    found = [
        f"- {row.network}, {column[0].lower()}{column[1:]}: {result.words}, {' '.join(result.reason.split())}"
        for row in rows
        for column, result in zip(COLUMNS, row.results, strict=True)
        if result.state not in ("passed", "done")
    ]
    return ["", *found] if found else []
