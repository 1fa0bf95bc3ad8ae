"""`make table`: the result table of the last run, for the README of this or of your own repository."""

from __future__ import annotations

import os
from pathlib import Path

from enginewright.engine.gpu import find_gpu
from enginewright.errors import exit_with
from enginewright.lineage.commits import head
from enginewright.report.markdown import markdown_table
from enginewright.report.summary import summary_rows


def commit() -> str:
    """Return the short commit of the working tree, with `+` where tracked files differ from it."""
    short, edited = head()
    return short + "+" * edited


def hardware() -> str:
    """Return the processor count and the GPU, in words."""
    gpu = find_gpu()
    return f"{os.cpu_count()} CPU cores, {gpu.name if gpu else 'no GPU'}"


def main() -> None:
    """Print the table of the metrics below metrics/."""
    print(markdown_table(summary_rows(Path("metrics")), commit(), hardware()), end="")


if __name__ == "__main__":
    exit_with(main)
