"""No network but for the stages that fetch weights."""

from __future__ import annotations

import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from enginewright.errors import OfflineError
from enginewright.stage.offline import no_network
from tests.dag import ROOT, stage_files

FETCHING = {"checkpoint", "adopt"}


def _look_up() -> object:
    return socket.getaddrinfo("localhost", 80)


def _connect() -> None:
    with socket.socket() as outside:
        outside.settimeout(1)
        outside.connect(("127.0.0.1", 9))


def _send() -> object:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outside:
        return outside.sendto(b"x", ("127.0.0.1", 9))


def _listen() -> None:
    with socket.socket(socket.AF_INET6) as outside:
        outside.bind(("::1", 0))


def _open() -> object:
    return urllib.request.urlopen("http://127.0.0.1:9/", timeout=1)


@pytest.mark.parametrize("ask", [_look_up, _connect, _send, _listen, _open])
def test_whoever_asks_is_stopped(ask: object) -> None:
    assert callable(ask)
    with no_network(), pytest.raises(OfflineError, match="none but those that fetch weights"):
        ask()


def test_sockets_of_this_machine_stay_open_and_so_does_everything_afterwards() -> None:
    with no_network():
        one, other = socket.socketpair()
        with one, other:
            one.sendall(b"x")
            assert other.recv(1) == b"x"
    assert _look_up()


def test_only_the_stages_that_fetch_may_ask() -> None:
    open_ones = {
        name for name, file in stage_files().items() if "foreign=" in (ROOT / file).read_text(encoding="utf-8")
    }
    assert open_ones == FETCHING


def test_nothing_else_of_this_project_holds_an_address() -> None:
    """Whatever fetches does so through checkpoint/, whose digests are checked; the others have no code for it."""
    clients = ("urllib.request", "http.client", "requests", "urlopen", "socket.create_connection", "aiohttp")
    files = [path for folder in ("enginewright", "networks", "stages") for path in (ROOT / folder).rglob("*.py")]
    found = {
        path.relative_to(ROOT).as_posix()
        for path in files
        if any(f"import {name}" in path.read_text(encoding="utf-8") for name in clients)
    }
    assert found == {"enginewright/checkpoint/url.py"}


WORK = """
import sys
sys.argv = ["stages/probe.py"]
from pathlib import Path
from enginewright.stage import Stage, enter
import urllib.request

def main(stage):
    urllib.request.urlopen("http://127.0.0.1:9/")

sys.argv = ["stages/report.py", "--out", "report=x"]
import enginewright.stage.entry as entry
entry.read_networks = lambda *_: {}
enter(main, ())
"""


def test_a_stage_that_asks_ends_with_the_error_and_no_traceback(tmp_path: Path) -> None:
    command, env = [sys.executable, "-c", WORK], {"PYTHONPATH": str(ROOT)}
    found = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert found.stderr.startswith("error: a stage asked for the network")
    assert "Traceback" not in found.stderr
