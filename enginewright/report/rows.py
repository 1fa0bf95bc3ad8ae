"""What each stage found, as rows: its state, the reason for it, and its key figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from enginewright.report.collect import STAGES, Metrics
from enginewright.report.words import NOTHING, STATES, cosine, count, megabytes, share, small, state_of


@dataclass(frozen=True)
class Row:
    """One stage of one network, or one artifact. state: a key of `STATES`. cells: figures in words."""

    name: str
    state: str
    reason: str
    cells: tuple[str, ...]

    @property
    def words(self) -> str:
        """The state in words."""
        return STATES[self.state]


MATCH_COLUMNS = (
    "matches",
    "in common",
    "kept",
    "confidence, mean",
    "keypoints moved, px",
    "keypoints missing",
    "descriptor cosine, least",
    "within 1 px",
    "within 3 px",
    "within 5 px",
)
COMPARE_COLUMNS = ("output", "largest error", "mean error", "99th percentile", "cosine")


REHEARSED = "rehearsed"
"""The typed graph on a CPU with every result rounded: no run of the graph itself, and told apart from one."""


def stage_rows(metrics: Mapping[str, Metrics]) -> list[Row]:
    """Return a row for each stage. A missing match is left out, since only matchers have one."""
    present = [stage for stage in STAGES if stage in metrics or stage != "match"]
    return [_stage_row(stage, metrics.get(stage)) for stage in present]


def match_rows(metrics: Metrics) -> list[Row]:
    """Return a row for the original and for each artifact of match.json; cells as `MATCH_COLUMNS`."""
    return [
        Row(name, state_of(entry), str(entry.get("reason", "")), _match_cells(entry))
        for name, entry in _entries(metrics, ("original", "exported", "simplified", "typed", REHEARSED, "engine"))
    ]


def compare_rows(metrics: Metrics) -> list[Row]:
    """Return a row for each output of each artifact of compare.json; cells as `COMPARE_COLUMNS`.

    Its key `verdicts` holds the verdict of each artifact, those that were not run included.
    """
    verdicts = metrics.get("verdicts", {})
    names = {*verdicts, *metrics} - {"verdicts"}
    artifacts = {name: metrics.get(name, {}) for name in names}
    return [
        Row(artifact, state_of({"verdict": verdicts.get(artifact)}), "", cells)
        for artifact, entry in _entries(artifacts, ("exported", "simplified", "typed", REHEARSED))
        for cells in _compare_cells(entry)
    ]


def _entries(metrics: Metrics, order: tuple[str, ...]) -> Iterator[tuple[str, Metrics]]:
    """Yield the entries that are mappings: the known artifacts in pipeline order, then any other."""
    names = [*(name for name in order if name in metrics), *sorted(set(metrics) - set(order))]
    return ((name, metrics[name]) for name in names if isinstance(metrics[name], Mapping))


def _match_cells(entry: Metrics) -> tuple[str, ...]:
    return (
        count(entry.get("matches")),
        count(entry.get("common")),
        share(entry.get("common_ratio")),
        small(entry.get("confidence", {}).get("mean")),
        small(entry.get("keypoint_px_max")),
        count(entry.get("keypoints_missing")),
        cosine(entry.get("descriptor_cosine_min")),
        *(share(entry.get(f"precision_{limit}px")) for limit in (1, 3, 5)),
    )


def _compare_cells(entry: Metrics) -> list[tuple[str, ...]]:
    outputs = [(name, values) for name, values in entry.items() if isinstance(values, Mapping)]
    errors = ("max_abs", "mean_abs", "p99_abs")
    rows = [
        (name, *(small(values.get(key)) for key in errors), cosine(values.get("cosine"))) for name, values in outputs
    ]
    return rows or [(NOTHING,) * len(COMPARE_COLUMNS)]


def _stage_row(stage: str, metrics: Metrics | None) -> Row:
    if metrics is None:
        return Row(stage, "missing", "it wrote no metrics", ())
    return Row(stage, state_of(metrics), str(metrics.get("reason", "")), tuple(_FIGURES[stage](metrics)))


def _swap(metrics: Metrics) -> Iterator[str]:
    yield f"{count(metrics.get('layers_swapped'))} layers swapped"
    yield f"outputs differ by {small(metrics.get('max_abs_diff'))} at most"


def _export(metrics: Metrics) -> Iterator[str]:
    size = metrics.get("bytes")
    yield f"opset {metrics.get('opset', NOTHING)}"
    yield f"{count(metrics.get('nodes'))} nodes"
    yield f"{count(metrics.get('layernorm_ops'))} LayerNormalization"
    yield megabytes(size / 1e6 if isinstance(size, int) else None)


def _simplify(metrics: Metrics) -> Iterator[str]:
    yield f"{count(metrics.get('nodes_before'))} to {count(metrics.get('nodes_after'))} nodes"
    yield f"kept: {metrics.get('kept', NOTHING)}"


def _cast(metrics: Metrics) -> Iterator[str]:
    yield str(metrics.get("precision", NOTHING))
    yield f"{count(metrics.get('casts'))} casts"
    yield f"{count(metrics.get('fp32_nodes'))} nodes kept in fp32"


def _compare(metrics: Metrics) -> Iterator[str]:
    yield f"largest error {small(largest_error(metrics))}"
    if ranges := metrics.get("ranges"):
        yield f"{count(ranges.get('faulty'))} of {count(ranges.get('tensors'))} reduced tensors out of range"


def _build(metrics: Metrics) -> Iterator[str]:
    yield megabytes(metrics.get("engine_mb"))
    yield f"{count(metrics.get('layers'))} layers"
    yield f"{small(metrics.get('seconds'))} s"
    yield f"{count(round(metrics.get('peak_mb', 0)))} MB of memory at most"


def _match(metrics: Metrics) -> Iterator[str]:
    ran = [entry for _, entry in _entries(metrics, ()) if "common_ratio" in entry]
    yield f"{count(metrics.get('original', {}).get('matches'))} matches of the original"
    yield f"{share(min((entry['common_ratio'] for entry in ran), default=None))} kept by every artifact that ran"


def largest_error(metrics: Metrics) -> float | None:
    """Return the largest `max_abs` of compare.json over the graphs that ran and their outputs, or None if none did."""
    entries = [entry for name, entry in _entries(metrics, ()) if name != REHEARSED]
    outputs = [values for entry in entries for values in entry.values() if isinstance(values, Mapping)]
    return max((float(values["max_abs"]) for values in outputs if "max_abs" in values), default=None)


_FIGURES: dict[str, Callable[[Any], Iterator[str]]] = {
    "swap": _swap,
    "export": _export,
    "simplify": _simplify,
    "cast": _cast,
    "compare": _compare,
    "build": _build,
    "match": _match,
}
