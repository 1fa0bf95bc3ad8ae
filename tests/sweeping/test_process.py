"""A worker's process: clones, questions and answers, and every way that it can end."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from enginewright.sweeping.process import Setting, WorkerLost, WorkerProcess, one_job
from tests.sweeping.checkouts import checkout

TOY = """\
import json, os, subprocess, sys, threading, time
print(json.dumps({"probe": {"here": os.getcwd(), "cache": os.environ["ENGINEWRIGHT_CACHE"]}}), flush=True)
for line in sys.stdin:
    message = json.loads(line)
    if message.get("sleep"):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        open("child", "w").write(str(child.pid))
        time.sleep(message["sleep"])
    if message.get("die"):
        sys.exit("it broke")
    print(json.dumps({"got": message, "seen": os.path.exists("mark")}), flush=True)
    open("mark", "w").close()
"""


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    source = checkout(tmp_path / "source", **{"toy.py": TOY, ".dvc/config": ""})
    return Setting(str(source), "a" * 40, str(tmp_path / "clones"), "[core]\n", str(tmp_path / "none"), 1)


def worker(setting: Setting) -> WorkerProcess:
    return WorkerProcess(setting, "toy")


def gone(pid: int) -> bool:
    """Return whether a process ended within a few seconds; one that nobody waited for has."""
    for _ in range(50):
        state = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout
        if not state.strip() or state.startswith("Z"):
            return True
        time.sleep(0.1)
    return False


def test_a_worker_runs_in_a_clone_of_its_own_and_answers(setting: Setting) -> None:
    one, other = worker(setting), worker(setting)
    places = [found.start()["probe"]["here"] for found in (one, other)]
    assert len(set(places)) == 2
    assert (Path(places[0]) / ".dvc" / "config.local").read_text() == "[core]\n"
    assert one.ask({"a": 1})["got"] == {"a": 1}
    one.close()
    other.close()
    assert not Path(places[0]).exists()


def test_downloads_go_beside_the_clones_where_the_users_folder_is_not(setting: Setting, tmp_path: Path) -> None:
    found = worker(setting)
    assert found.start()["probe"]["cache"] == os.environ.get("ENGINEWRIGHT_CACHE", str(tmp_path / "clones/downloads"))
    found.close()


def test_a_worker_that_ends_is_lost_with_its_last_words(setting: Setting) -> None:
    found = worker(setting)
    found.start()
    with pytest.raises(WorkerLost, match=r"exit status 1: it broke"):
        found.ask({"die": True})
    with pytest.raises(WorkerLost):
        found.ask({"a": 1})
    found.close()


def test_kill_9_of_a_worker_ends_its_stage_too(setting: Setting) -> None:
    found = worker(setting)
    place = Path(found.start()["probe"]["here"])
    threading.Timer(1.0, os.kill, (found.pid, signal.SIGKILL)).start()
    with pytest.raises(WorkerLost, match="signal 9"):
        found.ask({"sleep": 600})
    assert gone(int((place / "child").read_text()))
    found.close()


def test_a_clone_is_kept_for_the_next_worker_only_if_its_last_one_ended_in_order(setting: Setting) -> None:
    keeping = replace(setting, keep=True)
    first = worker(keeping)
    first.start()
    assert not first.ask({})["seen"]
    first.close()
    second = worker(keeping)
    second.start()
    assert second.ask({})["seen"]
    second.kill()
    second.close()
    third = worker(keeping)
    third.start()
    assert not third.ask({})["seen"]
    third.close()


def test_a_worker_that_does_not_start_is_lost(setting: Setting) -> None:
    with pytest.raises(WorkerLost, match="no worker starts on"):
        worker(replace(setting, source="/nowhere")).start()
    found = WorkerProcess(setting, "no_such_module")
    with pytest.raises(WorkerLost, match="no_such_module"):
        found.start()
    found.close()


def test_a_single_job_ends_its_worker(setting: Setting) -> None:
    with pytest.raises(WorkerLost):  # the project's worker is not in the toy's source
        one_job(setting, None)
