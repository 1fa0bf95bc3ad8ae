"""One parameter changed, and what runs because of it, against the work of those stages in one process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.cost import Cost
from benchmarks.part import Measured, Part, Turn
from benchmarks.pipeline import SMALL, Built, built, floor, ran
from benchmarks.place import Place

OPSET = "networks.disk_lightglue.export.opset=18"

DEPTHS = {
    "data": "data.seed=1",
    "swap": "layernorm=decomposed",
    "export": OPSET,
    "simplify": "networks.disk_lightglue.simplify.keep=simplified",
    "cast": "precision=tf32",
    "compare": "networks.disk_lightglue.compare.noise=0.06",
    "build": "networks.disk_lightglue.build.workspace_mib=4096",
    "match": "networks.disk_lightglue.match.pictures=1",
}
"""The first stage that a change reaches (data: what swap reads), and the change."""


class Change(Part):
    """A change in a clone in which everything was built; stages that it does not reach are there already.

    override: the change. built_as: the clone's name, and the overrides that it was built with.
    """

    base = "floor"

    def __init__(self, place: Place, name: str, title: str, override: str, built_as: tuple[str, Sequence[str]]) -> None:
        super().__init__(place)
        self.name, self.title = name, title
        self._override, (self._clone, self._overrides) = override, built_as
        self._stages: list[str] = []

    def prepare(self) -> None:
        """Build everything once; changes with the same overrides share the clone."""
        self._built: Built = built(self.place, self._clone, self._overrides)

    def turns(self, number: int) -> Mapping[str, Turn]:
        """Return the pipeline, and then the floor for the stages that it ran."""
        return {"pipeline": self._pipeline, "floor": self._floor}

    def details(self, measured: Measured) -> dict[str, Any]:
        """Return how many stages ran."""
        return {"stages_run": len(self._stages)}

    def _pipeline(self) -> Cost:
        self._built.forget()
        done = self._built.repro(self._override)
        self._stages = ran(done.printed)
        return done.cost

    def _floor(self) -> Cost:
        return floor(self.place, self._built.path, self.place.empty("floor"), self._stages)[0]


def opset(place: Place) -> Change:
    """Return the change that the project is judged by, at full size."""
    return Change(place, "opset", "opset of LightGlue changed, full size", OPSET, ("full", place.size))


def depths(place: Place) -> list[Change]:
    """Return a change at each depth, in small networks, whose work is short: what is added weighs most there."""
    return [
        Change(place, f"change_{name}", f"{override}, small networks", override, ("small", SMALL))
        for name, override in DEPTHS.items()
    ]
