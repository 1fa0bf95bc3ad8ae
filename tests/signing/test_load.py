"""A signed engine: nothing is deserialised that the key's owner did not sign."""

from __future__ import annotations

from pathlib import Path

import pytest

from enginewright.errors import AttestationError, BuildError
from enginewright.signing import load
from enginewright.signing.envelope import sign
from enginewright.signing.keys import signer_of
from enginewright.signing.load import load_signed_engine
from tests.signing.conftest import write_keys


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return the engines that were let through to be loaded, of which none is."""
    found: list[bytes] = []
    monkeypatch.setattr(load, "loaded", lambda data, *_: found.append(data))
    return found


def test_what_was_signed_is_loaded(folder: Path, keys: tuple[Path, Path], opened: list[bytes]) -> None:
    sign(folder / "engine.intoto.json", signer_of(keys[0], folder))
    (folder / "engine.intoto.json").unlink()
    load_signed_engine(folder, keys[1])
    assert opened == [(folder / "engine.plan").read_bytes()]


def test_nothing_else_is(folder: Path, keys: tuple[Path, Path], tmp_path: Path, opened: list[bytes]) -> None:
    with pytest.raises(AttestationError, match="no envelope"):
        load_signed_engine(folder, keys[1])
    private, other = write_keys(tmp_path, "other")
    sign(folder / "engine.intoto.json", signer_of(private, folder))
    with pytest.raises(AttestationError, match="of this key"):
        load_signed_engine(folder, keys[1])
    for name in ("engine.plan", "engine.json"):
        before = (folder / name).read_bytes()
        (folder / name).write_bytes(before + b"\n")
        with pytest.raises(BuildError, match=f"{name} (is not the file|cannot be read: .* more than)"):
            load_signed_engine(folder, other)
        (folder / name).unlink()
        with pytest.raises(BuildError, match="No such file"):
            load_signed_engine(folder, other)
        (folder / name).write_bytes(before)
    assert opened == []
