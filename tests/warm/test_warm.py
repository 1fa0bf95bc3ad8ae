"""Stages in forks of one server: the same arguments, folder, streams and status, and nothing left when DVC ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from enginewright.warm import hand_over
from enginewright.warm.client import SWITCH
from enginewright.warm.wire import address

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux with pidfd_open(2)")

ROOT = Path(__file__).parents[2]

STAGE = """
    import os, sys, time
    from pathlib import Path
    from enginewright.warm import hand_over

    if __name__ == "__main__":
        status = hand_over({packages!r})
        if status is not None:
            sys.exit(status)
        Path("log").open("a").write(f"{{os.getpid()}} {{os.getppid()}} {{'colorsys' in sys.modules}}\\n")
        {body}
"""

OWNER = """
    import os, subprocess, sys
    {first}
    for line in sys.stdin:
        command, variables = [sys.executable, "-m", *line.split()], dict(os.environ, DVC_STAGE="any")
        done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, env=variables)
        print(done.returncode, flush=True)
"""


class Owner:
    """A process that runs stages one after the other, as DVC does. first: a statement that it begins with."""

    def __init__(self, folder: Path, first: str = "pass", **environment: str) -> None:
        self.folder = folder
        variables = os.environ | {"PYTHONPATH": str(ROOT), **environment}
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(OWNER).format(first=first)],
            cwd=folder, env=variables, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def tell(self, line: str) -> None:
        """Start a stage."""
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def answer(self) -> list[str]:
        """Return what a stage printed, and its exit status as the last line."""
        assert self.process.stdout
        lines: list[str] = []
        while not (lines and lines[-1].lstrip("-").isdigit()):
            line = self.process.stdout.readline()
            assert line, "the owner ended"
            lines.append(line.rstrip("\n"))
        return lines

    def run(self, line: str) -> list[str]:
        """Run a stage to its end."""
        self.tell(line)
        return self.answer()

    def log(self) -> list[list[str]]:
        """Return process, parent and whether the package was there, of each stage that did its work."""
        return [line.split() for line in (self.folder / "log").read_text().splitlines()]


@pytest.fixture
def owner(tmp_path: Path) -> Callable[..., Owner]:
    """Return a function that makes an owner with one stage of the given body."""

    def make(body: str, packages: tuple[str, ...] = ("colorsys",), **environment: str) -> Owner:
        code = textwrap.dedent(STAGE).format(packages=packages, body=body)
        (tmp_path / "stage.py").write_text(code)
        return Owner(tmp_path, **environment)

    return make


def gone(process: int) -> bool:
    """Return whether a process has ended, waiting a while for it."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def appeared(path: Path) -> bool:
    """Return whether a file appears within a while."""
    deadline = time.monotonic() + 90
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return path.exists()


def test_stages_share_one_server_that_has_the_packages(owner: Callable[..., Owner]) -> None:
    stages = owner("print('done', *sys.argv[1:], os.getcwd())")
    first, second = stages.run("stage one --two"), stages.run("stage three")
    assert first == [f"done one --two {stages.folder}", "0"]
    assert second == [f"done three {stages.folder}", "0"]
    rows = stages.log()
    assert rows[0][0] != rows[1][0], "each stage is a process of its own"
    assert rows[0][1] == rows[1][1] != str(stages.process.pid), "both are forks of one server"
    assert {row[2] for row in rows} == {"True"}


@pytest.mark.parametrize(("body", "status"), [("sys.exit(3)", "3"), ("raise KeyError", "1"), ("pass", "0")])
def test_the_exit_status_is_the_stages(body: str, status: str, owner: Callable[..., Owner]) -> None:
    stages = owner(body)
    assert stages.run("stage")[-1] == status
    assert len(stages.log()) == 1, "a failed stage does not run again"


def test_a_stage_that_a_signal_ends_is_reported_as_such(owner: Callable[..., Owner]) -> None:
    stages = owner("os.kill(os.getpid(), 11)")
    assert stages.run("stage")[-1] == "-11"
    assert len(stages.log()) == 1


def test_errors_reach_standard_error(owner: Callable[..., Owner]) -> None:
    stages = owner("sys.exit('error: told')")
    assert stages.run("stage") == ["1"]
    _, told = stages.process.communicate()
    assert told == "error: told\n"


