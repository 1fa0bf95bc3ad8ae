"""Checks, and the table of them. A check passed, failed, or was not run because something is not there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from enginewright.verdicts import PASSED, State, Verdict

GROUPS = (
    "configuration",
    "dvc.lock",
    "working tree",
    "code and tools",
    "cache",
    "statements",
    "records",
    "signatures",
    "packages",
)
"""What is checked, in the order in which it is told."""


@dataclass(frozen=True)
class Check:
    """One check of `group` on `name`, a path or what stands in one. cure: what mends it, empty where nothing must."""

    group: str
    name: str
    verdict: Verdict
    cure: str = ""


def passed(group: str, name: str) -> Check:
    """Return a check that was made and found nothing."""
    return Check(group, name, PASSED)


def failed(group: str, name: str, reason: str, cure: str) -> Check:
    """Return a check that found a mismatch."""
    return Check(group, name, Verdict(State.failed, reason), cure)


def missing(group: str, name: str, requirement: str, cure: str = "") -> Check:
    """Return a check that was not made. Also with REQUIRE_GPU=1: no GPU would make it possible."""
    return Check(group, name, Verdict(State.not_run, requirement), cure)


def compared(group: str, name: str, said: object, found: object, cure: str) -> Check:
    """Return whether what is said of `name` is what was found."""
    return passed(group, name) if said == found else failed(group, name, f"said: {said}; found: {found}", cure)


def outcome(checks: Iterable[Check]) -> State:
    """Return the state of all checks together: any failed, else any not run, else passed; not run if there are none."""
    states = {check.verdict.state for check in checks}
    return next((state for state in (State.failed, State.not_run) if state in states or not states), State.passed)


def table(checks: Sequence[Check]) -> list[str]:
    """Return the lines: a count for each group, then every check that did not pass, those that failed last."""
    rows = [f"{'':<16}{'passed':>8}{'failed':>8}{'not run':>9}"]
    for group in GROUPS:
        own = [check.verdict.state for check in checks if check.group == group]
        counts = [own.count(state) for state in (State.passed, State.failed, State.not_run)]
        if own:
            rows.append(f"{group:<16}{counts[0]:>8}{counts[1]:>8}{counts[2]:>9}")
    for state in (State.not_run, State.failed):
        rows += [line for check in checks if check.verdict.state is state for line in _told(check)]
    return rows


def _told(check: Check) -> list[str]:
    state = check.verdict.state.value.replace("_", " ")
    lines = ["", f"{state}: {check.group}: {check.name}", f"  {check.verdict.reason}"]
    return [*lines, f"  cure: {check.cure}"] if check.cure else lines
