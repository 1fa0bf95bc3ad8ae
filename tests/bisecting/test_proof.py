"""The proof casts once more and reads everything again; what the cast refuses is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from enginewright.bisecting.proof import proven
from enginewright.verdicts import PASSED, State
from tests.bisecting.cases import TIGHT, case, shifted, shifted_reference

EVERY = ["scale$", "there$", "back$", "last$"]


def test_a_set_that_is_enough_passes_both(tmp_path: Path) -> None:
    found = case(tmp_path, shifted(), shifted_reference(), TIGHT)
    assert proven(found, ["there$", "back$"]) == {"ranges": PASSED, "rehearsed": PASSED}
    assert (tmp_path / "proven.onnx").is_file()


def test_a_set_that_is_too_small_fails_with_numbers(tmp_path: Path) -> None:
    verdict = proven(case(tmp_path, shifted(), shifted_reference(), TIGHT), ["there$"])["rehearsed"]
    assert verdict.state is State.failed
    assert "rehearsed.y.max_abs is" in verdict.reason


@pytest.mark.parametrize(("patterns", "words"), [(EVERY, "the graph is not fp16"), (["nobody$"], "matches no node")])
def test_what_the_cast_stage_refuses_is_told(patterns: list[str], words: str, tmp_path: Path) -> None:
    verdicts = proven(case(tmp_path, shifted(), shifted_reference(), TIGHT), patterns)
    assert list(verdicts) == ["cast"]
    assert words in verdicts["cast"].reason
