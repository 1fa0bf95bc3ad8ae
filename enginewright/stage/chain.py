"""export and simplify in a row, by the stages' own functions, into a folder that DVC does not track.

Checkpoint and reference are those of the last `dvc repro` of the network: no precision and no LayerNorm form changes
them.
"""

from __future__ import annotations

from pathlib import Path

from enginewright.config.models import MergedModel, OnnxModel
from enginewright.config.network import NetworkConfig, check_name
from enginewright.config.typed import typed_network
from enginewright.errors import ConfigError
from enginewright.graphs.files import save_graph

WEIGHTS = Path("weights")


def configured(network: str, overrides: list[str]) -> NetworkConfig:
    """Return the configuration of a network with Hydra overrides.

    Raises:
        ConfigError: for a network or a value that does not fit.
    """
    from enginewright.stage.by_hand import composed_for

    check_name(network)
    return typed_network(composed_for(network, overrides)["networks"][network], network)


def needed(network: str, file: str) -> Path:
    """Return a file that the pipeline made of the network.

    Raises:
        ConfigError: if it is not there.
    """
    path = WEIGHTS / network / file
    if not path.is_file():
        cure = f"dvc exp run -S 'network=[{network}]', with its extractor if it is a matcher"
        raise ConfigError(
            f"{network} was not built here", expected=f"{network}'s {file}", got="no such file", cure=cure
        )
    return path


def write_exported(path: Path, network: str, config: NetworkConfig) -> None:
    """Write the exported graph of the network's checkpoint.

    Raises:
        ConfigError: if the network is no torch module, or its checkpoint is not here.
        GraphError, NetworkError: as the export stage does.
    """
    from stages import export

    if isinstance(config.model, OnnxModel | MergedModel):
        raise ConfigError(
            f"{network} is no torch module, so its graph is not exported anew",
            expected=f"{network} as the last run built it",
            cure="run the pipeline with these overrides first: dvc exp run -S ...",
        )
    checkpoint = needed(network, "checkpoint.safetensors")
    save_graph(path, export.run(config.model, config.swap.form, config.export, checkpoint))


def write_simplified(path: Path, exported: Path, config: NetworkConfig) -> None:
    """Write the simplified graph of an exported one."""
    from stages import simplify

    save_graph(path, simplify.run(config.simplify, exported)[0])
