"""The one error tree: every message in the same four parts, every error one that a stage can print."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest

from enginewright import errors
from enginewright.errors import ConfigError, EnginewrightError, exit_with

TREE = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]


def test_all_parts_in_order() -> None:
    error = ConfigError("k is out of range", expected="1 to 3", got=7, cure="set k=3")
    assert str(error) == "k is out of range\n  expected: 1 to 3\n  got: 7\n  cure: set k=3"


def test_parts_that_are_not_given_are_left_out() -> None:
    assert str(ConfigError("bad")) == "bad"
    assert str(ConfigError("bad", cure="mend it")) == "bad\n  cure: mend it"


@pytest.mark.parametrize("empty", [0, "", [], False])
def test_what_was_got_may_be_empty_or_zero_and_is_still_told(empty: object) -> None:
    assert str(ConfigError("bad", got=empty)) == f"bad\n  got: {empty}"


def test_parts_can_be_read_back() -> None:
    error = ConfigError("what", expected=["a"], got=3, cure="cure")
    assert (error.what, error.expected, error.got, error.cure) == ("what", ["a"], 3, "cure")


@pytest.mark.parametrize("cls", TREE)
def test_every_error_is_in_the_tree_and_says_what_it_is_for(cls: type[Exception]) -> None:
    assert issubclass(cls, EnginewrightError)
    assert cls.__doc__
    assert str(cls("what")) == "what"


@pytest.mark.parametrize("cls", TREE)
def test_an_error_survives_a_process_boundary(cls: type[Exception]) -> None:
    """Child processes hand theirs to the parent; what it says must arrive."""
    assert str(pickle.loads(pickle.dumps(cls("what happened")))) == "what happened"  # noqa: S301 - our own bytes


def test_siblings_do_not_catch_each_other() -> None:
    leaves = [cls for cls in TREE if not cls.__subclasses__()]  # a kind of ConfigError is caught as one, on purpose
    assert len(leaves) >= 8
    for cls in leaves:
        assert not any(issubclass(cls, other) for other in leaves if other is not cls)


def test_a_cause_is_kept_for_whoever_debugs() -> None:
    reason = OSError("disk full")
    with pytest.raises(ConfigError) as caught:
        raise ConfigError("could not write") from reason
    assert caught.value.__cause__ is reason


def refused() -> None:
    raise ConfigError("what", cure="cure")


@pytest.mark.parametrize("main", [lambda: None, lambda: 0])
def test_a_command_that_went_well_goes_on(main: Callable[[], int | None]) -> None:
    exit_with(main)


@pytest.mark.parametrize(("main", "status"), [(lambda: 3, 3), (refused, 1)])
def test_a_command_exits_with_its_status_and_1_for_what_a_user_can_mend(
    main: Callable[[], int | None], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        exit_with(main)
    assert caught.value.code == status
    assert capsys.readouterr().err == ("error: what\n  cure: cure\n" if main is refused else "")


def test_a_fault_of_ours_keeps_its_trace() -> None:
    def broken() -> None:
        raise KeyError("ours")

    with pytest.raises(KeyError):
        exit_with(broken)
