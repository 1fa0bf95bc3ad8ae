"""What conf/config.yaml calls while Hydra composes: the check of all values, the matchers, the digests.

Hydra composes inside DVC as well as inside our own commands, so a bad value is refused by every route.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from enginewright.config.digests import conf_sha256, values_sha256
from enginewright.config.network import AXES
from enginewright.config.rules import check_networks
from enginewright.config.typed import typed
from enginewright.errors import ConfigError

_COMPOSED_KEYS = ("networks", "matchers", "composed")

CONF = Path(__file__).resolve().parents[2] / "conf"


def register_resolvers() -> None:
    """Register `conf_sha256`, `values_sha256`, `matchers` and `names` with OmegaConf; again does nothing new."""
    OmegaConf.register_new_resolver("conf_sha256", lambda: conf_sha256(CONF), replace=True)
    OmegaConf.register_new_resolver("values_sha256", _values_sha256, replace=True)
    OmegaConf.register_new_resolver("matchers", _matchers, replace=True)
    OmegaConf.register_new_resolver("names", lambda *, _root_: ListConfig(list(_root_.networks)), replace=True)


def _plain_networks(root: DictConfig) -> dict[str, Any]:
    if "networks" not in root:
        return {}
    values: Any = OmegaConf.to_container(root.networks, resolve=True, throw_on_missing=True, enum_to_str=True)
    return dict(values)


def _values_sha256(*, _root_: DictConfig) -> str:
    """Check every axis and every network, then return the digest of all values: an edit of any is noticed.

    The axes are checked for keys that Hydra's `+key` forced in: no network would ever read them.
    """
    unknown = sorted(set(_root_) - {*AXES, *_COMPOSED_KEYS})
    if unknown:
        raise ConfigError("unknown keys at the top", expected=[*AXES, *_COMPOSED_KEYS], got=unknown)
    axes = {axis: OmegaConf.to_container(_root_[axis], resolve=True, enum_to_str=True) for axis in AXES}
    for axis, (_, cls) in AXES.items():
        typed(cls, axes[axis], axis)
    networks = _plain_networks(_root_)
    wiring = _wiring(networks)
    _refuse_other_matchers(_root_.matchers, wiring)
    return values_sha256({**axes, "networks": networks, "matchers": wiring})


def _matchers(*, _root_: DictConfig) -> DictConfig:
    return OmegaConf.create(_wiring(_plain_networks(_root_)))


def _wiring(networks: dict[str, Any]) -> dict[str, Any]:
    """Check every network, then return for each that another feeds the facts that its match stage is wired by."""
    return {
        name: {"extractor": network.extractor, "data": {"watch": network.data.watch}}
        for name, network in check_networks(networks).items()
        if network.extractor != name
    }


def _refuse_other_matchers(found: Any, wiring: dict[str, Any]) -> None:
    """Refuse matchers set by hand: their names reach command lines, and only the networks' own are checked."""
    plain = OmegaConf.to_container(found) if isinstance(found, DictConfig) else found
    if plain != wiring:
        raise ConfigError(
            "matchers follows from the networks and cannot be set",
            expected=wiring,
            got=plain,
            cure="set networks.NAME.extractor and networks.NAME.data.watch",
        )
