"""Verdicts: `passed`, `failed`, or `not_run` with the missing requirement named. Nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from enginewright.errors import RequirementError


class State(Enum):
    """The only three states of a result."""

    passed = "passed"
    failed = "failed"
    not_run = "not_run"


@dataclass(frozen=True)
class Verdict:
    """A state and, unless it passed, why."""

    state: State
    reason: str = ""

    def __post_init__(self) -> None:
        if self.state is not State.passed and not self.reason:
            raise ValueError(f"a {self.state.value} verdict needs a reason")

    def as_metrics(self) -> dict[str, str]:
        """Return the two metric keys of a verdict."""
        return {"verdict": self.state.value, "reason": self.reason}


PASSED = Verdict(State.passed)


def failed(reason: str) -> Verdict:
    """Return the verdict of a check that was made and breached."""
    return Verdict(State.failed, reason)


def not_run(requirement: str) -> Verdict:
    """Return the verdict of a check that was not made, naming the missing requirement.

    Raises:
        RequirementError: where `REQUIRE_GPU=1` turns every `not_run` into a failure.
    """
    if os.environ.get("REQUIRE_GPU") == "1":
        raise RequirementError(
            "a check could not be run, and REQUIRE_GPU=1 forbids that",
            expected="every check runs",
            got=requirement,
            cure="run on a machine that has it, or unset REQUIRE_GPU",
        )
    return Verdict(State.not_run, requirement)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict of several checks together: any failed, else any not_run, else passed."""
    found = list(verdicts)
    for state in (State.failed, State.not_run):
        reasons = [verdict.reason for verdict in found if verdict.state is state]
        if reasons:
            return Verdict(state, "; ".join(dict.fromkeys(reasons)))
    return PASSED if found else not_run("there was nothing to check")
