from __future__ import annotations

import getpass
import json
import socket
from pathlib import Path

import pytest

from enginewright.engine import host


def test_the_machine_is_told_without_its_name_or_its_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    found = host.host_facts()
    assert sorted(found) == ["architecture", "cpu", "cpus", "driver", "gpu", "python", "system"]
    assert found["gpu"] is None
    assert found["driver"] is None
    assert found["cpus"] >= 1
    text = json.dumps(found)
    for name in (socket.gethostname(), str(Path.home()) + "/", f'"{getpass.getuser()}"'):
        assert name not in text


def test_a_system_that_does_not_tell_its_cpu_is_said_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(host, "_CPU_INFO", tmp_path / "absent")
    monkeypatch.setattr("platform.processor", lambda: "")
    assert host.host_facts()["cpu"] == "unknown"
    monkeypatch.setattr(host, "_CPU_INFO", tmp_path / "cpuinfo")
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Example CPU\nmodel name\t: Other\n")
    assert host.host_facts()["cpu"] == "Example CPU"
