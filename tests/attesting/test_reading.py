"""Statements from anybody: whatever they hold, they are read or refused in words."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enginewright.artifacts import json_bytes
from enginewright.attesting.reading import parsed
from enginewright.attesting.source import Source
from enginewright.errors import AttestationError
from tests.attesting.test_statement import statement_for


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return statement_for(tmp_path_factory.mktemp("good"), "disk", [], Source("ab" * 20, {}))[0]


def refused(data: bytes) -> str:
    with pytest.raises(AttestationError) as caught:
        parsed(data, "engine.intoto.json")
    return str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"_type": NaN}',
        b'{"_type": 1, "_type": 2}',
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b" " * (4 * 1024**2 + 1),
    ],
    ids=["empty", "cut", "list", "null", "bytes", "nan", "twice", "deep", "deep mappings", "large"],
)
def test_what_is_no_statement_is_refused(data: bytes) -> None:
    assert "engine.intoto.json" in refused(data)


CHANGES: dict[str, tuple[tuple[str | int, ...], Any]] = {
    "another type": (("_type",), "https://in-toto.io/Statement/v0.1"),
    "another predicate": (("predicateType",), "https://slsa.dev/provenance/v0.2"),
    "another build type": (("predicate", "buildDefinition", "buildType"), "urn:other"),
    "another builder": (("predicate", "runDetails", "builder", "id"), "urn:other"),
    "an unknown field": (("predicate", "buildDefinition", "external"), {}),
    "an unknown field of a subject": (("subject", 0, "sha256"), "ab"),
    "a digest that is no text": (("subject", 0, "digest", "sha256"), 1),
    "no subject": (("subject",), []),
    "a subject without a digest": (("subject", 0, "digest"), {}),
    "no predicate": (("predicate",), {}),
    "a predicate that is a list": (("predicate",), []),
    "dependencies that are no list": (("predicate", "buildDefinition", "resolvedDependencies"), "none"),
    "versions that are no text": (("predicate", "runDetails", "builder", "version"), {"torch": 2}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_the_schemas_do_not_know_is_refused(good: dict[str, Any], name: str) -> None:
    keys, value = CHANGES[name]
    changed = copy.deepcopy(good)
    place: Any = changed
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    assert "is no statement" in refused(json_bytes(changed))


def test_a_good_one_is_read(good: dict[str, Any]) -> None:
    assert parsed(json_bytes(good), "it") == good


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_changed_byte_is_read_or_refused_and_nothing_else(good: dict[str, Any], data: st.DataObject) -> None:
    raw = bytearray(json_bytes(good))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        parsed(bytes(raw), "it")
    except AttestationError:
        return
    assert json.loads(raw)


def test_the_words_name_the_file_and_the_cure(tmp_path: Path) -> None:
    assert "cure: " in refused(b"{")
