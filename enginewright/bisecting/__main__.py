"""`make bisect`: which nodes must stay fp32 for a variant whose precision fails, proven by one more cast.

    python -m enginewright.bisecting network=disk_lightglue layernorm=decomposed precision=fp16

Nothing that DVC tracks is touched: graphs of the last run are read where they fit, others are made below
scratch/bisect/. Exit status: 0 where the nodes are found and hold, or nothing breaks; 1 where not.
"""

from __future__ import annotations

import argparse
import sys

from enginewright.bisecting.bisect import Broken, bisected
from enginewright.bisecting.case import Case, case_of
from enginewright.bisecting.faults import by_module
from enginewright.bisecting.pasting import as_command, as_yaml, patterns_of
from enginewright.bisecting.proof import proven
from enginewright.command import parser_of
from enginewright.errors import ConfigError, exit_with
from enginewright.graphs.types import reduced_precision
from enginewright.verdicts import State

_SAMPLES, _MOST = 2, 60


def main(arguments: list[str]) -> int:
    """Bisect what the arguments name, print what is found and return the exit status."""
    options, words = _parser().parse_known_args(arguments)
    network, overrides = _split(words)
    case = case_of(network, overrides)
    if reduced_precision(case.typed) is None:
        raise ConfigError(
            f"{network} has no reduced tensors that could break",
            expected="precision=fp16, bf16, int8 or fp8",
            got=case.config.cast.precision.name,
        )
    broken = bisected(case, options.samples, max(2, options.most), _tell)
    if broken.found.further is None:
        _tell(_blamed(broken))
        return 1
    if not broken.nodes:
        _tell("nothing breaks: all ranges fit and the rehearsal passes")
        return 0
    return _proposed(case, overrides, broken)


def _parser() -> argparse.ArgumentParser:
    parser = parser_of("enginewright.bisecting", __doc__)
    parser.add_argument("--samples", type=_count, default=_SAMPLES, help="samples of each rehearsal (%(default)s)")
    parser.add_argument("--most", type=_count, default=_MOST, help="rehearsals of the search at most (%(default)s)")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got {text}")
    return int(text)


def _split(words: list[str]) -> tuple[str, list[str]]:
    names = [item.removeprefix("network=") for item in words if item.startswith("network=")]
    if len(names) != 1:
        raise ConfigError(
            "a bisection is of one network",
            expected="network=NAME with overrides, such as precision=fp16",
            got=" ".join(words) or "no arguments",
        )
    return names[0], [item for item in words if not item.startswith("network=")]


def _blamed(broken: Broken) -> str:
    every = f"with all {len(broken.order)} nodes in fp32"
    return (
        f"no set of nodes helps: the rehearsal fails {every} too. The precision is not what breaks it, but a stage"
        " before (swap, export or simplify), or tolerances that the fp32 graph does not meet: see its compare.json"
    )


def _proposed(case: Case, overrides: list[str], broken: Broken) -> int:
    """Print the nodes, what to paste and whether it holds."""
    _tell(f"{len(broken.nodes)} nodes must stay fp32 (rehearsals of the search: {broken.found.trials}):")
    for module, nodes in by_module(broken.nodes, broken.modules).items():
        _tell(f"  {module or 'no module'}: {', '.join(nodes)}")
    if broken.found.spent:
        _tell("the bound on rehearsals was reached: a smaller set may do. More with --most N")
    patterns = patterns_of(broken.nodes, case.config.cast.fp32_nodes)
    _tell(f"\n{as_yaml(patterns)}\n\n{as_command(case.network, overrides, patterns)}\n")
    verdicts = proven(case, patterns)
    for name, verdict in verdicts.items():
        _tell(f"{name}: {verdict.state.value}{f', {verdict.reason}' if verdict.reason else ''}")
    holds = all(verdict.state is State.passed for verdict in verdicts.values())
    _tell("it holds" if holds else "it does not hold")
    return 0 if holds else 1


def _tell(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    exit_with(lambda: main(sys.argv[1:]))
