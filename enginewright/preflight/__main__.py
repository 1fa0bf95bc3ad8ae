"""Preflight by hand: of a configured network, or of any ONNX file.

    python -m enginewright.preflight network=disk [export.opset=18 precision=fp16 ...]
    python -m enginewright.preflight --graph model.onnx [builder=tensorrt --range height=256:512 ...]

Exit status: 0 where nothing stands against the graph, 1 where something does, 2 where the builder cannot be asked here.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from enginewright.artifacts import write_json
from enginewright.command import parser_of
from enginewright.config.models import OnnxModel
from enginewright.config.network import NetworkConfig
from enginewright.errors import ConfigError, GraphError, exit_with
from enginewright.preflight.report import Report
from enginewright.preflight.task import Options
from enginewright.progress import progress
from enginewright.verdicts import State, not_run

if TYPE_CHECKING:
    import onnx

_STATUS = {State.passed: 0, State.failed: 1, State.not_run: 2}
_CURE = "name an ONNX file, whole and as its exporter wrote it"
_RANGE = re.compile(r"([\w.]+)=(\d+):(\d+)")


def main(arguments: list[str]) -> int:
    """Check the graph that the arguments name, print the report, and return the exit status."""
    options, overrides = _parser().parse_known_args(arguments)
    report = _of_file(options, overrides) if options.graph else _of_network(overrides)
    print(report)
    if options.json:
        write_json(options.json, report.as_metrics())
    return _STATUS[report.verdict.state]


def _parser() -> argparse.ArgumentParser:
    parser = parser_of("enginewright.preflight", __doc__)
    parser.add_argument("--graph", type=Path, metavar="FILE", help="an ONNX file, instead of network=NAME")
    parser.add_argument(
        "--range", action="append", default=[], metavar="AXIS=MIN:MAX", help="with --graph: range of a dynamic axis"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there too, as preflight.json")
    return parser


def _of_network(overrides: list[str]) -> Report:
    from enginewright.preflight.check import check_graph, missing
    from enginewright.preflight.configured import exported

    name, configs = _network(overrides)
    config = configs[name]
    if (lack := missing(config.build.builder)) is not None:
        return Report(config.build.builder, not_run(lack))
    with progress(f"export {name} with arbitrary weights ({config.export.exporter.name})"):
        graph = exported(name, configs)
    return check_graph(graph, Options.of(config.model, config.simplify, config.cast, config.build))


def _network(overrides: list[str]) -> tuple[str, dict[str, NetworkConfig]]:
    from enginewright.preflight.configured import network_configs

    names = [item.removeprefix("network=") for item in overrides if item.startswith("network=")]
    if len(names) != 1 or not names[0]:
        raise ConfigError(
            "preflight is for one graph",
            expected="network=NAME with overrides, or --graph FILE",
            got=" ".join(overrides) or "no arguments",
            cure="make preflight NETWORK=disk, or make preflight GRAPH=model.onnx",
        )
    return names[0], network_configs(names[0], [item for item in overrides if not item.startswith("network=")])


def _of_file(options: Any, overrides: list[str]) -> Report:
    """Check a file with the sections that every network starts from."""
    from enginewright.preflight.check import check_graph
    from enginewright.preflight.configured import sections

    if any(item.startswith("network=") for item in overrides):
        raise ConfigError(
            "preflight is for one graph", expected="network=NAME or --graph FILE, not both", got=overrides
        )
    found = sections(overrides)
    model = OnnxModel(ranges=dict(_range(text) for text in options.range))
    return check_graph(_read(options.graph), Options.of(model, found["simplify"], found["precision"], found["builder"]))


def _range(text: str) -> tuple[str, list[int]]:
    found = _RANGE.fullmatch(text)
    if not found or not 0 < int(found[2]) <= int(found[3]):
        raise ConfigError("a range does not fit", expected="--range AXIS=MIN:MAX, 0 < MIN <= MAX", got=text)
    return found[1], [int(found[2]), int(found[3])]


def _read(path: Path) -> onnx.ModelProto:
    """Return the model in a file; tensors in other files are left there, for the report to name."""
    from enginewright.graphs.files import read_graph

    if not path.is_file():
        raise GraphError("there is no such file", expected="an ONNX file", got=path, cure=_CURE)
    return read_graph(path, _CURE)


if __name__ == "__main__":
    exit_with(lambda: main(sys.argv[1:]))
