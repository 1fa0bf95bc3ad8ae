"""What conf/config.yaml calls while Hydra composes: the check of all values, the lists of networks, the digests.

Hydra composes inside DVC as well as inside our own commands, so a bad value is refused by every route.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from enginewright.config.choices import Precision
from enginewright.config.digests import conf_sha256, values_sha256
from enginewright.config.models import MergedModel, OnnxModel
from enginewright.config.network import AXES, NetworkConfig
from enginewright.config.rules import check_networks
from enginewright.config.typed import typed
from enginewright.errors import ConfigError, NotAllowedError

CONF = Path(__file__).resolve().parents[2] / "conf"


def _torch(name: str, network: NetworkConfig) -> dict[str, Any] | None:
    """Return what checkpoint, swap and export are wired by; nothing for an ONNX file."""
    if isinstance(network.model, OnnxModel | MergedModel):
        return None
    return {
        "extractor": network.extractor,
        "extractor_adapter": network.extractor_adapter,
        "model": {"adapter": network.model.adapter},
        "data": {"watch": network.data.watch},
        "export": {"exporter": network.export.exporter.name},
    }


def _onnx(name: str, network: NetworkConfig) -> dict[str, Any] | None:
    """Return what adopt is wired by; nothing for a torch module."""
    return {"data": {"watch": network.data.watch}} if isinstance(network.model, OnnxModel) else None


def _merged(name: str, network: NetworkConfig) -> dict[str, Any] | None:
    """Return what merge is wired by; nothing for a network that is one part."""
    if not isinstance(network.model, MergedModel):
        return None
    return {"extractor": network.extractor, "matcher": network.model.matcher}


def _matcher(name: str, network: NetworkConfig) -> dict[str, Any] | None:
    """Return what match is wired by; nothing for a network that no other feeds.

    Original matches come from the references of `extractor` and `matcher`. Features come from the graphs of
    `features`: the extractor, or the network itself where both parts are one graph.
    """
    if network.extractor == name:
        return None
    matcher, features = name, network.extractor
    if isinstance(network.model, MergedModel):
        matcher, features = network.model.matcher, name
    watch = {"watch": network.data.watch}
    return {"extractor": network.extractor, "matcher": matcher, "features": features, "data": watch}


def _engine(name: str, network: NetworkConfig) -> dict[str, Any]:
    """Return what attest is wired by: the files that only some networks have, and the tools that were chosen.

    start: the first artifact in its folder. first, last: the first and the last stage that wrote metrics of it.
    maker: whose versions made the exported graph. Where no other network feeds it, extractor and matcher are itself.
    """
    model, merged = network.model, isinstance(network.model, MergedModel)
    makers = {OnnxModel: "onnxruntime", MergedModel: "simplifier_none"}
    maker = makers.get(type(model), f"exporter_{network.export.exporter.name}")
    return {
        "extractor": network.extractor,
        "matcher": model.matcher if isinstance(model, MergedModel) else name,
        "start": "exported.onnx" if type(model) in makers else "checkpoint.safetensors",
        "first": "export" if merged else "swap",
        "last": "build" if network.extractor == name else "match",
        "maker": maker,
        "simplify": {"tool": network.simplify.tool.name},
        "cast": {"precision": network.cast.precision.name},
        "build": {"builder": network.build.builder.name},
    }


WIRINGS: dict[str, Callable[[str, NetworkConfig], dict[str, Any] | None]] = {
    "torch_networks": _torch,
    "onnx_networks": _onnx,
    "merged_networks": _merged,
    "matchers": _matcher,
    "engines": _engine,
}
"""The lists that stages of dvc.yaml run over, by the key of conf/config.yaml: which networks, and their templates."""

_COMPOSED_KEYS = ("budget", "networks", *WIRINGS, "composed")


def register_resolvers() -> None:
    """Register the resolvers that conf/ calls with OmegaConf; again does nothing new."""
    OmegaConf.register_new_resolver("conf_sha256", lambda: conf_sha256(CONF), replace=True)
    OmegaConf.register_new_resolver("values_sha256", _values_sha256, replace=True)
    OmegaConf.register_new_resolver("names", lambda *, _root_: ListConfig(list(_root_.networks)), replace=True)
    OmegaConf.register_new_resolver("times", lambda value, factor: float(value) * float(factor), replace=True)
    OmegaConf.register_new_resolver("oc.env", _no_environment, replace=True)
    OmegaConf.register_new_resolver("own_name", lambda *, _parent_: str(_parent_._key()), replace=True)
    OmegaConf.register_new_resolver("tf32", _tf32, replace=True)
    for key in WIRINGS:
        OmegaConf.register_new_resolver(key, partial(_wired, key), replace=True)


def _no_environment(name: str, *_default: object) -> None:
    """Refuse `${oc.env:NAME}`: params.yaml would hold the variable's value, and is committed and shared.

    Raises:
        NotAllowedError: naming the variable, and not what it holds.
    """
    raise NotAllowedError(
        "the configuration reads the environment, which may hold secrets and differs from one machine to the next",
        expected="the value itself",
        got=f"${{oc.env:{name}}}",
        cure="write the value into conf/, or pass it as an override",
    )


def _tf32(wanted: bool | None, precision: Precision) -> bool:
    """Return a network's `build.tf32`: what the builder's file says, or else what the precision means."""
    return precision is Precision.tf32 if wanted is None else wanted


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
        raise NotAllowedError("unknown keys at the top", expected=[*AXES, *_COMPOSED_KEYS], got=unknown)
    axes = {axis: OmegaConf.to_container(_root_[axis], resolve=True, enum_to_str=True) for axis in AXES}
    for axis, (_, cls) in AXES.items():
        typed(cls, axes[axis], axis)
    networks = _plain_networks(_root_)
    wirings = _wirings(networks)
    for key, wiring in wirings.items():
        _refuse_other(key, _root_[key], wiring)
    budget = OmegaConf.to_container(_root_.get("budget", OmegaConf.create()), resolve=True)
    return values_sha256({**axes, "budget": budget, "networks": networks, **wirings})


def _wired(key: str, *, _root_: DictConfig) -> DictConfig:
    return OmegaConf.create(_wirings(_plain_networks(_root_))[key])


_LAST: dict[str, dict[str, dict[str, Any]]] = {}
"""What the networks that were checked last are wired by: one composition asks for each list, and for all of them."""


def _wirings(networks: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Check every network, then return each list of networks with the facts that its stages are wired by."""
    key = repr(networks)
    if key not in _LAST:
        found = _wired_by(check_networks(networks))
        _LAST.clear()
        _LAST[key] = found
    return _LAST[key]


def _wired_by(checked: dict[str, NetworkConfig]) -> dict[str, dict[str, Any]]:
    found = {key: {name: wire(name, network) for name, network in checked.items()} for key, wire in WIRINGS.items()}
    return {key: {name: wired for name, wired in rows.items() if wired is not None} for key, rows in found.items()}


def _refuse_other(key: str, found: Any, wiring: dict[str, Any]) -> None:
    """Refuse a list that was set by hand: its names reach command lines, and only the networks' own are checked."""
    plain = OmegaConf.to_container(found) if isinstance(found, DictConfig) else found
    if plain != wiring:
        raise ConfigError(
            f"{key} follows from the networks and cannot be set",
            expected=wiring,
            got=plain,
            cure="set the keys of networks.NAME that it follows from",
        )
