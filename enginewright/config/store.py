"""The dataclasses as Hydra schemas: wrong types, enum values and unknown keys are refused while it composes."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from enginewright.config.models import MODELS
from enginewright.config.network import AXES, NetworkConfig
from enginewright.config.resolvers import register_resolvers
from enginewright.config.schema import schema_of
from enginewright.config.sections import BudgetConfig

_OPEN = "ranges"
"""The key of a model whose own keys are no typos where conf/ lacks them: each axis, which the rules check by name."""


def register() -> None:
    """Register a schema for each axis, each kind's `model`, and a network whose sections follow the axes."""
    register_resolvers()
    store = ConfigStore.instance()
    for axis, (_, cls) in AXES.items():
        store.store(group=f"schema/{axis}", name="schema", node=_all_missing(cls), package=axis)
    for kind, cls in MODELS.items():
        store.store(group="schema/model", name=kind, node=_all_missing(cls))
    store.store(group="schema/budget", name="schema", node=_all_missing(BudgetConfig), package="budget")
    store.store(group="schema", name="network", node=_network())


def _network() -> Any:
    """Return the schema of a network: each key of each section interpolates its axis, so that it can be overridden."""
    network = schema_of(NetworkConfig)
    for axis, (section, cls) in AXES.items():
        network[section] = OmegaConf.merge(schema_of(_naming_its_keys(cls)), _follow(axis, cls))
    network["build"]["tf32"] = "${tf32:${builder.tf32},${..cast.precision}}"
    return network


def _follow(axis: str, cls: Any) -> dict[str, str]:
    return {item.name: f"${{{axis}.{item.name}}}" for item in fields(cls)}


def _all_missing(cls: Any) -> Any:
    """Return the schema with no defaults, but for ranges: every value stands in conf/, where users read it."""
    schema = schema_of(_naming_its_keys(cls))
    for item in fields(cls):
        if _defaulted(item) and item.name != _OPEN:
            schema[item.name] = "???"  # merging it in would change nothing: a missing value never overrides
    if _OPEN in schema:  # a flag on a missing value would be lost
        OmegaConf.set_struct(schema[_OPEN], False)
    return schema


@cache
def _naming_its_keys(cls: Any) -> Any:
    """Return `cls` under a name that lists its keys, for the error that OmegaConf makes of an unknown one.

    DVC shows that error as it is, so it is the only place where the allowed keys can stand by that route.
    """
    keys = ", ".join(item.name for item in fields(cls))
    return dataclass(frozen=True)(type(f"{cls.__name__}, whose keys are {keys}", (cls,), {"__doc__": cls.__doc__}))


def _defaulted(item: Any) -> bool:
    return item.default is not MISSING or item.default_factory is not MISSING
