"""The envelope beside a statement: the statement's bytes and who signed them, as DSSE and in-toto have it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from enginewright.artifacts import write_json
from enginewright.errors import AttestationError
from enginewright.input_file import read_input
from enginewright.json_text import load_object

if TYPE_CHECKING:
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner, SSlibKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
_MOST_BYTES = 8 * 1024**2


def envelope_path(statement: Path) -> Path:
    """Return where the envelope of a statement lies: engine.intoto.dsse.json beside engine.intoto.json."""
    return statement.with_suffix(".dsse.json")


def sign(statement: Path, signer: CryptoSigner) -> str:
    """Write the envelope of the statement's bytes; return the key's id. Signatures of other keys on them are kept."""
    from securesystemslib.dsse import Envelope

    payload, place = statement.read_bytes(), envelope_path(statement)
    envelope = Envelope(payload, PAYLOAD_TYPE, {})
    if place.is_file() and (before := read_envelope(place)).payload == payload:
        envelope.signatures |= before.signatures
    envelope.sign(signer)
    write_json(place, envelope.to_dict())
    return str(signer.public_key.keyid)


def read_envelope(path: Path) -> Envelope:
    """Return the envelope in a file.

    Raises:
        AttestationError: if it is none, or of something else than an in-toto statement.
    """
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import FormatError

    try:
        envelope = Envelope.from_dict(load_object(read_input(path, _MOST_BYTES)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, FormatError) as error:
        raise AttestationError(
            f"{path.name} is no envelope: {type(error).__name__}: {error}", expected="a DSSE envelope",
            cure="make sign KEY=private.pem",
        ) from error  # fmt: skip
    if envelope.payload_type != PAYLOAD_TYPE:
        raise AttestationError(f"{path.name} holds something else", expected=PAYLOAD_TYPE, got=envelope.payload_type)
    return envelope


def verify(statement: Path, key: SSlibKey) -> None:
    """Refuse a statement whose bytes the key did not sign.

    Raises:
        AttestationError: if there is no envelope, it is of other bytes, or no signature of this key is right.
    """
    place = envelope_path(statement)
    if not place.is_file():
        raise AttestationError(
            f"{statement.name} is not signed", expected=place.name, cure="make sign KEY=private.pem, by its owner"
        )
    envelope = read_envelope(place)
    if envelope.payload != statement.read_bytes():
        raise AttestationError(
            f"{place.name} signs another statement than the one beside it",
            cure="make verify says which of both fits the files; then make sign KEY=private.pem again",
        )
    refuse_unsigned(envelope, key, place.name)


def refuse_unsigned(envelope: Envelope, key: SSlibKey, name: str) -> None:
    """Refuse an envelope that the key did not sign. name: of what it is the envelope of.

    Raises:
        AttestationError: naming the key that is asked for, and those that are there.
    """
    from securesystemslib.exceptions import VerificationError

    try:
        envelope.verify([key], 1)
    except VerificationError as error:
        raise AttestationError(
            f"no signature of {name} is right and of this key",
            expected=f"key {key.keyid}",
            got=f"keys {', '.join(sorted(envelope.signatures)) or 'none'}",
            cure="ask for the right public key; if this is it, the statement or its signature was changed",
        ) from error
