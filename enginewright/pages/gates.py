"""The stages that judge, what each of them checks in words, and what was not checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from enginewright.report.collect import Metrics
from enginewright.verdicts import PASSED, State, Verdict

GATES = ("preflight", "compare", "build", "match")
"""The stages that judge."""

_NAMES = {
    "preflight": "the builder's answer on the graph",
    "compare": "the typed graph beside the original",
    "build": "a run of the built engine",
    "match": "matches of real pairs",
}
_ARTIFACTS = {"typed": "matches of the typed graph", "engine": "matches of the engines"}
_SAID = ("the engine was not executed: ", "engine.plan cannot run on this machine: ", "typed: ", "engine: ")
"""How reasons begin that say what the name of the check says already."""


def name_of(network: str, gate: str) -> str:
    """Return what a stage checks of a network. build executes what it built: it is that run which may be missing."""
    return f"{network}: {_NAMES[gate]}"


def verdict_of(metrics: Metrics | None, name: str) -> Verdict:
    """Return the verdict of a stage's metrics, `name` before its reason; of none, that it was not run."""
    if metrics is None:
        return Verdict(State.not_run, f"{name}: it wrote no metrics")
    known = {state.value: state for state in State}
    state = known.get(str(metrics.get("verdict")), State.not_run)
    return PASSED if state is State.passed else Verdict(state, f"{name}: {_plain(metrics.get('reason'))}")


def unproven_in(stages: Mapping[str, Mapping[str, Metrics]]) -> Iterator[tuple[str, str]]:
    """Yield (what, why) for each check that was not made; of the matches, for graph and engines apart."""
    for network, metrics in stages.items():
        for gate in GATES:
            if metrics.get(gate, {}).get("verdict") == State.not_run.value:
                parts = list(_parts(metrics[gate])) if gate == "match" else []
                yield from parts or [(name_of(network, gate), _plain(metrics[gate].get("reason")))]


def _parts(match: Metrics) -> Iterator[tuple[str, str]]:
    for artifact, words in _ARTIFACTS.items():
        entry = match.get(artifact) or {}
        if entry.get("verdict") == State.not_run.value:
            yield words, _plain(entry.get("reason"))


def _plain(reason: Any) -> str:
    """Return a reason without what the name of its check says already."""
    text = str(reason or "no reason given")
    for said in _SAID:
        text = text.replace(said, "")
    return text
