"""The networks, one file each, and the registry that finds them by name.

A configuration names an adapter (`model.adapter: disk`); `load` imports `networks/disk.py` and returns what that file
registered. Only files of this folder can be named, so a configuration file cannot run other code.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from enginewright.adapter_code import adapter_code, file_of, guarded, made_by
from enginewright.config.models import ModelConfig
from enginewright.config.sections import ExportConfig
from enginewright.contract import Contract
from enginewright.errors import NetworkError

if TYPE_CHECKING:
    from torch import nn

M = TypeVar("M", bound=ModelConfig)


class Adapter(ABC, Generic[M]):
    """What Enginewright knows of one network. `M` is the dataclass of its `model` section."""

    @abstractmethod
    def module(self, model: M) -> nn.Module:
        """Return the torch module, with native LayerNorm and arbitrary weights.

        Its forward takes the contract's inputs and returns a tuple of the contract's outputs, both in order.
        """

    @abstractmethod
    def contract(self, model: M) -> Contract:
        """Return names, axes and comparison rules of the graph's inputs and outputs."""

    def exported(self, module: nn.Module, model: M, export: ExportConfig) -> nn.Module:
        """Return the module, with its weights, as it is to be exported: the same function, in operators that suit.

        The reference is what `module` gives, so whatever is lost here shows in the comparison.
        """
        return module

    def rename(self, key: str) -> str | None:
        """Return the module's key for a key of the published state dict, or None to leave that tensor out."""
        return key


_REGISTRY: dict[str, Adapter[Any]] = {}
_T = TypeVar("_T", bound=type[Adapter[Any]])


def network(name: str) -> Callable[[_T], _T]:
    """Register the decorated adapter class under `name`, the name of its file."""

    def register(adapter: _T) -> _T:
        _REGISTRY[name] = _guarded(adapter())
        return adapter

    return register


def names() -> list[str]:
    """Return the names that `load` takes, without importing any of them."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in _NOT_NETWORKS)


_NOT_NETWORKS = {"__init__", "layernorm"}
_CURES = {
    "onnx": "an ONNX file has no module: the stage adopt takes it, and simplify and those after it",
    "none": "a merged graph has no module: the stage merge makes it, and simplify and those after it take it",
}


def _guarded(adapter: Adapter[Any]) -> Adapter[Any]:
    """Return the adapter with methods that raise errors of this project alone, and return what they should."""
    file = file_of(adapter)
    module = partial(_no_module, file)
    for name, check in (("module", module), ("exported", module), ("contract", _no_contract), ("rename", _no_key)):
        setattr(adapter, name, guarded(getattr(adapter, name), file, check))
    return adapter


def _no_module(file: Path, result: object) -> tuple[object, object] | None:
    from torch import nn

    if not isinstance(result, nn.Module):
        return "a torch.nn.Module", type(result).__name__
    made_by(result, file)
    return None


def _no_contract(result: object) -> tuple[object, object] | None:
    if not isinstance(result, Contract):
        return "a Contract of enginewright.contract", type(result).__name__
    axes = list(dict.fromkeys(axis for port in result.ports for axis in port.axes))
    missing = [axis for axis in axes if axis not in result.sizes]
    return (f"`sizes` with every axis: {', '.join(axes)}", f"none for {', '.join(missing)}") if missing else None


def _no_key(result: object) -> tuple[object, object] | None:
    fits = result is None or isinstance(result, str)
    return None if fits else ("a str, or None to leave the tensor out", type(result).__name__)


def load(name: str) -> Adapter[Any]:
    """Return the adapter registered under `name`, importing its file (and with it torch) first.

    Raises:
        NetworkError: if no file of that name is in this folder, it cannot be imported, or it registers nothing under
            that name. Its methods raise NetworkError too, whatever goes wrong in them.
    """
    if name not in _REGISTRY:
        if name not in names():
            cure = _CURES.get(name, f"add networks/{name}.py")
            raise NetworkError("unknown adapter", expected=names(), got=name, cure=cure)
        with adapter_code(Path(__file__).with_name(f"{name}.py"), "importing it"):
            importlib.import_module(f"networks.{name}")
    if name not in _REGISTRY:
        raise NetworkError(
            f"networks/{name}.py registers no adapter",
            expected=f'a class under @network("{name}")',
            got=sorted(_REGISTRY),
            cure=f'write @network("{name}") above the adapter class of networks/{name}.py',
        )
    return _REGISTRY[name]
