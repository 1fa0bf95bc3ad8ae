"""What a stage is given: its network, the sections of configuration that it declared, its inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from enginewright.config.models import ModelConfig
from enginewright.config.network import SECTIONS
from enginewright.config.typed import typed_section
from enginewright.errors import ConfigError

T = TypeVar("T")


@dataclass(frozen=True)
class Stage:
    """One run of a stage for one network, or for all of them together, where `network` is empty.

    networks: the plain `networks` mapping of params.yaml. sections: those that the stage declares; no other can be
    read, so that DVC never misses one. A name such as "extractor.model" is the extractor's section; "whole" is all of
    this network's, its extractor's and, where it is merged, its matcher's.
    inputs, outputs: paths by name.
    """

    network: str
    networks: Mapping[str, Any]
    sections: tuple[str, ...]
    inputs: Mapping[str, Path]
    outputs: Mapping[str, Path]

    def section(self, cls: type[T]) -> T:
        """Return this network's section of the dataclass `cls`.

        Raises:
            ConfigError: if the stage did not declare it, or its values do not fit.
        """
        return cast(T, self._typed(self.network, _key(cls), _key(cls)))

    def extractor_model(self) -> ModelConfig:
        """Return the `model` section of the network that feeds this one (itself, unless it is a matcher)."""
        return cast(ModelConfig, self._typed(self.extractor, "model", "extractor.model"))

    def whole(self) -> dict[str, Mapping[str, Any]]:
        """Return every section of this network, and of those that feed it or that it is made of, plain, by name."""
        if "whole" not in self.sections:
            raise ConfigError("the stage reads whole networks undeclared", expected=self.sections)
        matcher = self.networks[self.network]["model"].get("matcher")
        names = dict.fromkeys([self.network, self.extractor, *([str(matcher)] if matcher else [])])
        return {name: self.networks[name] for name in names}

    @property
    def extractor(self) -> str:
        """Return the name of the network that feeds this one."""
        return str(self.networks.get(self.network, {}).get("extractor", self.network))

    def _typed(self, network: str, section: str, declared: str) -> Any:
        if declared not in self.sections:
            raise ConfigError(
                f"the stage reads {declared} undeclared", expected=self.sections, cure="add it to SECTIONS"
            )
        if network not in self.networks:
            raise ConfigError("unknown network", expected=sorted(self.networks), got=network)
        return typed_section(self.networks[network], network, section)


def _key(cls: type) -> str:
    if issubclass(cls, ModelConfig):
        return "model"
    return next(name for name, known in SECTIONS.items() if known is cls)
