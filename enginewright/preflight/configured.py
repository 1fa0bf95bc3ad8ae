"""The graph of a configured network, exported with arbitrary weights: no checkpoint is fetched."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from enginewright.config.compose import composed
from enginewright.config.network import AXES, NetworkConfig, check_name
from enginewright.config.typed import typed, typed_network
from enginewright.errors import ConfigError

if TYPE_CHECKING:
    import onnx


def network_config(name: str, overrides: list[str]) -> NetworkConfig:
    """Return the configuration of one network with Hydra overrides, whether or not a run builds it by default.

    Raises:
        ConfigError: for a network or a value that does not fit.
    """
    check_name(name)
    chosen = list(dict.fromkeys([*_networks([]), name]))
    networks = _networks([f"network=[{','.join(chosen)}]", *overrides])
    if name not in networks:
        raise ConfigError("unknown network", expected=sorted(networks), got=name)
    return typed_network(networks[name], name)


def exported(config: NetworkConfig) -> onnx.ModelProto:
    """Return the graph that the export stage would write, but with the weights that the module starts with.

    Raises:
        GraphError, NetworkError: as the export stage does.
    """
    import networks
    from enginewright.weights.store import write_checkpoint
    from stages import export

    module = networks.load(config.model.adapter).module(config.model)
    with tempfile.TemporaryDirectory(prefix="enginewright-") as folder:
        checkpoint = Path(folder) / "arbitrary.safetensors"
        write_checkpoint(checkpoint, module.state_dict())
        return export.run(config.model, config.swap.form, config.export, checkpoint)


def sections(overrides: list[str]) -> dict[str, Any]:
    """Return the sections that every network starts from, by the names of conf/: builder, precision, simplify ...

    Raises:
        ConfigError: for a value that does not fit.
    """
    plain: Any = OmegaConf.to_container(composed(overrides), resolve=True, enum_to_str=True)
    return {axis: typed(cls, plain[axis], axis) for axis, (_, cls) in AXES.items()}


def _networks(overrides: list[str]) -> Mapping[str, Any]:
    plain: Any = OmegaConf.to_container(composed(overrides).networks, resolve=True, enum_to_str=True)
    return dict(plain)
