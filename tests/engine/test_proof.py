from __future__ import annotations

from typing import Any

import pytest

from enginewright.config.choices import Gate
from enginewright.engine.proof import refuse_breach, status_of, verdict_of
from enginewright.engine.record import Status
from enginewright.errors import BuildError
from enginewright.verdicts import PASSED, State, Verdict, failed

NO_GPU = Verdict(State.not_run, "the engine was not executed: no GPU")
FP16 = Verdict(State.not_run, "fp16 on a CPU proves nothing")
WRONG = failed("typed.y.max_abs is 0.5, more than 0.001")
ENGINE_WRONG = failed("engine.y.max_abs is 0.7, more than 0.001")


@pytest.mark.parametrize(
    ("graph", "engine", "expected"),
    [
        (PASSED, PASSED, (Status.proven, "")),
        (FP16, PASSED, (Status.proven, "")),
        (WRONG, PASSED, (Status.proven, "")),
        (PASSED, NO_GPU, (Status.graph_proven, NO_GPU.reason)),
        (FP16, NO_GPU, (Status.unproven, FP16.reason)),
        (WRONG, NO_GPU, (Status.unproven, WRONG.reason)),
        (PASSED, ENGINE_WRONG, (Status.unproven, ENGINE_WRONG.reason)),
        (FP16, ENGINE_WRONG, (Status.unproven, ENGINE_WRONG.reason)),
    ],
)
def test_the_status_follows_from_both_verdicts(graph: Verdict, engine: Verdict, expected: tuple[Status, str]) -> None:
    assert status_of(graph, engine) == expected


def test_every_status_but_proven_has_a_reason() -> None:
    for graph in (PASSED, FP16, WRONG):
        for engine in (PASSED, NO_GPU, ENGINE_WRONG):
            status, reason = status_of(graph, engine)
            assert (reason == "") is (status is Status.proven)


@pytest.mark.parametrize(
    ("compare", "verdict"),
    [
        ({"verdict": "passed", "reason": ""}, PASSED),
        ({"verdict": "passed"}, PASSED),
        ({"verdict": "failed", "reason": "y is off", "typed": {"y": {"max_abs": 1.0}}}, failed("y is off")),
        ({"verdict": "not_run", "reason": "no GPU"}, Verdict(State.not_run, "no GPU")),
    ],
)
def test_the_verdict_of_compare_json(compare: dict[str, Any], verdict: Verdict) -> None:
    assert verdict_of(compare) == verdict


@pytest.mark.parametrize(
    "compare", [{}, {"verdict": "fine"}, {"verdict": "failed"}, {"verdict": "not_run", "reason": ""}]
)
def test_a_compare_json_without_a_verdict_is_refused(compare: dict[str, Any]) -> None:
    with pytest.raises(BuildError, match=r"compare\.json holds no verdict"):
        verdict_of(compare)


def test_a_breach_stops_at_a_strict_gate_with_its_numbers() -> None:
    with pytest.raises(BuildError, match="the engine does not agree with the original network") as caught:
        refuse_breach("the engine", ENGINE_WRONG, Gate.strict)
    assert "engine.y.max_abs is 0.7, more than 0.001" in str(caught.value)
    assert "compare=report" in str(caught.value)


@pytest.mark.parametrize(
    ("verdict", "gate"), [(WRONG, Gate.report), (PASSED, Gate.strict), (NO_GPU, Gate.strict), (NO_GPU, Gate.report)]
)
def test_nothing_else_stops(verdict: Verdict, gate: Gate) -> None:
    refuse_breach("the typed graph", verdict, gate)
