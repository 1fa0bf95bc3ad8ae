"""Surroundings that differ from this process's in everything that could reach an artifact."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from enginewright.reproducing.surroundings import Surroundings, other_surroundings

SHOW = """
import getpass, locale, os, pathlib, tempfile, time
umask = os.umask(0)
print(os.getuid(), getpass.getuser(), pathlib.Path.home(), tempfile.gettempdir(), time.tzname[0], f"{umask:03o}",
      hash("x"), os.environ["LC_ALL"], sep="|")
"""


def shown(found: Surroundings, folder: Path) -> list[str]:
    with found.start([sys.executable, "-c", SHOW], folder) as process:
        return str(process.stdout.read() if process.stdout else "").strip().split("|")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder that another user can enter."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir()
    return tmp_path


def test_everything_is_another(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Chatham")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    found = other_surroundings(place, place / "downloads")
    user, name, home, temporary, zone, umask, seed, language = shown(found, place)
    assert found.environment["TZ"] == "America/St_Johns"
    assert zone == "NST"
    assert (home, temporary, umask) == (str(place / "home"), str(place / "tmp"), "077")
    assert name not in {"", os.environ.get("USER", "")}
    assert (int(user) != os.getuid()) is (found.user is not None)
    assert language.lower().replace("-", "") != "c.utf8"
    assert seed != shown(other_surroundings(place, place / "downloads"), place)[6]


def test_variables_of_the_user_stay_behind(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_STUDIO_TOKEN", "secret")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert "secret" not in other_surroundings(place, place).environment.values()


def test_what_cannot_be_changed_is_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    found = other_surroundings(place, place)
    assert found.user is None
    assert found.not_changed == {"user": "only its name is another one: to become another user takes root"}
    assert found.environment["USER"] == "somebody-else"
