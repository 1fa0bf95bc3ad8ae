"""What the planner says of a variant. Plain values only: it travels as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

_LISTS = ("probes", "needs", "inputs", "outs", "metrics")


@dataclass(frozen=True)
class StageOutline:
    """A stage of a variant.

    own: digest of its command, parameters, code and tracked data. probes: the probe's files that it depends on.
    needs: the stages whose outputs it reads. inputs: those outputs. outs: what it writes;
    metrics: those of them that hold metrics.
    """

    name: str
    own: str
    probes: tuple[str, ...]
    needs: tuple[str, ...]
    inputs: tuple[str, ...]
    outs: tuple[str, ...]
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class Outline:
    """A variant that composes: the text of params.yaml, its stages in the order they run, the texts of .gitignore.

    size: digest of its networks' `model` sections, which memory follows more than precision or opset.
    outside: whether a stage reads what is not in the tree, so that the outline follows from more than the tree.

    Or one that is refused: why, and whether for a typo, which no other value of another key could mend.
    """

    params: str = ""
    stages: tuple[StageOutline, ...] = ()
    ignored: Mapping[str, str] = field(default_factory=dict)
    size: str = ""
    outside: bool = False
    refused: str | None = None
    typo: bool = False

    def as_plain(self) -> dict[str, Any]:
        """Return what the planner answers."""
        return asdict(self)

    @staticmethod
    def from_plain(values: Mapping[str, Any]) -> Outline:
        """Return the outline of what the planner answered."""
        stages = tuple(
            StageOutline(row["name"], row["own"], *(tuple(row[name]) for name in _LISTS)) for row in values["stages"]
        )
        return Outline(**{**values, "stages": stages})
