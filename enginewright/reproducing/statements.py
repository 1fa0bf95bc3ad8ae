"""What two statements of an engine have in common wherever it is built: all but commit, machine and measurements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from enginewright.verifying.statements import dependencies, is_source

NAME = "engine.intoto.json"

_OF_A_RUN = ("metrics/",)
"""Files that hold times; they are compared by themselves, without them."""
_RECORD = "engine.json"
"""It holds the reason of what was not run; it is compared by itself too."""


def everywhere(statement: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters, tools and the digest of each artifact; of a metric file only that it was there."""
    predicate = statement["predicate"]
    return {
        "parameters": predicate["buildDefinition"]["externalParameters"],
        "tools": predicate["runDetails"],
        "files": dict(_files([*statement["subject"], *dependencies(statement)])),
    }


def _files(descriptors: list[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    for item in descriptors:
        name = str(item.get("name") or item.get("uri"))
        if not is_source(item):
            yield name, None if name.startswith(_OF_A_RUN) or name == _RECORD else item.get("digest")
