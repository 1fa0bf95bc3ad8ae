"""Installed packages against the lock."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from enginewright.verdicts import State
from enginewright.verifying.configuration import check_packages, pins_in


def told(root: Path, lock: str, needed: str = "") -> dict[str, State]:
    (root / "requirements").mkdir(exist_ok=True)
    (root / "requirements.lock").write_text(lock)
    (root / "requirements" / "run.txt").write_text(f"-c ../requirements.lock\n# told\n{needed}")
    return {check.name: check.verdict.state for check in check_packages(root)}


def test_the_pinned_version_passes_and_another_fails(tmp_path: Path) -> None:
    assert told(tmp_path, f"# all\npytest=={version('pytest')}\n") == {"pytest": State.passed}
    assert told(tmp_path, "pytest==0.1\n") == {"pytest": State.failed}


@pytest.mark.parametrize("build", ["torch"])
def test_a_local_build_is_the_version(tmp_path: Path, build: str) -> None:
    public = version(build).partition("+")[0]
    assert told(tmp_path, f"{build}=={public}\n") == {build: State.passed}


def test_what_is_not_installed_is_not_run_where_it_is_needed(tmp_path: Path) -> None:
    assert told(tmp_path, "no-such-package==1\n") == {}
    assert told(tmp_path, "no-such-package==1\n", "no_such.package\n") == {"no-such-package": State.not_run}


def test_what_is_needed_and_not_pinned_fails(tmp_path: Path) -> None:
    assert told(tmp_path, "", "pytest\n") == {"pytest": State.failed}
    assert told(tmp_path, "pytest>=1\n") == {"requirements.lock: pytest>=1": State.failed}


def test_what_is_no_text_is_no_version(tmp_path: Path) -> None:
    told(tmp_path, "")
    (tmp_path / "requirements.lock").write_bytes(b"pyt\xffest==1\n")
    assert [check.verdict.state for check in check_packages(tmp_path)] == [State.failed]


def test_without_a_lock_nothing_is_checked(tmp_path: Path) -> None:
    assert [check.verdict.state for check in check_packages(tmp_path)] == [State.not_run]


def test_this_lock_pins_what_the_pipeline_needs() -> None:
    root = Path(__file__).parents[2]
    assert {"torch", "securesystemslib", "in-toto-attestation"} <= pins_in(root / "requirements.lock").keys()
    assert not [check for check in check_packages(root) if "does not pin it" in check.verdict.reason]
