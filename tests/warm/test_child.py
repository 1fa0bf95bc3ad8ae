"""A process that a stage starts, in a fork of the stage's own server: its status, its streams, and its end."""

from __future__ import annotations

import os
import signal
import textwrap
from pathlib import Path

import pytest

from enginewright.warm import hand_over_child
from enginewright.warm.client import SERVED, SWITCH
from tests.warm.test_warm import Owner, appeared, gone, pytestmark  # noqa: F401 - the mark is for this module too

STAGE = """
    import os, subprocess, sys
    from pathlib import Path
    from enginewright.lifeline import bound
    from enginewright.warm import hand_over

    if __name__ == "__main__":
        status = hand_over(("colorsys",))
        if status is not None:
            sys.exit(status)
        Path("stage").write_text(str(os.getpid()))
        words = [sys.executable, "-m", "child", *sys.argv[1:]]
        done = subprocess.run(words, env=bound(), capture_output=True, text=True, check=False)
        print(done.returncode, done.stdout.strip(), done.stderr.strip(), os.getppid())
"""

CHILD = """
    import os, sys, time
    from pathlib import Path
    from enginewright.lifeline import end_with_parent
    from enginewright.warm import hand_over_child

    if __name__ == "__main__":
        end_with_parent()
        status = hand_over_child(("wave",))
        if status is not None:
            sys.exit(status)
        print("colorsys" in sys.modules, "wave" in sys.modules, os.getppid())
        print("told", file=sys.stderr)
        exec(sys.argv[1])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a stage and the process that it starts."""
    for name, text in (("stage", STAGE), ("child", CHILD)):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
    return tmp_path


def test_it_runs_beside_its_stage_with_what_the_server_has(folder: Path) -> None:
    line, status = Owner(folder).run("stage pass")
    assert status == "0"
    code, had_colorsys, had_own, server, told, stages_server = line.split()
    assert (code, had_colorsys, had_own, told) == ("0", "True", "True", "told")
    assert server == stages_server


@pytest.mark.parametrize(("code", "status"), [("sys.exit(3)", "3"), ("os.kill(os.getpid(),11)", "-11"), ("1/0", "1")])
def test_its_status_is_told_to_the_stage(code: str, status: str, folder: Path) -> None:
    assert Owner(folder).run(f"stage {code}")[0].split()[0] == status


def test_it_ends_with_its_stage(folder: Path) -> None:
    owner = Owner(folder)
    owner.tell("stage Path('id').write_text(str(os.getpid()));Path('here').touch();time.sleep(600)")
    assert appeared(folder / "here")
    os.kill(int((folder / "stage").read_text()), signal.SIGKILL)
    assert owner.answer() == ["-9"]
    assert gone(int((folder / "id").read_text()))


def test_without_a_server_it_runs_by_itself(folder: Path) -> None:
    line, status = Owner(folder, **{SWITCH: "0"}).run("stage pass")
    assert status == "0"
    assert line.split()[1:3] == ["False", "False"]


@pytest.mark.parametrize("served", ["", "none", "-1", "999999999"])
def test_a_server_that_is_none_is_left_alone(served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SERVED, served)
    assert hand_over_child(("colorsys",)) is None


def test_the_stage_alone_says_which_server(folder: Path) -> None:
    assert SERVED not in os.environ
    owner = Owner(folder)
    (folder / "child.py").write_text(f"import os; print(os.environ[{SERVED!r}])")
    assert owner.run("stage")[0].split()[1] == str(owner.process.pid)


def test_it_is_handed_over_once(folder: Path) -> None:
    lines = Owner(folder).run(f"stage print(os.environ.get({SERVED!r},'none'))")
    assert lines[1].split()[0] == "none"
