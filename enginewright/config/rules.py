"""Rules between sections and networks, checked once the whole configuration is composed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enginewright.config.choices import Form, Precision
from enginewright.config.merged import check_merged
from enginewright.config.network import NetworkConfig, check_name
from enginewright.config.quantised import reduced_types_of
from enginewright.config.shapes import check_shapes
from enginewright.config.typed import typed_network
from enginewright.engine.support import refuse_types
from enginewright.errors import ConfigError

_LAYERNORM_OPSET = 17


def check_networks(networks: Mapping[str, Mapping[str, Any]]) -> dict[str, NetworkConfig]:
    """Return every network typed, after the checks of each value and of each rule between them.

    Raises:
        ConfigError: for the first breach.
    """
    if not networks:
        raise ConfigError("no network is configured", expected="at least one", cure="network=[disk,disk_lightglue]")
    for name in networks:
        check_name(name)
    typed = {name: typed_network(values, name) for name, values in networks.items()}
    for name, network in typed.items():
        _check_extractor(name, network, typed)
        _check_layernorm(name, network)
        _check_tf32(name, network)
        types = reduced_types_of(network.cast.precision, network.cast.rest)
        refuse_types(types, network.build.compute_capabilities)
        check_merged(name, network, typed)
        check_shapes(name, network, typed)
    return typed


def _check_extractor(name: str, network: NetworkConfig, networks: Mapping[str, NetworkConfig]) -> None:
    if network.extractor not in networks:
        raise ConfigError(
            f"networks.{name}.extractor names a network that this run does not build",
            expected=sorted(networks),
            got=network.extractor,
            cure=f"network=[{network.extractor},{name}]",
        )
    feeding = networks[network.extractor].model
    if network.extractor_adapter != feeding.adapter:
        raise ConfigError(
            f"networks.{name}.extractor_adapter is not that of {network.extractor}: DVC would watch another file",
            expected=feeding.adapter,
            got=network.extractor_adapter,
            cure=f"extractor_adapter: ${{networks.{network.extractor}.model.adapter}}",
        )
    wanted, given = getattr(network.model, "keypoints", None), getattr(feeding, "keypoints", None)
    if wanted is not None and wanted != given:
        raise ConfigError(
            f"networks.{name} and its extractor {network.extractor} disagree on the number of keypoints",
            expected=f"model.keypoints={given}",
            got=wanted,
            cure=f"set networks.{name}.model.keypoints={given}",
        )


def _check_layernorm(name: str, network: NetworkConfig) -> None:
    native = network.model.layernorms > 0 and network.swap.form is Form.native
    if native and network.export.opset < _LAYERNORM_OPSET:
        raise ConfigError(
            f"networks.{name} asks for the native LayerNorm form at opset {network.export.opset}",
            expected="opset 17 or more (the first with a LayerNormalization operator), or another LayerNorm form",
            got=f"export.opset={network.export.opset}, layernorm=native",
            cure="layernorm=decomposed, island or scaled; or export.opset=17",
        )


def _check_tf32(name: str, network: NetworkConfig) -> None:
    """Refuse a TF32 flag that makes the engine another precision than the one asked for."""
    precision, found = network.cast.precision, network.build.tf32
    wanted = {Precision.tf32: True, Precision.fp32: False}.get(precision, found)
    if found is None or found is not wanted:
        raise ConfigError(
            f"networks.{name}.build.tf32 contradicts precision={precision.name}",
            expected="true or false" if wanted is None else str(wanted).lower(),
            got=found,
            cure="leave build.tf32 and builder.tf32 out: they follow the precision, fp32 or tf32",
        )
