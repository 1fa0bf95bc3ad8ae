"""A sweep of 32 variants on one worker, nothing cached, against what its distinct steps take by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.cost import Cost
from benchmarks.part import Measured, Part, Turn
from benchmarks.pipeline import SMALL
from benchmarks.place import Place
from enginewright.artifacts import read_json

AXES = (
    "networks.disk_lightglue.export.opset=17,18,19,20",
    "layernorm=native,decomposed,island,scaled",
    "precision=fp32,tf32",
)
"""4 opsets x 4 LayerNorm forms x 2 precisions. The steps of small networks are short: a sweep adds most to those."""

_TRIED = ("networks.disk_lightglue.export.opset=17,18", "layernorm=native", "precision=fp32")
"""The axes where the benchmark itself is tried."""

COUNT = 32
WORKER_MB = 6000
"""What a worker may take."""


def axes_of(place: Place) -> tuple[str, ...]:
    """Return the axes of the sweep; few where the benchmark itself is tried."""
    return _TRIED if place.size else AXES


def sweep(place: Place, clone: Path, axes: Iterable[str], size: Sequence[str] = SMALL) -> tuple[Cost, dict[str, Any]]:
    """Run a sweep in a clone on one worker; return its cost and its results.json."""
    words = ("python", "-m", "enginewright.sweeping", "--workers", "1", *size, *axes)
    before = set((clone / "sweeps").glob("*/results.json"))
    times = {path: path.stat().st_mtime_ns for path in before}
    cost = place.run(clone, *words).cost
    found = (clone / "sweeps").glob("*/results.json")
    return cost, read_json(next(path for path in found if times.get(path) != path.stat().st_mtime_ns))


class Variants(Part):
    """The sweep from nothing, then the same sweep once more."""

    name = "variants"
    title = f"sweep of {COUNT} variants, small networks, one worker"
    base = ""
    size: tuple[str, ...] = SMALL

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._steps: dict[str, float] = {}

    def turns(self, number: int) -> Mapping[str, Turn]:
        """Return the sweep and its repeat, in the first round alone: it is long, and its steps are many."""
        return {} if number else {"one_worker": self._first, "repeat": self._again}

    def ratios(self, measured: Measured) -> dict[str, float]:
        """Return wall time to distinct steps, and a worker's memory to what it may take."""
        first = measured.costs.get("one_worker")
        if not first:
            return {}
        memory = self._steps["worker_peak_mb"] / WORKER_MB
        return {
            "one_worker": round(first[0].wall_s / self._steps["distinct_steps_s"], 3),
            "memory_to_6_gb": round(memory, 3),
        }

    def details(self, measured: Measured) -> dict[str, Any]:
        """Return what the sweep says of its steps, and seconds per variant."""
        per_variant = {
            f"{name}_per_variant_s": round(costs[0].wall_s / COUNT, 2) for name, costs in measured.costs.items()
        }
        return {**self._steps, **per_variant}

    def _first(self) -> Cost:
        self._clone = self.place.clone(self.name)
        cost, results = sweep(self.place, self._clone, axes_of(self.place), self.size)
        _SWEPT.add(self._clone)
        steps = {step["key"]: step for row in results["variants"] for step in row["steps"]}
        ran = [step["seconds"] for step in steps.values() if step["ran"]]
        records = (read_json(path) for path in (self._clone / ".cache" / "sweeps" / "steps").rglob("*.json"))
        self._steps = {
            "distinct_steps": len(steps),
            "distinct_steps_s": round(sum(ran), 1),
            "worker_peak_mb": round(max(record["peak_mb"] for record in records), 0),
        }
        return replace(cost, peak_mb=self._steps["worker_peak_mb"])  # workers are in groups of their own

    def _again(self) -> Cost:
        return sweep(self.place, self._clone, axes_of(self.place), self.size)[0]


class WholeVariants(Variants):
    """The same at full size, where steps are as long as users' are."""

    name = "variants_whole"
    title = f"sweep of {COUNT} variants, full size, one worker"

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.size = place.size


_SWEPT: set[Path] = set()


def swept(place: Place) -> Path:
    """Return a clone in which the sweep ran, running it where it did not."""
    clone = place.folder / "variants"
    if clone not in _SWEPT:
        sweep(place, place.clone("variants"), axes_of(place))
        _SWEPT.add(clone)
    return clone
