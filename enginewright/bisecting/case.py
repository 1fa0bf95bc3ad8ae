"""What is bisected: a network's typed graph, the graphs that it was made from, and its reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import onnx

from enginewright.bisecting.last_run import fitting
from enginewright.config.network import NetworkConfig
from enginewright.config.sections import CastConfig
from enginewright.graphs.clean import name_nodes
from enginewright.graphs.files import load_graph, save_graph
from enginewright.graphs.modules import kept_modules
from enginewright.progress import progress
from enginewright.reference import Reference, load_reference
from enginewright.stage.chain import configured, needed, write_exported, write_simplified

SCRATCH = Path("scratch/bisect")


@dataclass(frozen=True)
class Case:
    """One network at one point of the configuration. folder: where everything that is made for it goes."""

    network: str
    config: NetworkConfig
    reference: Reference
    exported: Path
    simplified: Path
    typed: Path
    folder: Path

    def modules(self) -> dict[str, str]:
        """Return torch paths by node name, as export wrote them down."""
        return kept_modules(load_graph(self.exported))

    def source(self) -> onnx.ModelProto:
        """Return the simplified graph, its nodes named as the cast names them."""
        model = load_graph(self.simplified)
        name_nodes(model)
        return model


def case_of(network: str, overrides: list[str]) -> Case:
    """Return the case of a network with Hydra overrides: graphs of the last run where they fit, made anew where not.

    Raises:
        ConfigError: if the network is not there, was never built here, or a value does not fit.
        GraphError: as the stages do that make its graphs.
    """
    config = configured(network, overrides)
    reference = load_reference(needed(network, "reference.npz"))
    folder = SCRATCH / network
    last = fitting(network, config)

    def graph(file: str, write: Callable[[Path], None]) -> Path:
        if file in last:
            return last[file]
        with progress(f"make {file} of {network}"):
            write(folder / file)
        return folder / file

    exported = graph("exported.onnx", lambda path: write_exported(path, network, config))
    simplified = graph("simplified.onnx", lambda path: write_simplified(path, exported, config))
    typed = graph("typed.onnx", lambda path: write_typed(path, simplified, reference, config, config.cast))
    return Case(network, config, reference, exported, simplified, typed, folder)


def write_typed(path: Path, simplified: Path, reference: Reference, config: NetworkConfig, cast: CastConfig) -> None:
    """Write the typed graph of a simplified one, by the cast stage's own function; cast: the section that it reads."""
    from stages.cast import run

    save_graph(path, run(cast, simplified, reference, config.swap.form)[0])
