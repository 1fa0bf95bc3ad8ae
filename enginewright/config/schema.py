"""A dataclass as an OmegaConf schema that can be merged into."""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf


def schema_of(cls: type) -> DictConfig:
    """Return the structured config of a frozen dataclass, without the read-only flags that frozen ones carry.

    OmegaConf lifts that flag for the top node of a merge only; nested sections would refuse every value.
    """
    node: DictConfig = OmegaConf.structured(cls)
    _unlock(node)
    return node


def _unlock(node: Any) -> None:
    OmegaConf.set_readonly(node, None)
    for key in node:
        child = node._get_node(key)
        if not isinstance(child, DictConfig) or child._is_none():
            continue
        if child._is_missing() and is_dataclass(child._metadata.ref_type):
            child._set_value(OmegaConf.structured(child._metadata.ref_type))
        if not child._is_missing():
            _unlock(child)
