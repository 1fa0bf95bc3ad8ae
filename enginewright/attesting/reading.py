"""Reads a statement that anybody may have written: by the schemas of in-toto and SLSA, and nothing twice."""

from __future__ import annotations

from typing import Any

from enginewright.attesting.statement import BUILD_TYPE, BUILDER_ID, PREDICATE_TYPE, STATEMENT_TYPE
from enginewright.errors import AttestationError
from enginewright.json_text import load_object

_MOST_BYTES = 4 * 1024**2
"""A statement has some kilobytes; one that is larger than this is none."""


def parsed(data: bytes, name: str) -> dict[str, Any]:
    """Return the statement in these bytes, of the file `name`.

    Raises:
        AttestationError: if it is no in-toto Statement v1 with SLSA provenance v1 of an engine.
    """
    if len(data) > _MOST_BYTES:
        raise AttestationError(f"{name} is too large", expected=f"at most {_MOST_BYTES} bytes", got=len(data))
    try:
        value = load_object(data)
        _by_schema(value)
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        raise AttestationError(
            f"{name} is no statement: {error}", expected="an in-toto Statement v1 with SLSA provenance v1",
            cure="dvc checkout, or make repro",
        ) from error  # fmt: skip
    return value


def _by_schema(value: dict[str, Any]) -> None:
    """Check by the messages of in-toto, which refuse an unknown field and a value of another type.

    Raises:
        ValueError: naming the field.
    """
    from google.protobuf.json_format import ParseDict, ParseError
    from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
    from in_toto_attestation.v1.statement import Statement
    from in_toto_attestation.v1.statement_pb2 import Statement as Message

    try:
        Statement.copy_from_pb(ParseDict(value, Message())).validate()
        ParseDict(value["predicate"], Provenance())
    except ParseError as error:
        raise ValueError(str(error)) from error
    definition, run = value["predicate"]["buildDefinition"], value["predicate"]["runDetails"]
    types = {
        "_type": (value["_type"], STATEMENT_TYPE),
        "predicateType": (value["predicateType"], PREDICATE_TYPE),
        "buildType": (definition["buildType"], BUILD_TYPE),
        "builder.id": (run["builder"]["id"], BUILDER_ID),
    }
    for key, (found, wanted) in types.items():
        if found != wanted:
            raise ValueError(f"{key} is {found!r}, not {wanted!r}")
