"""`make sweep`: many variants, every shared step built once, each variant a DVC experiment.

    make sweep SWEEP=opset_precision
    make sweep ARGS='precision=fp32,fp16 layernorm=native,scaled' WORKERS=2
    make sweep SWEEP=opset_precision ENGINE=ray REMOTE=sweeps

The same command again goes on after an interruption. Exit status: 0 where every variant was built, or was there.
"""

from __future__ import annotations

import argparse
import signal
import sys

from enginewright.command import parser_of
from enginewright.errors import exit_with
from enginewright.sweeping.engines import ENGINES, Request


def main(arguments: list[str]) -> int:
    """Run the sweep that the arguments name and return the exit status."""
    options, words = _parser().parse_known_args(arguments)
    from enginewright.sweeping.axes import sweep_of
    from enginewright.sweeping.sweep import run_sweep

    for number in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: a shell lets what it starts behind it ignore it
        signal.signal(number, signal.default_int_handler)
    request = Request(
        workers=options.workers,
        engine=options.engine,
        address=options.address,
        cluster=options.cluster,
        remote=options.remote,
        folder=options.folder,
        options=tuple(options.option),
        fetch_all=options.fetch_all,
    )
    try:
        return run_sweep(sweep_of(options.sweep, words), request)
    except KeyboardInterrupt:
        print("interrupted: the same command goes on from here", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = parser_of("enginewright.sweeping", __doc__)
    parser.add_argument("--sweep", help="name of a file of conf/experiment/ with hydra.sweeper.params")
    parser.add_argument("--workers", type=int, help="side by side; by default what cores and memory take")
    parser.add_argument("--engine", choices=ENGINES, default="local")
    parser.add_argument("--remote", help="ray, slurm: the DVC remote where workers meet; by default the default one")
    parser.add_argument("--address", help="ray: of a running cluster; by default one is started here")
    parser.add_argument("--cluster", choices=("slurm", "local"), default="slurm", help="slurm: local needs no SLURM")
    parser.add_argument(
        "--option", action="append", default=[], help="slurm: KEY=VALUE for submitit, such as slurm_partition=gpu"
    )
    parser.add_argument("--folder", help="where workers put their clones, on their own machines")
    parser.add_argument("--fetch-all", action="store_true", help="ray, slurm: bring large outputs to this cache too")
    return parser


if __name__ == "__main__":
    exit_with(lambda: main(sys.argv[1:]))
