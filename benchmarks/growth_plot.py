"""The three growths as one picture, benchmarks/growth.png, from results.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from benchmarks.place import ROOT
from enginewright.plots.canvas import png_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PICTURE = ROOT / "benchmarks" / "growth.png"
_SIZE_PX = (1500, 430)
_LINES = ("#0072b2", "#d55e00", "#009e73")
_PANELS = (
    ("growth_networks", "networks", "s", {"compose": "compose", "noop": "unchanged dvc repro", "status": "dvc status"}),
    ("growth_variants", "variants", "s", {"repeat": "a sweep's repeat"}),
    ("growth_keypoints", "keypoints per image", "s", {"keypoints": "export and build"}),
    ("growth_keypoints", "keypoints per image", "MB", {"keypoints": "peak memory"}),
)
_MEASURES = {"s": "wall_s", "MB": "peak_mb"}


def growth_picture(results: Mapping[str, Any]) -> bytes:
    """Return a PNG of the parts of growth that results.json has."""

    def draw(figure: Figure) -> None:
        for axes, (part, what, unit, lines) in zip(figure.subplots(1, len(_PANELS)), _PANELS, strict=True):
            axes.set_xlabel(what)
            axes.set_ylabel(unit)
            axes.grid(True, color="#dddddd", linewidth=0.6)
            for colour, (first, label) in zip(_LINES, lines.items(), strict=False):
                _line(axes, points(results.get(part, {}), first, _MEASURES[unit]), colour, label)
            axes.set_ylim(bottom=0)
            axes.legend(fontsize=8, loc="upper left")
        figure.tight_layout()

    return png_of(*_SIZE_PX, draw)


def points(part: Mapping[str, Any], first: str, measure: str) -> dict[int, float]:
    """Return {count: value} of the turns `first`_count of a part, in order."""
    names = {name: name.rpartition("_") for name in part}
    found = {int(words[2]): part[name][measure] for name, words in names.items() if words[0] == first}
    return dict(sorted(found.items()))


def _line(axes: Axes, values: Mapping[int, float], colour: str, label: str) -> None:
    axes.plot(list(values), list(values.values()), "o-", color=colour, label=label, markersize=4, linewidth=1.4)
