"""The graphs: each exporter's by itself, through each simplifier as its own users call it, and the pipeline's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import onnx

from enginewright.config.choices import Exporter
from enginewright.config.network import NetworkConfig
from enginewright.errors import GraphError
from enginewright.graphs.files import load_graph, save_graph
from enginewright.stage.chain import configured, needed, write_exported, write_simplified

EXTRACTOR, MATCHER = "disk", "disk_lightglue"

Tool = Callable[[onnx.ModelProto], onnx.ModelProto]


@dataclass(frozen=True)
class Contestant:
    """A graph of a network, in a file; ours: whether the pipeline made it."""

    name: str
    network: str
    path: Path
    ours: bool


def contestants(network: str, folder: Path) -> Iterator[Contestant]:
    """Yield the graphs of a network that was built here, those of others made into `folder`.

    Raises:
        ConfigError: if the network was not built here.
    """
    yield Contestant("pipeline", network, needed(network, "typed.onnx"), ours=True)
    if network == MATCHER:
        for graph, opset in (("folded", 20), ("fused", 23)):
            yield Contestant(f"pipeline, graph={graph}", network, _ours(network, graph, opset, folder), ours=True)
    for exporter in Exporter:
        exported = _exported(network, folder, exporter.name, _config(network, f"export.exporter={exporter.name}"))
        yield Contestant(exporter.name, network, exported, ours=False)
        for name, tool in TOOLS.items():
            path = exported.with_name(f"{exported.stem}-{name}.onnx")
            save_graph(path, tool(load_graph(exported)))
            yield Contestant(f"{exporter.name}, {name}", network, path, ours=False)


def _ours(network: str, graph: str, opset: int, folder: Path) -> Path:
    config = _config(network, f"model.options.graph={graph}", f"export.opset={opset}")
    exported = _exported(network, folder, graph, config)
    path = exported.with_name(f"{exported.stem}-simplified.onnx")
    write_simplified(path, exported, config)
    return path


def _exported(network: str, folder: Path, name: str, config: NetworkConfig) -> Path:
    path = folder / f"{network}-{name}.onnx"
    write_exported(path, network, config)
    return path


def _config(network: str, *overrides: str) -> NetworkConfig:
    return configured(network, [f"networks.{network}.{item}" for item in overrides])


def _onnxsim(model: onnx.ModelProto) -> onnx.ModelProto:
    import onnxsim

    simplified, right = onnxsim.simplify(model)
    if not right:
        raise GraphError("onnxsim's own check refuses what it made")
    found: onnx.ModelProto = simplified
    return found


def _onnxslim(model: onnx.ModelProto) -> onnx.ModelProto:
    import onnxslim  # type: ignore[import-untyped]

    found: onnx.ModelProto = onnxslim.slim(model)
    return found


TOOLS: dict[str, Tool] = {"onnxsim": _onnxsim, "onnxslim": _onnxslim}
"""Simplifiers, at their own defaults."""
