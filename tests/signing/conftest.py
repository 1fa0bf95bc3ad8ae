"""Keys, and an engine's folder with a statement that fits it."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from enginewright.artifacts import write_json
from enginewright.attesting.source import Source
from tests.attesting.test_statement import statement_for


def write_keys(folder: Path, name: str, password: bytes | None = None) -> tuple[Path, Path]:
    """Write a new key; return the files of its private and its public half."""
    key, private, public = Ed25519PrivateKey.generate(), folder / f"{name}.pem", folder / f"{name}.pub.pem"
    locked = BestAvailableEncryption(password) if password else NoEncryption()
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """Return the files of a private key and of its public half."""
    return write_keys(tmp_path, "own")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an engine's folder."""
    statement, step = statement_for(tmp_path / "built", "disk", [], Source("ab" * 20, {}))
    write_json(tmp_path / "built" / step.outs[0], statement)
    return (tmp_path / "built" / step.outs[0]).parent
