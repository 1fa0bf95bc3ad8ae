"""Processes end with whoever started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from enginewright.lifeline import bound, end_with
from tests.dag import ROOT
from tests.warm.test_warm import appeared, gone

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux with prctl(2)")

CHILD = "import time; from pathlib import Path; from enginewright.lifeline import {0}; {0}(); {1}; time.sleep(60)"
WRITE = "import os; Path('child').write_text(str(os.getpid()))"
STARTER = """
import subprocess, sys, time
from enginewright.lifeline import bound
subprocess.Popen([sys.executable, *sys.argv[1:]], env=bound())
time.sleep(60)
"""


def starter(folder: Path, *words: str, **environment: str) -> subprocess.Popen[bytes]:
    """Start a process that starts `python words...`, in a process group of their own."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    command = [sys.executable, "-c", STARTER, *words]
    return subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True)


def child(folder: Path) -> int:
    """Return the child's process, once it has told."""
    assert appeared(folder / "child")
    while not (text := (folder / "child").read_text()):
        time.sleep(0.01)
    return int(text)


def test_a_child_ends_with_its_parent(tmp_path: Path) -> None:
    process = starter(tmp_path, "-c", CHILD.format("end_with_parent", WRITE))
    number = child(tmp_path)
    process.kill()
    process.wait()
    assert gone(number)


def test_a_module_of_another_project_does_too(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text(f"import sys, time; from pathlib import Path; {WRITE}; time.sleep(60)")
    process = starter(tmp_path, "-m", "enginewright.lifeline", "other", PYTHONPATH=f"{ROOT}:{tmp_path}")
    number = child(tmp_path)
    process.kill()
    process.wait()
    assert gone(number)


def test_one_whose_parent_has_ended_already_ends_at_once() -> None:
    if not (process := os.fork()):
        end_with(1 if os.getppid() != 1 else 2)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL


def test_a_child_that_nobody_bound_lives_its_own_life(tmp_path: Path) -> None:
    code = "from enginewright.lifeline import end_with_parent; end_with_parent(); print('well')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "well\n"


def test_the_variable_is_for_the_child_alone() -> None:
    code = "from enginewright.lifeline import end_with_parent; import os; end_with_parent(); print(sorted(os.environ))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=bound(), capture_output=True, text=True, check=True
    )
    assert "ENGINEWRIGHT_PARENT" not in done.stdout


SHELL = "sh -c '{0} -c \"$CODE\"; true'"
"""A shell that stays between DVC and the stage, as some do."""


@pytest.mark.parametrize("shell", ['{0} -c "$CODE"', SHELL])
def test_a_stage_ends_with_dvc_also_behind_a_shell(tmp_path: Path, shell: str) -> None:
    code = CHILD.format("end_with_dvc", WRITE)
    dvc = f"import os, subprocess, time\nsubprocess.Popen({shell.format(sys.executable)!r}, shell=True," \
          "env={**os.environ, 'DVC_STAGE': 'x'})\ntime.sleep(60)"  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CODE": code}
    process = subprocess.Popen([sys.executable, "-c", dvc], cwd=tmp_path, env=environment, start_new_session=True)
    number = child(tmp_path)
    process.kill()
    process.wait()
    assert gone(number)


def test_a_stage_whose_dvc_ended_before_it_began_ends_at_once(tmp_path: Path) -> None:
    code = f"import os, time\nwhile os.getppid() == {os.getpid()}: time.sleep(0.01)\n" \
           f"from enginewright.lifeline import end_with_dvc; end_with_dvc(); open('late', 'w')"  # fmt: skip
    dvc = "import os, subprocess, sys\nsubprocess.Popen([sys.executable, '-c', os.environ['CODE']]," \
          "env={**os.environ, 'DVC_STAGE': 'x'})"  # fmt: skip
    code = f"import time; time.sleep(0.5)\n{code}"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CODE": code}
    subprocess.run([sys.executable, "-c", dvc], cwd=tmp_path, env=environment, start_new_session=True, check=True)
    time.sleep(2)
    assert not (tmp_path / "late").exists()
