"""A run in which nothing has changed, with nine networks, against `dvc status`."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.cost import Cost
from benchmarks.part import Part, Turn
from benchmarks.pipeline import SMALL, built

NETWORKS = (
    "disk",
    "disk_lightglue",
    "aliked_n16",
    "aliked_n16_lightglue",
    "aliked_n32",
    "aliked_n32_lightglue",
    "superpoint_open",
    "superpoint_open_nearest",
    "disk_merged",
)
"""Nine of conf/network, an extractor before what it feeds. SuperPoint's are left out: their weights need the web."""

_EXTRACTORS = ("aliked_n16", "aliked_n32", "superpoint_open")
_PX, _KEYPOINTS = 128, 64


def nine(count: int = len(NETWORKS)) -> tuple[str, ...]:
    """Return the overrides of a small pipeline of the first `count` networks: what is not run has no size.

    DISK takes both images of a pair at once in all of them, as the merged graph needs it.
    """
    chosen = NETWORKS[:count]
    sizes = {"height": _PX, "width": _PX, "keypoints": _KEYPOINTS}
    small = [
        f"networks.{name}.model.{key}={value}" for name in _EXTRACTORS if name in chosen for key, value in sizes.items()
    ]
    return (f"network=[{','.join(chosen)}]", *SMALL, *small, "networks.disk.model.batch=2")


class Unchanged(Part):
    """An unchanged `make repro`, and its `dvc repro` alone, against `dvc status`."""

    name = "unchanged"
    title = "no-op run, nine networks"
    base = "status"
    turns_a_round = 5

    def prepare(self) -> None:
        """Build nine small networks once."""
        self._built = built(self.place, "nine", nine())
        self._built.repro()

    def turns(self, number: int) -> Mapping[str, Turn]:
        """Return the three commands."""
        return {
            "pipeline": lambda: self._built.repro().cost,
            "dvc_repro": self._dvc("repro"),
            "status": self._dvc("status"),
        }

    def _dvc(self, word: str) -> Turn:
        def turn() -> Cost:
            return self.place.run(self._built.path, "dvc", word).cost

        return turn
