"""The range gate: which tensors a typed graph holds in a format that their values do not fit into.

The twin runs in float32 on real inputs, so a value is what it should be and not what an overflow before it left. Two
things are wrong with a tensor that a reduced format holds:

- overflow: its largest magnitude is above the format's largest number. It becomes Inf.
- integers: it holds nothing but whole numbers (indices, pixels), and the format cannot hold all of them.

A third is told and not judged, for it can be harmless: drowned is a tensor that rounding moves by more than `noise` of
its own spread, in the root mean square. So it is where values are so small that they vanish, and where they differ by
less than a step of the format at their magnitude. What vanishes beside that which it is added to does no harm: the
scaled LayerNorm has such an eps in every layer, and kept 2754 of 2755 matches on an H200. Whether it does is for the
rehearsal to say. A tensor that fits is moved by 3e-4 of its spread in float16, by 2e-3 in bfloat16.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enginewright.rehearsing.formats import Format

MOST_VALUES = 1 << 18
"""Values of a tensor that tell its spread and its rounding: evenly taken, all of a smaller one."""

_MOST_WHOLE, _LEAST_WHOLE = 1 << 20, 8
"""Whole numbers below the first, and as many as the second, are no chance: float32 holds eighths there."""


@dataclass
class Seen:
    """What was seen of one tensor, over all samples: the worst of each, and the sample of the largest magnitude.

    magnitude: largest finite |x|. noise: rounding error over spread, root mean squares. integers: whether all values
    were whole and one of them is not held. not_finite: values that are Inf or NaN in float32 already. overflows: names
    of the samples in which the tensor overflows.
    """

    format: Format
    magnitude: float = 0.0
    noise: float = 0.0
    integers: bool = False
    not_finite: int = 0
    overflows: list[str] = field(default_factory=list)

    @property
    def over(self) -> float:
        """The largest magnitude, as a multiple of the format's largest number."""
        return self.magnitude / self.format.largest

    def add(self, values: NDArray[Any], sample: str) -> None:
        """Add a sample's values (float32, any shape)."""
        flat = values.reshape(-1)
        magnitude = _magnitude(flat)
        finite = flat if np.isfinite(magnitude) else flat[np.isfinite(flat)]
        self.not_finite += len(flat) - len(finite)
        if not len(finite):
            return
        magnitude = _magnitude(finite)
        self.magnitude = max(self.magnitude, magnitude)
        if not np.isfinite(self.format.rounded(np.array([magnitude], dtype=np.float32))).all():
            self.overflows.append(sample)
        self._add_rounding(finite[:: max(1, len(finite) // MOST_VALUES)])

    def _add_rounding(self, values: NDArray[np.float32]) -> None:
        held = values[np.abs(values) <= self.format.largest].astype(np.float64)
        if not len(held):
            return
        error = self.format.rounded(held.astype(np.float32)) - held
        spread = float(held.std())
        if spread:
            self.noise = max(self.noise, float(np.sqrt(np.mean(error * error))) / spread)
        self.integers |= bool(error.any()) and _whole(held)

    @property
    def fault(self) -> str | None:
        """What is wrong with the tensor, in words, or None."""
        name, held = self.format.name, self.format.exact_integers
        if self.overflows:
            times = f"{self.over:.3g} times the largest {name}"
            return f"overflow: reaches {self.magnitude:.4g}, {times}, in {', '.join(self.overflows[:3])}"
        if self.integers:
            return f"integers: whole numbers up to {self.magnitude:.4g}; {name} holds all up to {held} only"
        return None

    def note(self, noise: float) -> str | None:
        """Return that the tensor drowns in the format, or None. noise: the largest share of its spread."""
        if self.noise <= noise:
            return None
        return f"drowned: {self.format.name} moves it by {self.noise:.2g} of its spread, more than {noise:g}"


def _whole(values: NDArray[np.float64]) -> bool:
    """Return whether all are whole numbers, and not by chance."""
    small = len(values) >= _LEAST_WHOLE and (np.abs(values) < _MOST_WHOLE).all()
    return bool(small and (values == np.round(values)).all())


def _magnitude(values: NDArray[Any]) -> float:
    """Return the largest |x| of (N,) values; Inf or NaN where one is."""
    return float(np.maximum(values.max(initial=0.0), -values.min(initial=0.0)))
