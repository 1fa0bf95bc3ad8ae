"""What the pipeline costs: `make bench`, or a part of it.

    python -m benchmarks judged                 what has a budget
    python -m benchmarks all                    those, and changes, steps and growth
    python -m benchmarks cold opset --rounds 3  parts by name
    python -m benchmarks check                  what is over its budget or got worse, and since which commit
    python -m benchmarks table                  the table of results.json

Parts that are named together are measured interleaved. --folder: where clones go, kept afterwards; a temporary one by
default. --small tries the benchmark itself. Exit status of check: 1 where something is over its budget, got worse, or
was not measured.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import parts, results
from benchmarks.growth_plot import PICTURE, growth_picture
from benchmarks.history import entries, findings, missing
from benchmarks.pipeline import SMALL
from benchmarks.place import ROOT, Place
from benchmarks.readme import write_table
from benchmarks.rounds import measure
from benchmarks.table import table
from enginewright.artifacts import write_bytes
from enginewright.command import at_least_one, parser_of
from enginewright.errors import exit_with


def main(arguments: list[str]) -> int:
    """Measure the parts that are named, or check what was measured; return the exit status."""
    parser = parser_of("benchmarks", __doc__)
    parser.add_argument("parts", nargs="+", choices=[*parts.NAMES, "check", "table"], metavar="PART")
    parser.add_argument("--rounds", type=at_least_one, default=2)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--small", action="store_true", help="try the benchmark: small networks, figures not kept")
    options = parser.parse_args(arguments)
    if options.parts == ["check"]:
        return check()
    if options.parts != ["table"]:
        figures = _measured(options)
        if options.small:
            print(table(figures))
            return 0
        known = results.keep(figures, options.rounds)
        write_table(known)
        if any(name.startswith("growth") for name in figures):
            write_bytes(PICTURE, growth_picture(known))
        check()
    print(table(results.read()))
    return 0


def _measured(options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        place = Place((options.folder or Path(name)).resolve(), SMALL if options.small else ())
        place.folder.mkdir(parents=True, exist_ok=True)
        return measure(parts.named(place, options.parts), options.rounds)


def check() -> int:
    """Print what is over its budget, got worse or was not measured; return 1 if anything is."""
    known = results.read()
    found = [finding.told() for finding in findings(known, entries(ROOT))]
    found += [f"{key} was not measured" for key in missing(known)]
    print("\n".join(found) or "every ratio is within its budget, and none got worse")
    return int(bool(found))


if __name__ == "__main__":
    exit_with(lambda: main(sys.argv[1:]))
