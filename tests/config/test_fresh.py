"""Composing is left out where nothing that it depends on has changed, and only there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.dag import ROOT


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of what composing reads, composed once."""
    path = tmp_path_factory.mktemp("checkout")
    for name in ("conf", "enginewright", "hydra_plugins", "networks"):
        shutil.copytree(ROOT / name, path / name, ignore=shutil.ignore_patterns("__pycache__"))
    assert imports_hydra(path)
    return path


def imports_hydra(path: Path, *overrides: str) -> bool:
    """Compose as `make` does, and return whether Hydra was imported for it."""
    code = (
        "import sys; from enginewright.config.compose import main; status = main(sys.argv[1:]); "
        "print('hydra' in sys.modules); sys.exit(status)"
    )
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": ""}
    command = [sys.executable, "-c", code, *overrides]
    done = subprocess.run(command, cwd=path, env=environment, check=True, capture_output=True, text=True)
    return done.stdout.split() == ["True"]


def test_nothing_is_imported_where_nothing_changed(checkout: Path) -> None:
    before = (checkout / "params.yaml").read_bytes()
    assert not imports_hydra(checkout)
    assert not imports_hydra(checkout, "--check")
    assert (checkout / "params.yaml").read_bytes() == before


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("conf/config.yaml", "# a note\n"),
        ("conf/network/disk.yaml", "\n"),
        ("enginewright/config/rules.py", "# a note\n"),
        ("params.yaml", "edited: true\n"),
    ],
)
def test_a_change_composes_again_and_only_once(checkout: Path, file: str, text: str) -> None:
    imports_hydra(checkout)
    append(checkout / file, text)
    assert imports_hydra(checkout)
    assert "edited" not in (checkout / "params.yaml").read_text(encoding="utf-8")
    assert not imports_hydra(checkout)


def test_a_new_file_composes_again(checkout: Path) -> None:
    imports_hydra(checkout)
    shutil.copy(checkout / "conf/network/disk.yaml", checkout / "conf/network/other.yaml")
    assert imports_hydra(checkout)
    (checkout / "conf/network/other.yaml").unlink()
    assert imports_hydra(checkout)


def test_other_overrides_compose_again(checkout: Path) -> None:
    imports_hydra(checkout)
    assert imports_hydra(checkout, "precision=fp16")
    assert "precision: fp16" in (checkout / "params.yaml").read_text(encoding="utf-8")
    assert not imports_hydra(checkout, "precision=fp16")
    assert imports_hydra(checkout)


def test_a_missing_or_broken_note_composes_again(checkout: Path) -> None:
    imports_hydra(checkout)
    note = checkout / ".cache/params.yaml.json"
    for broken in (b"", b"[]", b"{}", b"null", b"\xff"):
        note.write_bytes(broken)
        assert imports_hydra(checkout)
    note.unlink()
    assert imports_hydra(checkout)
    (checkout / "params.yaml").unlink()
    assert imports_hydra(checkout)


def test_configuration_from_elsewhere_is_always_composed(checkout: Path) -> None:
    config = checkout / "conf/config.yaml"
    text = config.read_text(encoding="utf-8")
    append(config, "hydra:\n  searchpath: []\n")
    try:
        assert imports_hydra(checkout)
        assert imports_hydra(checkout)
    finally:
        config.write_text(text, encoding="utf-8")


EDITING = """
from pathlib import Path
import enginewright.config.composed as composing
from enginewright.config.compose import main

def edited(overrides, usual=composing.composed):
    found, file = usual(overrides), Path("conf/network/disk.yaml")
    file.write_text(file.read_text() + "# a note while it composed\\n")
    return found

composing.composed = edited
main([])
"""


def test_an_edit_while_it_composes_is_seen_the_next_time(checkout: Path) -> None:
    append(checkout / "conf/config.yaml", "# a note\n")
    environment = {**os.environ, "PYTHONPATH": ""}
    subprocess.run([sys.executable, "-c", EDITING], cwd=checkout, env=environment, check=True)
    assert imports_hydra(checkout)
    assert not imports_hydra(checkout)
