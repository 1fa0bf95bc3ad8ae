"""Names of variants that differ in one place, as one name."""

from __future__ import annotations

import re
from collections.abc import Sequence

_PLACE = re.compile(r"[-_,=]")


def joined(names: Sequence[str]) -> str:
    """Return `opset_{18,20}-fp32` for `opset_18-fp32` and `opset_20-fp32`; names that share nothing, with commas."""
    found = list(dict.fromkeys(names))
    if len(found) < 2:
        return "".join(found)
    start = _up_to_place(_shared(found))
    rest = [name[len(start) :] for name in found]
    end = _up_to_place(_shared([name[::-1] for name in rest]))[::-1]
    middles = [name[: len(name) - len(end)] for name in rest]
    if not (start or end) or not all(middles):
        return ", ".join(found)
    return f"{start}{{{','.join(middles)}}}{end}"


def _shared(names: Sequence[str]) -> str:
    """Return the letters with which all names begin."""
    first, last = min(names), max(names)
    pairs = enumerate(zip(first, last, strict=False))
    return first[: next((number for number, (one, other) in pairs if one != other), min(len(first), len(last)))]


def _up_to_place(text: str) -> str:
    """Return the text up to its last separator, so that no word is cut in two."""
    ends = [match.end() for match in _PLACE.finditer(text)]
    return text[: ends[-1]] if ends else ""
