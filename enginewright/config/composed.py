"""conf/ composed with Hydra overrides, resolved and checked, as DVC composes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from enginewright.config.refusals import as_error, refuse_swollen_files
from enginewright.config.resolvers import CONF
from enginewright.config.store import register


def composed(overrides: list[str], conf: Path = CONF) -> DictConfig:
    """Return conf/ composed with Hydra overrides, resolved and checked.

    Raises:
        ConfigError: with Hydra's own words and the allowed values, for anything that does not fit.
    """
    try:
        config = _compose(overrides, conf)
        OmegaConf.resolve(config)
    except (HydraException, OmegaConfBaseException, YAMLError, ValueError) as error:
        raise as_error(error, overrides) from error
    return config


def _compose(overrides: list[str], conf: Path) -> DictConfig:
    register()
    refuse_swollen_files(conf)
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(conf), version_base=None):
        return compose(config_name="config", overrides=overrides)


def unresolved() -> dict[str, Any]:
    """Return conf/ composed, with its interpolations as they are written: they say which value follows from which.

    Raises:
        ConfigError: if it does not compose.
    """
    try:
        found: Any = OmegaConf.to_container(_compose([], CONF), resolve=False, enum_to_str=True)
    except (HydraException, OmegaConfBaseException, YAMLError, ValueError) as error:
        raise as_error(error, []) from error
    return dict(found)


def plain(overrides: list[str]) -> dict[str, Any]:
    """Return `composed` as plain mappings, lists and values.

    Raises:
        ConfigError: as `composed` does.
    """
    found: Any = OmegaConf.to_container(composed(overrides), resolve=True, enum_to_str=True)
    return dict(found)


def params_text(config: DictConfig) -> str:
    """Return the text of params.yaml for a composed configuration."""
    return OmegaConf.to_yaml(config)