def test_an_environment_that_changes_between_stages(owner: Callable[..., Owner]) -> None:
    """DVC gives each stage its own DVC_STAGE; a fork must not see the first one's."""
    stages = owner("print(os.environ.get('OWN'), os.environ['ENGINEWRIGHT_WARM'])")
    assert stages.run("stage") == ["None 0", "0"]
    inner = (
        "import os, runpy, sys; os.environ['OWN'] = 'second'; os.execv(sys.executable, [sys.executable, '-m', 'stage'])"
    )
    (stages.folder / "other.py").write_text(inner)
    assert stages.run("other") == ["second 0", "0"]
    assert len({row[1] for row in stages.log()}) == 1


def test_the_server_ends_with_its_owner(owner: Callable[..., Owner]) -> None:
    stages = owner("pass")
    stages.run("stage")
    server = int(stages.log()[0][1])
    stages.process.communicate()
    assert gone(server)


def test_killing_the_owner_ends_server_and_stage(owner: Callable[..., Owner]) -> None:
    """DVC alone leaves a killed run's stage behind, which then races the next run."""
    stages = owner("Path('begun').touch(); time.sleep(60); Path('late').touch()")
    stages.tell("stage")
    assert appeared(stages.folder / "begun")
    process, server, _ = stages.log()[0]
    stages.process.kill()
    stages.process.wait()
    assert gone(int(server))
    assert gone(int(process))
    assert not (stages.folder / "late").exists()


def test_killing_the_owner_ends_a_server_that_is_importing(owner: Callable[..., Owner]) -> None:
    stages = owner("pass", packages=("slow",))
    code = "import os, time; from pathlib import Path; Path('importing').write_text(str(os.getpid())); time.sleep(60)"
    (stages.folder / "slow.py").write_text(code)
    stages.tell("stage")
    assert appeared(stages.folder / "importing")
    stages.process.kill()
    stages.process.wait()
    assert gone(int((stages.folder / "importing").read_text()))


def test_killing_the_server_ends_the_stage_as_killed(owner: Callable[..., Owner]) -> None:
    stages = owner("Path('begun').touch(); time.sleep(60)")
    stages.tell("stage")
    assert appeared(stages.folder / "begun")
    process, server, _ = stages.log()[0]
    os.kill(int(server), signal.SIGKILL)
    assert stages.answer()[-1] == "-9"
    assert gone(int(process))
    assert len(stages.log()) == 1


def test_killing_a_waiting_stage_ends_its_fork(owner: Callable[..., Owner]) -> None:
    stages = owner("Path('begun').touch(); Path('waiting').write_text('') ; time.sleep(60)")
    stages.tell("stage")
    assert appeared(stages.folder / "begun")
    process, server, _ = stages.log()[0]
    waiting = next(
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and entry.name not in (process, server) and _parent(entry) == stages.process.pid
    )
    os.kill(waiting, signal.SIGTERM)
    assert stages.answer()[-1] == "-15"
    assert gone(int(process))


def _parent(entry: Path) -> int:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def test_a_package_that_cannot_be_imported_leaves_the_stage_in_its_own_process(owner: Callable[..., Owner]) -> None:
    stages = owner("print('here')", packages=("no_such_package",))
    assert stages.run("stage") == ["here", "0"]
    assert stages.log()[0][1] == str(stages.process.pid)


@pytest.mark.parametrize("environment", [{SWITCH: "0"}])
def test_switched_off_a_stage_runs_in_its_own_process(environment: dict[str, str], owner: Callable[..., Owner]) -> None:
    stages = owner("pass", **environment)
    stages.run("stage")
    assert stages.log()[0][1] == str(stages.process.pid)


def test_the_server_is_of_no_stage(owner: Callable[..., Owner]) -> None:
    """A later run of the stage that started it would take it for a shell, and look for DVC beyond it."""
    stages = owner("pass")
    stages.run("stage")
    server = stages.log()[0][1]
    assert b"DVC_STAGE" not in Path(f"/proc/{server}/environ").read_bytes()
    assert [stages.run("stage")[-1] for _ in range(2)] == ["0", "0"]


def test_code_of_the_project_is_not_kept_by_the_server(owner: Callable[..., Owner]) -> None:
    stages = owner("import mine; print(mine.VALUE)")
    for value in ("first", "second"):
        (stages.folder / "mine.py").write_text(f"VALUE = '{value}'  # {'x' * len(value)}\n")
        assert stages.run("stage") == [value, "0"]


def test_outside_dvc_nothing_is_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DVC_STAGE", raising=False)
    assert hand_over(("colorsys",)) is None
    monkeypatch.setenv("DVC_STAGE", "any")
    assert hand_over(()) is None


def test_each_owner_has_its_own_address() -> None:
    assert address(1) != address(2)
    assert address(1).startswith("\0")
