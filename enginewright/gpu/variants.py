"""The points of the two axes, precision and LayerNorm form, of each network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from enginewright.config.choices import Form, Precision
from enginewright.errors import ConfigError


@dataclass(frozen=True, order=True)
class Variant:
    """One network in one LayerNorm form at one precision."""

    network: str
    form: str
    precision: str

    @property
    def name(self) -> str:
        """Return the name of its files."""
        return f"{self.network}-{self.form}-{self.precision}"

    @property
    def overrides(self) -> list[str]:
        """Return what composes it."""
        return [f"layernorm={self.form}", f"precision={self.precision}"]


def variants_of(networks: Sequence[str], forms: Sequence[str], precisions: Sequence[str]) -> list[Variant]:
    """Return every combination, in the order of the axes; an empty axis means all of it.

    Raises:
        ConfigError: for a form or precision that there is not.
    """
    chosen_forms = _known("form", forms, [form.name for form in Form])
    chosen = _known("precision", precisions, [precision.name for precision in Precision])
    return [Variant(*point) for point in product(networks, chosen_forms, chosen)]


def _known(axis: str, given: Sequence[str], known: list[str]) -> list[str]:
    if unknown := [value for value in given if value not in known]:
        raise ConfigError(f"unknown {axis}", expected=known, got=unknown)
    return list(given) or known
