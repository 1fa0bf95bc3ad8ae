"""Latency on a GPU: packs all it needs into one folder, runs the folder where there is a GPU, and writes a table.

python -m benchmarks.latency pack --out bundle
python -m benchmarks.latency run --bundle bundle --out results --seconds 280    there
python -m benchmarks.latency table --results results/nvidia-h200.json
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from enginewright.artifacts import read_json, write_bytes
from enginewright.command import at_least_one, pattern
from enginewright.engine.gpu import find_gpu
from enginewright.errors import exit_with
from enginewright.probing import versions

RESULTS = Path("benchmarks/latency/results")
_PACKAGES = ("onnxruntime-gpu", "onnxruntime", "torch", "triton", "onnx", "numpy")


def main(arguments: list[str]) -> int:
    """Run what was asked for; 0 even where contestants were not run: their rows say why."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.what == "table" and options.results is None:
        parser.error("table: expected --results FILE.json, which `run` wrote")
    if options.what == "pack":
        from benchmarks.latency.pack import pack

        pack(options.out, options.only)
    if options.what == "run":
        from benchmarks.latency.run import Effort, run

        results = options.out / f"{_device().lower().replace(' ', '-')}.json"
        effort = Effort(options.seconds, options.rounds, options.calls, options.only)
        run(options.bundle, results, options.device, effort, _where())
        _table(results)
    if options.what == "table":
        _table(options.results)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description="Latency on a GPU.")
    parser.add_argument("what", choices=("pack", "run", "table"))
    parser.add_argument("--bundle", type=Path, default=Path("scratch/latency"), help="folder that `pack` wrote")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the bundle, or of the results")
    parser.add_argument("--results", type=Path, help="results that the table is of")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu: to try the run, not to time it")
    parser.add_argument("--seconds", type=float, default=280.0, help="for the whole run; what did not fit is not run")
    parser.add_argument("--rounds", type=at_least_one, default=7, help="turns of each contestant")
    parser.add_argument(
        "--calls", type=at_least_one, default=40, help="timed calls in a turn, fewer where they take long"
    )
    parser.add_argument(
        "--only",
        type=pattern,
        default="",
        help="regular expression: run, of the rows that take part; pack, of the pipeline's graphs that do",
    )
    return parser


def _table(results: Path) -> None:
    from benchmarks.latency.table import table

    text = table(read_json(results))
    write_bytes(results.with_suffix(".md"), text.encode())
    print(text)


def _device() -> str:
    gpu = find_gpu()
    return gpu.name if gpu else "no GPU"


def _where() -> dict[str, Any]:
    gpu = find_gpu()
    there = {package: found for package, found in versions(_PACKAGES).items() if found}
    return {"device": _device(), "driver": gpu.driver if gpu else "none", "versions": there}


if __name__ == "__main__":
    exit_with(lambda: main(sys.argv[1:]))
