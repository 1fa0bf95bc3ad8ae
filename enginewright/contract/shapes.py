"""Shapes of a graph with open axes: which axes are open, the corners of their ranges, the contract at each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product

from enginewright.contract.contract import Contract, Port
from enginewright.errors import ConfigError

Ranges = Mapping[str, Sequence[int]]
"""`model.ranges`: [min, max] for each open axis."""

TIED = {"images": ("batch", 2)}
"""Axes that another axis decides: its name, and how many times as long they are."""


def with_tied(ranges: Ranges) -> dict[str, list[int]]:
    """Return the ranges, and with them those of the axes that they decide."""
    found = {axis: list(pair) for axis, pair in ranges.items()}
    for axis, (leader, times) in TIED.items():
        if leader in found:
            found.setdefault(axis, [times * size for size in found[leader]])
    return found


def opened(contract: Contract, ranges: Ranges) -> Contract:
    """Return the contract in which just the axes that `ranges` names, and those tied to them, can stay open.

    Raises:
        ConfigError: for a range of an axis that the network does not have, or has but cannot leave open.
    """
    known = {axis for port in contract.ports for axis in port.dynamic}
    if unknown := sorted(set(ranges) - set(known)):
        raise ConfigError(
            "model.ranges names an axis that the network cannot leave open",
            expected=open_axes(contract),
            got=unknown,
            cure="give ranges of those axes only",
        )
    kept = with_tied(ranges)
    return replace(
        contract,
        inputs=tuple(_port(port, kept) for port in contract.inputs),
        outputs=tuple(_port(port, kept) for port in contract.outputs),
    )


def _port(port: Port, kept: Ranges) -> Port:
    return replace(port, dynamic=tuple(axis for axis in port.dynamic if axis in kept))


def corners(contract: Contract, ranges: Ranges) -> list[Contract]:
    """Return the contract at every corner of the ranges: each combination of their ends, but not the static shape."""
    found = [at(contract, sizes) for sizes in ends(ranges)]
    return [corner for corner in found if corner != contract]


def ends(ranges: Ranges) -> list[dict[str, int]]:
    """Return each combination of the ranges' ends, once: the sizes by axis."""
    pairs = [dict.fromkeys(pair) for pair in ranges.values()]
    return [dict(zip(ranges, sizes, strict=True)) for sizes in product(*pairs)]


def at(contract: Contract, sizes: Mapping[str, int]) -> Contract:
    """Return the contract with these sizes of its axes, and those of the axes tied to them."""
    tied = {axis: size for axis, size in tied_sizes(sizes).items() if axis in contract.sizes}
    return replace(contract, sizes=contract.sizes | tied | dict(sizes))


def tied_sizes(sizes: Mapping[str, int]) -> dict[str, int]:
    """Return the sizes of the axes that those in `sizes` decide."""
    return {axis: times * sizes[leader] for axis, (leader, times) in TIED.items() if leader in sizes}


def open_axes(contract: Contract) -> list[str]:
    """Return the axes that can stay open, without those that another of them decides."""
    axes = {axis for port in contract.ports for axis in port.dynamic}
    return [axis for axis in contract.sizes if axis in axes and TIED.get(axis, ("",))[0] not in axes]


def label(contract: Contract) -> str:
    """Return the sizes of the open axes as text, `batch=2, height=96`; empty where no axis is open."""
    return ", ".join(f"{axis}={contract.sizes[axis]}" for axis in open_axes(contract))
