"""Entries put into the text of dvc.lock, without parsing and writing again those that stay as they are.

DVC parses and writes the whole file for every stage, half a second for twenty entries and two for a hundred. Its own
writer writes the new entries here too, at their place in the file, so every byte is the one that DVC would write.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dvc.utils.serialize import dumps_yaml  # type: ignore[import-untyped]

_HEAD = "schema: '2.0'\nstages:\n"
_NAME = re.compile(r"  ([A-Za-z0-9_@./-]+):\n")


def with_entries(text: str, entries: Mapping[str, Any]) -> str | None:
    """Return the text of a lock file with these entries, each in its place or at the end.

    None where the text, or an entry, is not as DVC 3 writes it: nobody but DVC knows what to do with it then.
    """
    blocks = _blocks(text)
    if blocks is None:
        return None
    for name, entry in entries.items():
        block = dumps_yaml({"stages": {name: entry}}).removeprefix("stages:\n")
        if list(_blocks(_HEAD + block) or ()) != [name]:
            return None
        blocks[name] = block
    return _HEAD + "".join(blocks.values())


def _blocks(text: str) -> dict[str, str] | None:
    """Return the lines of each entry by its name, in their order."""
    head, start, rest = text.partition(_HEAD)
    if head or not start:
        return None
    found: dict[str, str] = {}
    name = ""
    for line in rest.splitlines(keepends=True):
        if not line.startswith("  ") or not line.endswith("\n"):
            return None
        if line[2] != " ":
            named = _NAME.fullmatch(line)
            if named is None or named[1] in found:
                return None
            name = named[1]
        if not name:
            return None
        found[name] = found.get(name, "") + line
    return found
