"""The optimisation profile: least, best and largest shape of every input with a dynamic axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from enginewright.contract.shapes import TIED, with_tied
from enginewright.engine.bindings import Binding
from enginewright.errors import ConfigError

Sizes = tuple[int, ...]


@dataclass(frozen=True)
class Range:
    """The shapes of one input: the least and the largest that the engine takes, and the one it is tuned for."""

    min: Sizes
    opt: Sizes
    max: Sizes


def profile_of(
    inputs: Sequence[Binding], reference: Mapping[str, Sizes], ranges: Mapping[str, Sequence[int]]
) -> dict[str, Range]:
    """Return the ranges of the inputs that have a dynamic axis, by name; none for a static graph.

    Args:
        inputs: of the parsed graph, whose ONNX `dim_param` names tell the axes.
        reference: the shape of each input in the reference, which is the best shape.
        ranges: `model.ranges`, [min, max] by axis name; axes that they decide follow.

    Raises:
        ConfigError: for a dynamic axis without a range, or a range that leaves out the reference's size.
    """
    given = with_tied(ranges)
    return {
        binding.name: _range(binding, reference[binding.name], given)
        for binding in inputs
        if any(not isinstance(size, int) or size < 0 for size in binding.shape)
    }


def _range(binding: Binding, best: Sizes, ranges: Mapping[str, Sequence[int]]) -> Range:
    pairs = [_pair(binding.name, axis, size, ranges) for axis, size in zip(binding.shape, best, strict=True)]
    return Range(tuple(low for low, _ in pairs), best, tuple(high for _, high in pairs))


def _pair(name: str, axis: int | str, best: int, ranges: Mapping[str, Sequence[int]]) -> Sequence[int]:
    if isinstance(axis, int) and axis >= 0:
        return (axis, axis)
    if axis not in ranges:
        leader, times = TIED.get(str(axis), (axis, 1))
        raise ConfigError(
            f"the dynamic axis {axis} of the input {name} has no range",
            expected=f"model.ranges.{leader}: [min, max], with {best // times} between them",
            got=f"ranges for {sorted(set(ranges) - set(TIED))}" if ranges else "no ranges",
            cure=f"set model.ranges.{leader}, or export.dynamic=false",
        )
    low, high = ranges[str(axis)]
    if not low <= best <= high:
        raise ConfigError(
            f"model.ranges.{axis} leaves out the size that the engine is tuned for",
            expected=f"min <= {best} <= max, the size in the reference",
            got=[low, high],
            cure=f"widen model.ranges.{axis}",
        )
    return (low, high)
