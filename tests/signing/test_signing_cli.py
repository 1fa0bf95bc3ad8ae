"""`make sign` and `make verify KEY=...` on a repository that looks built."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from enginewright.errors import AttestationError
from enginewright.signing.__main__ import main as sign
from enginewright.verifying.__main__ import main as verify
from tests.signing.conftest import write_keys
from tests.verifying.conftest import Built, repository

__all__ = ["repository"]

ENVELOPES = "weights/*/engine.intoto.dsse.json"


@pytest.fixture(autouse=True)
def _in_the_repository(repository: Built, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(repository.root)
    monkeypatch.setattr("enginewright.verifying.chain.check_packages", lambda root: iter(()))
    yield
    for path in repository.root.glob(ENVELOPES):
        path.unlink()


def test_signed_and_verified(repository: Built, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    private, public = write_keys(tmp_path, "release")
    assert verify([]) == 0
    assert "verified: passed" in capsys.readouterr().out
    assert verify(["--key", str(public)]) == 1
    assert capsys.readouterr().out.count("is not signed") == 2
    sign([str(private)])
    assert len(list(repository.root.glob(ENVELOPES))) == 2
    assert verify(["--key", str(public)]) == 0
    capsys.readouterr()
    assert verify([]) == 0
    assert "it is signed, and no key is given" in capsys.readouterr().out


def test_one_network_and_a_folder_alone(repository: Built, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    private, public = write_keys(tmp_path, "release")
    sign([str(private), "--network", "disk"])
    assert [path.parent.name for path in repository.root.glob(ENVELOPES)] == ["disk"]
    assert verify(["--network", "disk", "--key", str(public)]) == 0
    capsys.readouterr()
    assert verify(["--folder", "weights/disk", "--key", str(public)]) == 0
    assert "verified: not run" in capsys.readouterr().out
    with repository.flipped("weights/disk/engine.plan"):
        assert verify(["--folder", "weights/disk", "--key", str(public)]) == 1
    assert "engine.plan as the statement describes it" in capsys.readouterr().out


def test_a_setting_of_git_demands_signatures(
    repository: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, public = write_keys(tmp_path, "release")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "enginewright.publickey")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(public))
    assert verify([]) == 1


def test_what_does_not_fit_its_files_is_not_signed(repository: Built, tmp_path: Path) -> None:
    private, _ = write_keys(tmp_path, "release")
    with repository.flipped("weights/disk/typed.onnx"), pytest.raises(AttestationError, match="not about the files"):
        sign([str(private)])
    assert not list(repository.root.glob(ENVELOPES)), "all or none"
