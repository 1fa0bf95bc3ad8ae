"""Loads an engine that somebody vouches for: nothing is deserialised that their key did not sign."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from enginewright.engine.loader import STATEMENT, check_subjects, engine_bytes, loaded
from enginewright.engine.record import record_bytes, record_from
from enginewright.signing.envelope import envelope_path, read_envelope, refuse_unsigned
from enginewright.signing.keys import public_key_of

ENGINE, RECORD = "engine.plan", "engine.json"


def load_signed_engine(folder: Path, key: Path) -> Any:
    """Return the deserialised engine in `folder`, whose statement was signed by the owner of the public key.

    The statement is taken out of the envelope that was verified, not from the file beside it.

    Raises:
        AttestationError: if it is not signed, or not by that key.
        BuildError, RequirementError: as `load_engine` does.
    """
    envelope = read_envelope(envelope_path(folder / STATEMENT))
    refuse_unsigned(envelope, public_key_of(key), STATEMENT)
    described = record_bytes(folder / RECORD)
    record = record_from(described, RECORD)
    data = engine_bytes(folder / ENGINE, record)
    check_subjects(envelope.payload, {ENGINE: data, RECORD: described})
    return loaded(data, record, ENGINE)
