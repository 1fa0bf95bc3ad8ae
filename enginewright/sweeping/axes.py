"""From what the user typed to the variants of a sweep: Hydra's own sweep syntax, or a named sweep of conf/experiment/.

A named sweep keeps its axes where Hydra looks for them, under `hydra.sweeper.params`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra import compose, initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, ValueType
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from enginewright.config.refusals import as_error
from enginewright.config.resolvers import CONF
from enginewright.config.store import register
from enginewright.errors import NotAllowedError, SweepError
from enginewright.sweeping.naming import names_of, sweep_name

_EXPERIMENT = "experiment"


@dataclass(frozen=True)
class Variant:
    """One point of a sweep.

    swept: its overrides on the axes, in their order; overrides: all that compose it, the constant ones too.
    """

    name: str
    swept: tuple[str, ...]
    overrides: tuple[str, ...]


@dataclass(frozen=True)
class Sweep:
    """A name, and the variants in the order of the axes, the last axis fastest."""

    name: str
    variants: tuple[Variant, ...]


def sweep_of(named: str | None, words: Sequence[str]) -> Sweep:
    """Return the sweep of a name, of Hydra overrides, or of both; an override takes the place of an axis of its key.

    Raises:
        ConfigError: for a name or a word that Hydra does not take.
        SweepError: if nothing is swept.
    """
    parsed = _parsed([*([f"{_EXPERIMENT}={named}"] if named else []), *words])
    base = next((item for item in parsed if item.key_or_group == _EXPERIMENT and not item.is_sweep_override()), None)
    axes = _axes_of(str(base.value())) if base else {}
    parsed = _with_axes(parsed, _parsed([f"{key}={value}" for key, value in axes.items()]))
    swept = [item.get_key_element() for item in parsed if item.is_sweep_override()]
    if not swept:
        raise SweepError(
            "nothing is swept",
            expected="a sweep of conf/experiment/ with hydra.sweeper.params, or an override with several values",
            got=" ".join([*([f"SWEEP={named}"] if named else []), *words]) or "no arguments",
            cure="make sweep SWEEP=opset_precision, or make sweep ARGS='precision=fp32,fp16'",
        )
    name = named or (str(base.value()) if axes and base else sweep_name(swept, words))
    return Sweep(name, tuple(_variants(name, _points(parsed), swept)))


def _with_axes(words: list[Override], axes: list[Override]) -> list[Override]:
    """Return the words, then the axes in their order, those that a word names as the word has them."""
    given = {item.get_key_element(): item for item in words}
    keys = [item.get_key_element() for item in axes]
    rest = [item for item in words if item.get_key_element() not in keys]
    return rest + [given.get(key, item) for key, item in zip(keys, axes, strict=True)]


def _parsed(words: Sequence[str]) -> list[Override]:
    try:
        found = OverridesParser.create().parse_overrides(list(words))
    except HydraException as error:
        raise as_error(error, list(words)) from error
    for item in found:
        if item.value_type is ValueType.GLOB_CHOICE_SWEEP or (
            item.is_sweep_override() and not item.is_discrete_sweep()
        ):
            raise NotAllowedError(
                "a sweep takes lists of values and ranges",
                expected=f"{item.key_or_group}=A,B or {item.key_or_group}=range(16,20)",
                got=item.input_line,
            )
    return found


def _points(parsed: list[Override]) -> list[list[str]]:
    return [list(point) for point in BasicSweeper.split_arguments(parsed, None)[0]]


def _variants(name: str, points: Sequence[Sequence[str]], swept: Sequence[str]) -> list[Variant]:
    axes = [tuple(word for word in point if word.partition("=")[0] in swept) for point in points]
    names = names_of(name, axes)
    rows = zip(names, axes, points, strict=True)
    return [Variant(own, own_axes, tuple(point)) for own, own_axes, point in rows]


def _axes_of(experiment: str) -> Mapping[str, Any]:
    """Return `hydra.sweeper.params` as Hydra composes it with the experiment."""
    register()
    GlobalHydra.instance().clear()
    words = [f"{_EXPERIMENT}={experiment}"]
    try:
        with initialize_config_dir(str(CONF), version_base=None):
            config = compose("config", overrides=words, return_hydra_config=True)
    except (HydraException, OmegaConfBaseException, YAMLError, ValueError) as error:
        raise as_error(error, words) from error
    return {str(key): value for key, value in (config.hydra.sweeper.get("params") or {}).items()}
