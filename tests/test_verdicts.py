"""Three states and no other; a reason for all but one; REQUIRE_GPU=1 leaves no check unrun."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enginewright.errors import RequirementError
from enginewright.verdicts import PASSED, State, Verdict, failed, not_run, worst


@pytest.fixture(autouse=True)
def _demand_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUIRE_GPU", raising=False)


def test_the_states_are_these_three() -> None:
    assert [state.value for state in State] == ["passed", "failed", "not_run"]


@pytest.mark.parametrize("state", [State.failed, State.not_run])
def test_what_did_not_pass_says_why(state: State) -> None:
    with pytest.raises(ValueError, match=f"a {state.value} verdict needs a reason"):
        Verdict(state)
    assert Verdict(state, "why").reason == "why"


def test_the_two_metric_keys() -> None:
    assert PASSED.as_metrics() == {"verdict": "passed", "reason": ""}
    assert failed("0.2 > 0.1").as_metrics() == {"verdict": "failed", "reason": "0.2 > 0.1"}
    assert not_run("needs a GPU").as_metrics() == {"verdict": "not_run", "reason": "needs a GPU"}


@pytest.mark.parametrize("value", [None, "", "0", "true"])
def test_a_check_may_stay_unrun_unless_that_is_forbidden(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    if value is not None:
        monkeypatch.setenv("REQUIRE_GPU", value)
    assert not_run("needs a GPU").state is State.not_run


def test_require_gpu_turns_not_run_into_an_error_that_names_the_requirement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRE_GPU", "1")
    with pytest.raises(RequirementError) as caught:
        not_run("an NVIDIA GPU")
    assert caught.value.got == "an NVIDIA GPU"
    assert "unset REQUIRE_GPU" in str(caught.value.cure)
    assert failed("breach").state is State.failed


def test_nothing_to_check_has_not_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert worst([]) == Verdict(State.not_run, "there was nothing to check")
    monkeypatch.setenv("REQUIRE_GPU", "1")
    with pytest.raises(RequirementError):
        worst([])


def test_any_failure_fails_and_only_the_failures_are_told() -> None:
    found = worst([PASSED, not_run("no GPU"), failed("a"), PASSED, failed("b")])
    assert found == failed("a; b")


def test_anything_unrun_keeps_the_whole_from_passing() -> None:
    assert worst([PASSED, not_run("no GPU"), PASSED]) == not_run("no GPU")


def test_all_passed() -> None:
    assert worst([PASSED, PASSED]) == PASSED


def test_a_reason_is_told_once() -> None:
    assert worst([failed("a"), failed("b"), failed("a")]).reason == "a; b"


def test_verdicts_may_come_from_a_generator() -> None:
    assert worst(verdict for verdict in (PASSED, failed("late"))) == failed("late")


@given(st.lists(st.sampled_from([PASSED, failed("x"), Verdict(State.not_run, "y")]), min_size=1, max_size=4))
def test_the_order_does_not_count(verdicts: list[Verdict]) -> None:
    assert len({worst(order) for order in itertools.permutations(verdicts)}) == 1
    order = [State.passed, State.not_run, State.failed]
    assert worst(verdicts).state is max((verdict.state for verdict in verdicts), key=order.index)
