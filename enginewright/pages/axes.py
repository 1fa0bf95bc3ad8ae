"""What a variant is made of: opset, precision and LayerNorm form, from its metrics or else from its overrides."""

from __future__ import annotations

from collections.abc import Sequence

from enginewright.pages.sweep import Swept

_ENDINGS = {
    "opset": ("export.opset",),
    "precision": ("precision", "cast.precision"),
    "form": ("layernorm", "layernorm.form", "swap.form"),
}
"""How the name of an override ends that sets an axis, for all networks or for one."""


def axes_of(swept: Swept, network: str) -> tuple[str, str, str]:
    """Return opset, precision and form of one network of a variant; empty strings where nothing tells."""
    metrics = swept.run.metrics.get(network, {}) if swept.run else {}
    params = (swept.run.params.get("networks") or {}).get(network, {}) if swept.run else {}
    known = {
        "opset": metrics.get("export", {}).get("opset"),
        "precision": metrics.get("cast", {}).get("precision"),
        "form": params.get("swap", {}).get("form"),
    }
    opset, precision, form = (str(known[axis] or _overridden(swept.overrides, axis, network)) for axis in known)
    return opset, precision, form


def _overridden(overrides: Sequence[str], axis: str, network: str) -> str:
    """Return the last value that an override gives the axis, of this network or of all; empty if none does."""
    found = ""
    for override in overrides:
        key, _, value = override.lstrip("+").partition("=")
        own = key.startswith(f"networks.{network}.") or not key.startswith("networks.")
        if own and key.endswith(_ENDINGS[axis]):
            found = value
    return found
