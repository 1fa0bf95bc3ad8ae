"""From the verdicts on the typed graph and on the executed engine to the engine's status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enginewright.config.choices import Gate
from enginewright.engine.record import Status
from enginewright.errors import BuildError
from enginewright.verdicts import State, Verdict


def verdict_of(compare: Mapping[str, Any]) -> Verdict:
    """Return the verdict that compare.json holds.

    Raises:
        BuildError: if it holds none, or a failed or not_run one without a reason.
    """
    try:
        return Verdict(State(compare["verdict"]), str(compare.get("reason", "")))
    except (KeyError, ValueError) as error:
        raise BuildError(
            f"compare.json holds no verdict: {error}",
            expected=f"verdict: {' or '.join(state.value for state in State)}, and a reason unless passed",
            got={name: compare.get(name) for name in ("verdict", "reason")},
            cure="dvc repro",
        ) from error


def refuse_breach(what: str, verdict: Verdict, gate: Gate) -> None:
    """Refuse to go on after a breach, unless the gate only reports.

    Raises:
        BuildError: with the reason, which holds the numbers.
    """
    if verdict.state is State.failed and gate is Gate.strict:
        raise BuildError(
            f"{what} does not agree with the original network",
            expected="every error within the tolerances of conf/compare",
            got=verdict.reason,
            cure="mend the graph, widen the tolerance, or record the breach only: compare=report",
        )


def status_of(graph: Verdict, engine: Verdict) -> tuple[Status, str]:
    """Return the status of an engine and its reason.

    Args:
        graph: what the compare stage found on the typed graph.
        engine: what executing the engine here found; not_run where no GPU could.
    """
    if engine.state is State.passed:
        return Status.proven, ""
    if engine.state is State.failed:
        return Status.unproven, engine.reason
    if graph.state is State.passed:
        return Status.graph_proven, engine.reason
    return Status.unproven, graph.reason
