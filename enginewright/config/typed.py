"""From plain mappings to the frozen dataclasses: unknown keys, wrong types and missing values are refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from enginewright.config.models import model_class
from enginewright.config.network import SECTIONS, NetworkConfig
from enginewright.config.schema import schema_of
from enginewright.errors import ConfigError, NotAllowedError

T = TypeVar("T")


def typed(cls: type[T], values: Any, key: str) -> T:
    """Return `values` as an instance of the dataclass `cls`.

    Raises:
        ConfigError: naming the full key, the allowed keys or values, and what was got.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"{key} is no mapping", expected=_keys(cls), got=values, cure="compose params.yaml again")
    try:
        value = OmegaConf.to_object(OmegaConf.merge(schema_of(cls), dict(values)))
    except OmegaConfBaseException as error:
        raise NotAllowedError(
            f"{key}: {str(error).splitlines()[0]}",
            expected=f"keys {_keys(cls)}",
            got=f"{key}.{error.full_key}" if error.full_key else dict(values),
            cure="correct it in conf/ or on the command line",
        ) from error
    assert isinstance(value, cls)  # noqa: S101 - to_object returns the structured type; this tells the type checker
    return value


def typed_section(network: Mapping[str, Any], name: str, section: str) -> Any:
    """Return one section of the mapping of network `name` as its dataclass.

    Raises:
        ConfigError: also if the section is missing.
    """
    if section not in network:
        raise ConfigError(f"networks.{name}.{section} is missing", expected=sorted(network), cure="compose params.yaml")
    values = network[section]
    cls = model_class(str(values.get("kind"))) if section == "model" else SECTIONS[section]
    return typed(cls, values, f"networks.{name}.{section}")


def typed_network(network: Mapping[str, Any], name: str) -> NetworkConfig:
    """Return all sections of the mapping of network `name`.

    Raises:
        ConfigError: for the first section that does not fit.
    """
    if not isinstance(network, Mapping):
        raise ConfigError(f"networks.{name} is no mapping", expected=_keys(NetworkConfig), got=network)
    sections = {section: typed_section(network, name, section) for section in ("model", *SECTIONS)}
    unknown = sorted(set(network) - set(_keys(NetworkConfig)))
    if unknown:
        raise NotAllowedError(f"networks.{name} has unknown keys", expected=_keys(NetworkConfig), got=unknown)
    return NetworkConfig(
        extractor=str(network["extractor"]), extractor_adapter=str(network["extractor_adapter"]), **sections
    )


def _keys(cls: type) -> list[str]:
    return [item.name for item in fields(cls)]
