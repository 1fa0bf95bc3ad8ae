"""Composes conf/ into params.yaml, with the same bytes as DVC does: `python -m enginewright.config.compose`.

Options: `--check` writes nothing and fails if params.yaml is not what conf/ composes to; Hydra overrides follow.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from enginewright.artifacts import write_bytes
from enginewright.config.refusals import as_error, refuse_swollen_files
from enginewright.config.resolvers import CONF
from enginewright.config.store import register
from enginewright.errors import ConfigError, exit_with
from enginewright.private_folders import keep_private


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


def differences(old: Any, new: Any, key: str = "") -> list[str]:
    """Return one line, `key: old -> new`, for each value that differs between two plain containers."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = dict.fromkeys([*old, *new])
        return [
            row for name in keys for row in differences(old.get(name), new.get(name), f"{key}.{name}" if key else name)
        ]
    return [] if old == new else [f"{key}: {old} -> {new}"]


def _report(path: Path, text: str) -> list[str]:
    old = OmegaConf.to_container(OmegaConf.load(path)) if path.exists() else {}
    rows = differences(old, OmegaConf.to_container(OmegaConf.create(text)))
    return [row for row in rows if not row.startswith("composed")]


def main(arguments: list[str]) -> int:
    """Compose, then write params.yaml or check it; say which values change."""
    parser = argparse.ArgumentParser(prog="compose", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if params.yaml is stale")
    parser.add_argument("--output", type=Path, default=Path("params.yaml"))
    parser.add_argument("overrides", nargs="*", help="Hydra overrides, such as precision=fp16")
    options = parser.parse_args(arguments)
    keep_private(CONF.parent)
    text = params_text(composed(options.overrides))
    if options.output.exists() and options.output.read_text(encoding="utf-8") == text:
        return 0
    for row in _report(options.output, text):
        print(f"params.yaml  {row}", file=sys.stderr)
    if options.check:
        raise ConfigError("params.yaml is not what conf/ composes to", cure="make params, or dvc exp run")
    write_bytes(options.output, text.encode())
    return 0


if __name__ == "__main__":
    exit_with(lambda: main(sys.argv[1:]))
