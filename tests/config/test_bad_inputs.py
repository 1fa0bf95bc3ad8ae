"""No bad input gets past composing, by our command or by DVC; each refusal says what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.bad_inputs import BAD, BAD_FILES, Bad, BadFile
from tests.config.routes import CONF, Outcome, by_dvc, by_us

NAMES = [*(bad.name for bad in BAD), *(bad.name for bad in BAD_FILES)]


@pytest.fixture(scope="module")
def told_by_dvc(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Return what DVC comes to for every bad input."""
    asked = [(CONF, list(bad.overrides)) for bad in BAD]
    asked += [(bad.conf(tmp_path_factory.mktemp("conf")), []) for bad in BAD_FILES]
    return dict(zip(NAMES, by_dvc(tmp_path_factory.mktemp("dvc"), asked), strict=True))


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_our_command_refuses_bad_overrides_and_names_what_is_allowed(bad: Bad) -> None:
    outcome = by_us(list(bad.overrides))
    assert outcome.text is None
    for word in (*bad.words, *bad.ours):
        assert word in outcome.told
    assert "Traceback" not in outcome.told


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_dvc_refuses_bad_overrides_before_it_writes(bad: Bad, told_by_dvc: dict[str, Outcome]) -> None:
    outcome = told_by_dvc[bad.name]
    assert outcome.text is None
    for word in bad.words:
        assert word in outcome.told


@pytest.mark.parametrize("bad", BAD_FILES, ids=str)
def test_our_command_refuses_bad_files(bad: BadFile, tmp_path: Path) -> None:
    outcome = by_us([], bad.conf(tmp_path))
    assert outcome.text is None
    for word in bad.words:
        assert word in outcome.told


@pytest.mark.parametrize("bad", BAD_FILES, ids=str)
def test_dvc_refuses_bad_files_before_it_writes(bad: BadFile, told_by_dvc: dict[str, Outcome]) -> None:
    outcome = told_by_dvc[bad.name]
    assert outcome.text is None
    for word in bad.words:
        assert word in outcome.told


def test_names_of_bad_inputs_are_told_apart() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_no_secret_is_repeated_in_a_refusal(told_by_dvc: dict[str, Outcome]) -> None:
    asked = [bad for bad in BAD if any("hunter2" in text for text in bad.overrides)]
    assert len(asked) == 2
    for bad in asked:
        assert "hunter2" not in by_us(list(bad.overrides)).told + told_by_dvc[bad.name].told
