"""What two runs differ in: verdicts first, then parameters, then figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from enginewright.lineage.values import flat
from enginewright.pages.run import JUDGED, Run
from enginewright.report.words import NOTHING, STATES

_WEIGHT = {"failed": 0, "not_run": 1, "missing": 2, "done": 3, "passed": 4}
_CHIEF = (
    "common",
    "common_ratio",
    "matches",
    "max_abs",
    "engine_mb",
    "layers",
    "nodes",
    "casts",
    "fp32_nodes",
    "opset",
)
_CHIEF_MORE = ("precision", "bytes", "nodes_after", "faulty", "over_max", "keypoints_missing", "quantized_nodes")
_NOISE = ("seconds", "peak_mb")
"""Figures that differ between two runs of the same thing: told last."""


@dataclass(frozen=True)
class Difference:
    """One thing that two runs differ in. networks: those of which it is so. change: how a number moved, or empty.

    tone: `worse` or `better` where that is known, else empty.
    """

    networks: tuple[str, ...]
    name: str
    old: str
    new: str
    change: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Comparison:
    """What two runs differ in. alone: networks that only one of them has, in words."""

    base: str
    revision: str
    verdicts: tuple[Difference, ...]
    parameters: tuple[Difference, ...]
    chief: tuple[Difference, ...]
    rest: tuple[Difference, ...]
    alone: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing differs but times and memory."""
        return not (self.verdicts or self.parameters or self.chief or self.alone or self.rest)


def compare_runs(base: Run, revision: Run) -> Comparison:
    """Return what differs from `base` to `revision`, in the networks that both have."""
    networks = [name for name in base.metrics if name in revision.metrics]
    alone = [f"{name} is in {one.name} only" for one, other in ((base, revision), (revision, base))
             for name in one.metrics if name not in other.metrics]  # fmt: skip
    figures = list(_figures(base, revision, networks))
    return Comparison(
        base=base.name,
        revision=revision.name,
        verdicts=tuple(_verdicts(base, revision, networks)),
        parameters=tuple(_parameters(base.params, revision.params, networks)),
        chief=tuple(one for one in figures if _rank(one) == 0),
        rest=tuple(sorted((one for one in figures if _rank(one)), key=_rank)),
        alone=tuple(alone),
    )


def _verdicts(base: Run, revision: Run, networks: Sequence[str]) -> list[Difference]:
    found = []
    for network in networks:
        for name, (old, new) in _pairs(_states(base.metrics[network]), _states(revision.metrics[network])):
            tone = "worse" if _weight(new) < _weight(old) else "better"
            found.append(Difference((network,), name, _words(old), _words(new), "", tone))
    return sorted(found, key=lambda one: one.tone != "worse")


def _states(stages: Mapping[str, Any]) -> dict[str, str]:
    """Return the verdict of each stage, and of each artifact of match and compare."""
    found: dict[str, str] = {}
    for stage in JUDGED:
        metrics = stages.get(stage, {})
        if "verdict" in metrics:
            found[stage] = str(metrics["verdict"])
        entries = dict(metrics.get("verdicts") or {})
        entries |= {
            key: one["verdict"] for key, one in metrics.items() if isinstance(one, Mapping) and "verdict" in one
        }
        found |= {f"{stage}, {key}": str(verdict) for key, verdict in entries.items()}
    return found


def _weight(state: str) -> int:
    return _WEIGHT.get(state, _WEIGHT["missing"])


def _words(state: Any) -> str:
    return STATES.get(str(state), "no result")


def _parameters(base: Mapping[str, Any], revision: Mapping[str, Any], networks: Sequence[str]) -> list[Difference]:
    """Return what stages read differently: below `networks`, for what stands above it is where that came from."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for network in networks:
        old, new = ((params.get("networks") or {}).get(network, {}) for params in (base, revision))
        for name, values in _pairs(dict(flat(old)), dict(flat(new))):
            found.setdefault((name, _text(values[0]), _text(values[1])), []).append(network)
    return [Difference(tuple(names), name, old, new) for (name, old, new), names in found.items()]


def _figures(base: Run, revision: Run, networks: Sequence[str]) -> Iterator[Difference]:
    for network in networks:
        for stage in JUDGED:
            old, new = (dict(flat(run.metrics[network].get(stage, {}))) for run in (base, revision))
            for name, values in _pairs(old, new):
                if name.split(".")[-1] not in ("verdict", "reason") and not name.startswith("verdicts"):
                    yield _figure(network, f"{stage}: {name}", *values)


def _figure(network: str, name: str, old: Any, new: Any) -> Difference:
    return Difference((network,), name, _text(old), _text(new), _change(old, new))


def _change(old: Any, new: Any) -> str:
    numbers = [value for value in (old, new) if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) < 2:
        return ""
    moved = f"{new - old:+,.4g}"
    return f"{moved} ({100 * (new / old - 1):+.1f} %)" if old else moved


def _rank(one: Difference) -> int:
    """Return 0 for what matters first, 2 for what always differs, else 1."""
    last = one.name.replace(": ", ".").split(".")[-1]
    return 2 if last in _NOISE else 0 if last in (*_CHIEF, *_CHIEF_MORE) else 1


def _pairs(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Yield what differs, by key, in the order of the old; None stands where a side has nothing."""
    for key in dict.fromkeys([*old, *new]):
        if old.get(key) != new.get(key):
            yield key, (old.get(key), new.get(key))


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return NOTHING if value is None else str(value)
