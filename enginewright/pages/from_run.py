"""Variants from runs: of a sweep, or of the checkout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from enginewright.engine.support import Targets
from enginewright.pages.axes import axes_of
from enginewright.pages.evidence import evidence_of
from enginewright.pages.gates import GATES, name_of, unproven_in, verdict_of
from enginewright.pages.pipelines import pipelines_among, pipelines_of
from enginewright.pages.run import Run
from enginewright.pages.sweep import Sweep, Swept
from enginewright.pages.variant import Kept, Proof, Variant
from enginewright.report.collect import Metrics
from enginewright.report.rows import REHEARSED, largest_error
from enginewright.verdicts import State, Verdict, worst

SWEEP = "sweep"
"""The source of variants that come from the sweep of a page."""

COMPARED = "compared"
"""The source of variants that come from two runs that are compared."""

_GRAPHS = ("exported", "simplified", "typed", REHEARSED)


def variants_of_sweep(sweep: Sweep) -> list[Variant]:
    """Return a variant for each of the sweep's and each of its pipelines; one where it left nothing to tell them by."""
    pipelines = pipelines_among(swept.run for swept in sweep.variants if swept.run)
    return [
        _variant(swept, network, parts, SWEEP)
        for swept in sweep.variants
        for network, parts in (pipelines or {"": ()}).items()
    ]


def variants_of_run(run: Run, source: str) -> list[Variant]:
    """Return a variant for each pipeline of a run."""
    swept = Swept(run.name, run.name, (), "done", "", None, (), run, "")
    return [_variant(swept, network, parts, source) for network, parts in pipelines_of(run).items()]


def _variant(swept: Swept, network: str, parts: Sequence[str], source: str) -> Variant:
    stages = {part: swept.run.metrics.get(part, {}) for part in parts} if swept.run else {}
    records = swept.run.records if swept.run else {}
    found = _verdicts(stages)
    gates = _gates(swept, found)
    opset, precision, form = axes_of(swept, network)
    return Variant(
        name=swept.title,
        network=network,
        source=source,
        state=swept.state,
        gates=gates,
        proof=_proof(stages, [records.get(part, {}) for part in parts]),
        reason=swept.reason or swept.gap or (gates.reason if gates.state is State.failed else ""),
        opset=opset,
        precision=precision,
        form=form,
        kept=kept_of(stages.get(network, {}).get("match", {})),
        error=_most(largest_error(metrics.get("compare", {})) for metrics in stages.values()),
        engine_mb=_sum(stages, "engine_mb"),
        graph_mb=_megabytes(records.get(network, {}).get("graph", {}).get("size")),
        layers=_whole(_sum(stages, "layers")),
        build_s=_sum(stages, "seconds"),
        seconds=swept.seconds,
        unproven=tuple(unproven_in(stages)),
        anchor=f"run-{source}-{swept.name}" if swept.run else "",
        checks=len(found),
        missing=sum(verdict.state is State.not_run for verdict in found),
        asked=_asked(swept.run, network),
        evidence=evidence_of(swept.run, network) if swept.run else None,
        parts=tuple(parts),
        targets=_targets([records.get(part, {}) for part in parts]),
        experiment=swept.name if source == SWEEP and swept.state in ("done", "cached") else "",
    )


def _asked(run: Run | None, network: str) -> float | None:
    """Return the least share of matches that match lets pass."""
    own = (run.params.get("networks") or {}).get(network) or {} if run else {}
    asked = (own.get("match") or {}).get("common_ratio")
    return float(asked) if isinstance(asked, int | float) else None


def _targets(records: Sequence[Mapping[str, Any]]) -> tuple[Targets, ...]:
    """Return the GPUs that each engine is for, equal ones once."""
    raw = [record.get("targets") or {} for record in records]
    found = (Targets(tuple(one.get("compute_capabilities") or ()), bool(one.get("and_later"))) for one in raw)
    return tuple(dict.fromkeys(one for one in found if one.compute_capabilities))


def _gates(swept: Swept, found: Sequence[Verdict]) -> Verdict:
    """Return the worst verdict of all stages that judge. A variant that failed has failed, whatever it left."""
    if swept.state == "failed":
        return Verdict(State.failed, swept.reason or "it failed, and did not say why")
    if swept.state not in ("done", "cached"):
        return Verdict(State.not_run, swept.reason or f"it is {swept.state.replace('_', ' ')}")
    return worst(found) if found else Verdict(State.not_run, swept.gap or "it left no metrics")


def _verdicts(stages: Mapping[str, Mapping[str, Metrics]]) -> list[Verdict]:
    return [
        verdict_of(metrics.get(gate), name_of(network, gate))
        for network, metrics in stages.items()
        for gate in GATES
        if gate in metrics or gate in ("compare", "build") or (gate == "match" and _gives_matches(network, stages))
    ]


def _gives_matches(network: str, stages: Mapping[str, Mapping[str, Metrics]]) -> bool:
    """Return whether the network is the matcher of a pipeline of two: then a missing match.json is a gap."""
    return len(stages) > 1 and network == list(stages)[-1]


def _proof(stages: Mapping[str, Mapping[str, Metrics]], records: Sequence[Mapping[str, Any]]) -> Proof:
    """Return the level of the least proven part, and of the matches where there are any."""
    levels = [_LEVELS.get(str(record.get("status")), Proof.nothing) for record in records]
    match = next((metrics["match"] for metrics in stages.values() if "match" in metrics), None)
    if match is not None or len(stages) > 1:
        levels.append(_matched(match or {}))
    level = min(levels, default=Proof.nothing)
    rehearsed = (match or {}).get(REHEARSED, {}).get("verdict") == "passed"
    return Proof.rehearsed if level is Proof.nothing and rehearsed else level


_LEVELS = {"proven": Proof.engine, "graph_proven": Proof.graph}


def _matched(match: Metrics) -> Proof:
    passed = {name for name in ("typed", "engine") if match.get(name, {}).get("verdict") == "passed"}
    return Proof.engine if "engine" in passed else Proof.graph if "typed" in passed else Proof.nothing


def kept_of(match: Metrics) -> Kept | None:
    """Return what the engine kept, or else the first graph that failed, the typed graph, or its rehearsal."""
    original = match.get("original", {}).get("matches")
    failing = [name for name in _GRAPHS if match.get(name, {}).get("verdict") == "failed"]
    names = (name for name in ("engine", *failing, "typed", REHEARSED) if "common" in match.get(name, {}))
    name = next(names, None)
    if name is None or not isinstance(original, int):
        return None
    return Kept(original, int(match[name]["common"]), _HOW.get(name, f"the {name} graph"))


_HOW = {
    "engine": "the engine on a GPU",
    "typed": "the typed graph",
    REHEARSED: "the typed graph, its rounding rehearsed on a CPU",
}


def _sum(stages: Mapping[str, Mapping[str, Metrics]], key: str) -> float | None:
    """Return the sum over the builds of all parts; None where one is missing, for a part is no whole."""
    found = [metrics.get("build", {}).get(key) for metrics in stages.values()]
    numbers = [value for value in found if isinstance(value, int | float)]
    return sum(numbers) if numbers and len(numbers) == len(found) else None


def _most(values: Iterator[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _megabytes(size: Any) -> float | None:
    return size / 1e6 if isinstance(size, int) else None


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
