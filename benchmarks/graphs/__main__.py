"""The pipeline's graphs beside those of both exporters, by themselves and through onnxsim and onnxslim; fp32, a CPU.

python -m benchmarks.graphs                     after make repro; writes benchmarks/graphs/results.json and .md
python -m benchmarks.graphs --rounds 9
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from enginewright.artifacts import write_bytes, write_json
from enginewright.command import at_least_one, parser_of
from enginewright.errors import exit_with

_PACKAGES = ("torch", "onnx", "onnxsim", "onnxslim", "onnxruntime", "tensorrt-rtx-cu13")
RESULTS = Path(__file__).with_name("results.json")


def main(arguments: list[str]) -> int:
    """Make the graphs, measure them, and write the table."""
    parser = parser_of("benchmarks.graphs", __doc__)
    parser.add_argument("--rounds", type=at_least_one, default=7, help="times that each graph is timed")
    options = parser.parse_args(arguments)
    from benchmarks.graphs.contestants import EXTRACTOR, MATCHER, contestants
    from benchmarks.graphs.measure import measured
    from benchmarks.graphs.table import table
    from enginewright.lineage.commits import head
    from enginewright.probing import versions
    from enginewright.report.table import hardware

    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="graphs-") as folder:
        for network in (EXTRACTOR, MATCHER):
            rows += measured(list(contestants(network, Path(folder))), options.rounds)
    found = {
        "commit": head(Path())[0],
        "hardware": hardware(),
        "versions": versions(_PACKAGES),
        "rounds": options.rounds,
        "rows": rows,
    }
    write_json(RESULTS, found)
    write_bytes(RESULTS.with_suffix(".md"), table(found).encode())
    print(table(found))
    return 0


if __name__ == "__main__":
    exit_with(lambda: main(sys.argv[1:]))
