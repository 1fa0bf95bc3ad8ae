"""A cold run, everything from the published weights to engines, against the same work in one process."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Mapping
from typing import Any

from benchmarks.cost import Cost
from benchmarks.part import Measured, Part, Turn
from benchmarks.pipeline import ONE_AT_A_TIME, floor, repro
from benchmarks.place import Place
from benchmarks.sizes import folder_mb


class Cold(Part):
    """`make repro` in a fresh clone, the default configuration, nothing cached but the downloaded wheel."""

    name = "cold"
    title = "cold run, DISK and its LightGlue"
    base = "floor"

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._stages: list[dict[str, float]] = []
        self._cache_mb = 0.0

    def turns(self, number: int) -> Mapping[str, Turn]:
        """Return the pipeline, in the first round with one stage at a time too, and the floor.

        The floor comes last: it reads what the pipeline's probe wrote.
        """
        first: dict[str, Turn] = {} if number else {"one_at_a_time": self._one_at_a_time}
        return {**first, "pipeline": self._pipeline, "floor": self._floor}

    def details(self, measured: Measured) -> dict[str, Any]:
        """Return the size of the cache, and the seconds of each stage in one process."""
        names = self._stages[0] if self._stages else {}
        stages = {name: round(statistics.median(row[name] for row in self._stages), 2) for name in names}
        return {"cache_mb": self._cache_mb, "stages": stages}

    def _one_at_a_time(self) -> Cost:
        return repro(self.place, self.place.clone("cold"), self.place.size, **ONE_AT_A_TIME).cost

    def _pipeline(self) -> Cost:
        self._clone = self.place.clone("cold")
        cost = repro(self.place, self._clone, self.place.size).cost
        self._cache_mb = folder_mb(self._clone / ".dvc" / "cache")
        return cost

    def _floor(self) -> Cost:
        cost, stages = floor(self.place, self._clone, self.place.empty("floor"))
        self._stages.append(stages)
        shutil.rmtree(self._clone)
        return cost
