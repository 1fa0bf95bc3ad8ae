"""Hydra's and OmegaConf's exceptions as errors that name the allowed values."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    InterpolationKeyError,
    MissingMandatoryValue,
    OmegaConfBaseException,
)
from yaml import YAMLError

from enginewright.config.resolvers import CONF
from enginewright.config.yaml_text import Swollen, load_yaml, refuse_deep
from enginewright.errors import ConfigError, EnginewrightError, NotAllowedError
from enginewright.input_file import read_input

_FILES, _PLAIN_BYTES, _MOST_BYTES = "file://", 1 << 14, 1 << 22
_NETWORK = re.compile(r"networks\.(\w+)\.")


def tell_by_every_route() -> None:
    """Let Hydra raise our errors where it composes, in DVC's process too: its own advice is to force a typo in.

    A Hydra without this loader keeps its own words.
    """
    try:
        from hydra._internal.config_loader_impl import ConfigLoaderImpl
    except ImportError:
        return
    load = ConfigLoaderImpl.load_configuration
    if hasattr(load, "__wrapped__"):
        return

    @wraps(load)
    def told(loader: Any, config_name: str | None, overrides: list[str], *rest: Any, **named: Any) -> DictConfig:
        try:
            for place in loader.get_search_path().get_path():
                folder = Path((place.path or "").removeprefix(_FILES))
                if folder.is_absolute():  # and no package of Python
                    refuse_swollen_files(folder)
            return load(loader, config_name, overrides, *rest, **named)
        except (HydraException, OmegaConfBaseException, YAMLError) as error:
            raise as_error(error, [text for text in overrides if not text.startswith("hydra.")]) from None

    ConfigLoaderImpl.load_configuration = told  # type: ignore[assignment, method-assign]


def refuse_swollen_files(conf: Path) -> None:
    """Refuse YAML files below `conf` whose aliases make them far larger than they are, before Hydra spells them out.

    Raises:
        NotAllowedError: naming the file.
    """
    for path in sorted(conf.rglob("*.yaml")):
        try:
            data = read_input(path, _MOST_BYTES)
            refuse_deep(data)
            if b"&" in data or len(data) > _PLAIN_BYTES:  # without an anchor nothing has an alias
                load_yaml(data)
        except Swollen as error:
            raise NotAllowedError(
                f"{path.relative_to(conf.parent)} cannot be used: {error}",
                expected="values, and interpolations such as ${precision}, in the place of aliases",
                cure="write it out",
            ) from None
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error}", expected="a file of configuration") from error
        except YAMLError:  # Hydra says it with the line
            continue


def as_error(error: Exception, overrides: list[str]) -> EnginewrightError:
    """Return the user's error behind an exception of Hydra or OmegaConf: ours if there is one, else a translation."""
    chain = list(_causes(error))
    for cause in chain:
        if isinstance(cause, EnginewrightError):
            return cause
    for cause in chain:
        if isinstance(cause, InterpolationKeyError) and (named := _NETWORK.search(str(cause))):
            return _missing_network(named[1], overrides)
    # The outermost of OmegaConf's exceptions: the inner ones still hold placeholders for key and value.
    told = [cause for cause in chain if isinstance(cause, OmegaConfBaseException)]
    found = next((cause for cause in told if isinstance(cause, MissingMandatoryValue)), next(iter(told), error))
    allowed = _allowed(found)
    return NotAllowedError(
        f"the configuration does not compose: {_key_of(found)}{_first_part(found)}",
        expected=allowed,
        got=" ".join(overrides) or "conf/ as it stands",
        cure=f"{_nearest(found, allowed)}see conf/ for the keys, their units and ranges",
    )


def _nearest(error: BaseException, allowed: list[str] | None) -> str:
    """Return the allowed name that is most like the one that was given, as a question; empty where none is."""
    full = str(getattr(error, "full_key", None) or getattr(error, "missing_cfg_file", None) or "")
    close = difflib.get_close_matches(re.split(r"[./]", full)[-1], allowed or [], 1)
    return f"did you mean {close[0]}? " if close else ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _missing_network(name: str, overrides: list[str]) -> ConfigError:
    return ConfigError(
        f"a network needs {name}, which this run does not build",
        expected=f"{name} among the networks",
        got=" ".join(overrides) or "conf/config.yaml's list",
        cure=f"add it: network=[{name},...]",
    )


def _first_part(error: BaseException) -> str:
    """Return Hydra's message without its search path and without its advice to force the key in."""
    text = str(error).split("Config search path")[0].split("\n    full_key")[0].split("\nTo append")[0]
    return " ".join(text.split())


def _key_of(error: BaseException) -> str:
    """Return the full key of the value that does not fit, unless the message names it."""
    key = getattr(error, "full_key", None)
    return f"{key}: " if key and key not in str(error).split("\n    full_key")[0] else ""


def _allowed(error: BaseException) -> list[str] | None:
    if isinstance(error, MissingConfigException):
        return _options(error)
    if not isinstance(error, (ConfigKeyError, ConfigAttributeError)):
        return None
    cls, parent = error.object_type, error.parent_node
    if isinstance(cls, type) and is_dataclass(cls):
        return [item.name for item in fields(cls)]
    return [str(key) for key in parent if key != "hydra"] if isinstance(parent, DictConfig) else None


def _options(error: MissingConfigException) -> list[str] | None:
    """Return the options of a group that is a list, such as `network`: Hydra's message names those of others only."""
    group = str(error.missing_cfg_file).rpartition("/")[0]
    if error.options or not group:
        return None
    return sorted(path.stem for path in (CONF / group).glob("*.yaml") if not path.stem.startswith("_"))
