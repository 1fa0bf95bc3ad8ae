"""Signatures: what one proves, and every way in which one can be wrong."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from enginewright.errors import AttestationError
from enginewright.signing.envelope import envelope_path, read_envelope, sign, verify
from enginewright.signing.keys import public_key_of, signer_of
from tests.signing.conftest import write_keys


@pytest.fixture
def signed(folder: Path, keys: tuple[Path, Path]) -> Path:
    """Return a statement that the own key signed."""
    statement = folder / "engine.intoto.json"
    sign(statement, signer_of(keys[0], folder))
    return statement


def refused(statement: Path, public: Path) -> str:
    with pytest.raises(AttestationError) as caught:
        verify(statement, public_key_of(public))
    return str(caught.value)


def changed(statement: Path, **values: Any) -> None:
    """Change keys of the envelope."""
    place = envelope_path(statement)
    place.write_text(json.dumps(json.loads(place.read_text()) | values))


def test_the_right_key_verifies(signed: Path, keys: tuple[Path, Path]) -> None:
    verify(signed, public_key_of(keys[1]))
    assert envelope_path(signed).name == "engine.intoto.dsse.json"


def test_the_envelope_is_as_dsse_has_it_and_openssl_agrees(
    signed: Path, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    """Anybody can verify it without our code: the text that is signed is put together here by hand."""
    envelope = json.loads(envelope_path(signed).read_text())
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    assert base64.b64decode(envelope["payload"]) == signed.read_bytes()
    kind, payload = envelope["payloadType"].encode(), signed.read_bytes()
    (tmp_path / "text").write_bytes(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload))
    (tmp_path / "signature").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    words = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(keys[1]), "-rawin", "-in", "text"]
    done = subprocess.run([*words, "-sigfile", "signature"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_same_key_gives_the_same_envelope_and_another_one_is_added(
    signed: Path, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    before = envelope_path(signed).read_bytes()
    sign(signed, signer_of(keys[0], signed.parent))
    assert envelope_path(signed).read_bytes() == before
    private, public = write_keys(tmp_path, "other")
    sign(signed, signer_of(private, signed.parent))
    for one in (keys[1], public):
        verify(signed, public_key_of(one))


def test_a_new_statement_loses_the_old_signatures(signed: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    private, public = write_keys(tmp_path, "other")
    signed.write_bytes(signed.read_bytes().replace(b'"cpus": 2', b'"cpus": 3'))
    sign(signed, signer_of(private, signed.parent))
    verify(signed, public_key_of(public))
    assert "of this key" in refused(signed, keys[1])


def test_an_unsigned_statement_is_refused(folder: Path, keys: tuple[Path, Path]) -> None:
    assert "is not signed" in refused(folder / "engine.intoto.json", keys[1])


def test_a_wrong_key_is_refused_and_both_are_named(signed: Path, tmp_path: Path) -> None:
    _, public = write_keys(tmp_path, "other")
    told = refused(signed, public)
    assert public_key_of(public).keyid in told
    assert next(iter(read_envelope(envelope_path(signed)).signatures)) in told


def test_an_altered_payload_is_refused(signed: Path, keys: tuple[Path, Path]) -> None:
    other = signed.read_bytes().replace(b"graph_proven", b"proven").replace(b"unproven", b"proven")
    assert other != signed.read_bytes()
    changed(signed, payload=base64.b64encode(other).decode())
    assert "signs another statement" in refused(signed, keys[1])
    signed.write_bytes(other)
    assert "is right and of this key" in refused(signed, keys[1])


def test_an_altered_statement_is_refused(signed: Path, keys: tuple[Path, Path]) -> None:
    signed.write_bytes(signed.read_bytes() + b"\n")
    assert "signs another statement" in refused(signed, keys[1])


def test_an_altered_signature_is_refused(signed: Path, keys: tuple[Path, Path]) -> None:
    signature = json.loads(envelope_path(signed).read_text())["signatures"][0]
    raw = bytearray(base64.b64decode(signature["sig"]))
    raw[5] ^= 1
    changed(signed, signatures=[signature | {"sig": base64.b64encode(raw).decode()}])
    assert "is right and of this key" in refused(signed, keys[1])


def test_the_right_keys_name_on_another_ones_signature_is_refused(
    signed: Path, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    private, _ = write_keys(tmp_path, "other")
    envelope_path(signed).unlink()
    sign(signed, signer_of(private, signed.parent))
    signature = json.loads(envelope_path(signed).read_text())["signatures"][0]
    changed(signed, signatures=[signature | {"keyid": public_key_of(keys[1]).keyid}])
    assert "is right and of this key" in refused(signed, keys[1])


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"payload": 1}', '{"payload": "!", "payloadType": "x", "signatures": []}', "[" * 100_000],
)
def test_what_is_no_envelope_is_refused(signed: Path, keys: tuple[Path, Path], text: str) -> None:
    envelope_path(signed).write_text(text)
    assert "engine.intoto.dsse.json" in refused(signed, keys[1])


@pytest.mark.parametrize(
    "values", [{"payloadType": "text/plain"}, {"signatures": []}, {"signatures": [{}]}, {"signatures": [1]}]
)
def test_an_envelope_of_something_else_is_refused(signed: Path, keys: tuple[Path, Path], values: Any) -> None:
    changed(signed, **values)
    refused(signed, keys[1])


def test_keys_of_another_kind_are_refused(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    rsa = generate_private_key(65537, 2048)
    private, public = tmp_path / "rsa.pem", tmp_path / "rsa.pub.pem"
    private.write_bytes(rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(rsa.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(AttestationError, match="another kind"):
        signer_of(private, tmp_path / "elsewhere")
    for path in (public, keys[0], tmp_path / "absent.pem"):
        with pytest.raises(AttestationError):
            public_key_of(path)
    with pytest.raises(AttestationError, match="no private key"):
        signer_of(keys[1], tmp_path / "elsewhere")


def test_a_key_in_the_repository_is_refused(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    with pytest.raises(AttestationError, match="lies in the repository"):
        signer_of(keys[0], tmp_path)


def test_a_key_with_a_password_needs_it(tmp_path: Path, folder: Path) -> None:
    private, public = write_keys(tmp_path, "locked", b"open sesame")
    for wrong in (None, "sesame"):
        with pytest.raises(AttestationError, match="another password") as caught:
            signer_of(private, folder, wrong)
        assert "sesame" not in str(caught.value)
    sign(folder / "engine.intoto.json", signer_of(private, folder, "open sesame"))
    verify(folder / "engine.intoto.json", public_key_of(public))
