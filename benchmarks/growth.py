"""How cost grows: with networks in dvc.yaml, with variants of a sweep, with keypoints of the matcher."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from benchmarks.cost import Cost
from benchmarks.part import Measured, Part, Turn
from benchmarks.peers.olive import matcher_clone
from benchmarks.pipeline import built, compose
from benchmarks.place import Place
from benchmarks.unchanged import NETWORKS, nine
from benchmarks.variants import sweep, swept

NETWORK_COUNTS = (1, 2, 4, 6, len(NETWORKS))
KEYPOINTS = (512, 1024, 2048, 4096)

_OPSETS = "networks.disk_lightglue.export.opset"
VARIANTS = {
    1: (f"{_OPSETS}=choice(17)", "layernorm=native", "precision=fp32"),
    2: (f"{_OPSETS}=17,18", "layernorm=native", "precision=fp32"),
    4: (f"{_OPSETS}=17,18", "layernorm=native", "precision=fp32,tf32"),
    8: (f"{_OPSETS}=17,18,19,20", "layernorm=native", "precision=fp32,tf32"),
    16: (f"{_OPSETS}=17,18,19,20", "layernorm=native,scaled", "precision=fp32,tf32"),
    32: (f"{_OPSETS}=17,18,19,20", "layernorm=native,decomposed,island,scaled", "precision=fp32,tf32"),
}
"""Axes of sweeps of so many variants, each a part of the next."""


class Networks(Part):
    """Composing, an unchanged run and `dvc status`, with 1 to 9 networks."""

    name = "growth_networks"
    title = "1 to 9 networks"
    base = "noop_1"

    def prepare(self) -> None:
        """Build nine networks once."""
        self._built = built(self.place, "nine", nine())

    def turns(self, number: int) -> Mapping[str, Turn]:
        """Return the three commands for each number of networks."""
        found: dict[str, Turn] = {}
        for count in NETWORK_COUNTS:
            found[f"compose_{count}"] = self._compose(count)
            found[f"noop_{count}"] = self._command("repro")
            found[f"status_{count}"] = self._command("status")
        return found

    def _compose(self, count: int) -> Turn:
        def turn() -> Cost:
            cost = compose(self.place, self._built.path, nine(count))
            self.place.run(self._built.path, "dvc", "repro", "-q")  # the report is of other networks
            return cost

        return turn

    def _command(self, word: str) -> Turn:
        return lambda: self.place.run(self._built.path, "dvc", word).cost


class Cached(Part):
    """A sweep whose variants are all there, of 1 to 32."""

    name = "growth_variants"
    title = "repeat of a sweep, all cached"
    base = "repeat_1"

    def turns(self, number: int) -> Mapping[str, Turn]:
        """Return the repeat of each sweep: composing, planning and looking up. That of 32 runs once, unless it ran."""
        return {f"repeat_{count}": self._sweep(axes) for count, axes in self._sweeps().items()}

    def details(self, measured: Measured) -> dict[str, Any]:
        """Return the seconds that each further variant adds to a repeat, from 1 to the most that were measured."""
        counts = [count for count in VARIANTS if f"repeat_{count}" in measured.costs]
        if len(counts) < 2:
            return {}
        first, last = (measured.costs[f"repeat_{count}"][0].wall_s for count in (counts[0], counts[-1]))
        return {"repeat_s_per_variant": round((last - first) / (counts[-1] - counts[0]), 3)}

    def _sweeps(self) -> dict[int, tuple[str, ...]]:
        """Return the axes by number of variants; few where the benchmark itself is tried."""
        return {count: axes for count, axes in VARIANTS.items() if not self.place.size or count <= 2}

    def _sweep(self, axes: tuple[str, ...]) -> Turn:
        def turn() -> Cost:
            clone = swept(self.place)
            sweep(self.place, clone, axes)
            return sweep(self.place, clone, axes)[0]

        return turn


class Keypoints(Part):
    """Export and build of LightGlue, in one process, for 512 to 4,096 keypoints per image."""

    name = "growth_keypoints"
    title = "export and build of LightGlue, by keypoints"
    base = f"keypoints_{KEYPOINTS[0]}"

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._steps: dict[str, Any] = {}

    def details(self, measured: Measured) -> dict[str, Any]:
        """Return the seconds of export and build, and the size of the engine, by keypoints."""
        return {"steps": self._steps}

    def prepare(self) -> None:
        """Make the checkpoint."""
        self._built = matcher_clone(self.place)

    def turns(self, number: int) -> Mapping[str, Turn]:
        """Return a turn for each number of keypoints, in the first round alone: the largest takes minutes."""
        return {} if number else {f"keypoints_{count}": self._turn(count) for count in self._counts()}

    def _counts(self) -> tuple[int, ...]:
        """Return the numbers of keypoints; the least where the benchmark itself is tried."""
        return KEYPOINTS[:2] if self.place.size else KEYPOINTS

    def _turn(self, count: int) -> Turn:
        def turn() -> Cost:
            work = self.place.empty("keypoints")
            command = ("python", "-m", "benchmarks.matcher_of_size", str(count), str(work))
            done = self.place.run(self._built.path, *command)
            self._steps[str(count)] = json.loads(done.printed.splitlines()[-1])
            return done.cost

        return turn
