"""Names of sweeps and variants: short, and allowed as git refs, as DVC experiments and as folders."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

_MOST = 80
"""Characters of a name at most; longer ones end in a digest."""


def sweep_name(swept: Sequence[str], words: Sequence[str]) -> str:
    """Return the name of a sweep that the user gave none: its axes, and a digest of the whole request."""
    return _short("-".join([*map(_last, swept), _digest(" ".join(words))]))


def names_of(sweep: str, axes: Sequence[Sequence[str]]) -> list[str]:
    """Return a name for each point: the sweep's, then key and value of each axis, the key as short as is unique.

    axes: the swept overrides of each point, such as `networks.disk.export.opset=18`.
    """
    keys = [word.partition("=")[0] for word in (axes[0] if axes else ())]
    labels = dict(zip(keys, _labels(keys), strict=True))
    found = []
    for point in axes:
        parts = [f"{labels[key]}_{value}" for key, _, value in (word.partition("=") for word in point)]
        found.append(_short("-".join([sweep, *map(_plain, parts)])))
    twice = {name for name, count in Counter(found).items() if count > 1}
    return [
        _short(f"{name}-{_digest(' '.join(point))}") if name in twice else name
        for name, point in zip(found, axes, strict=True)
    ]


def _labels(keys: Sequence[str]) -> list[str]:
    """Return the last part of each key, or as many parts as it takes to tell the keys apart."""
    split = [re.split(r"[./@]", key.lstrip("+~")) for key in keys]
    most = max(map(len, split), default=1)
    for count in range(1, most + 1):
        labels = ["_".join(parts[-count:]) for parts in split]
        if len(set(labels)) == len(labels):
            return labels
    return list(keys)


def _last(key: str) -> str:
    return _plain(_labels([key])[0])


def _plain(text: str) -> str:
    """Return the text in letters, digits, `_` and `.`, since git refuses others, `..` and `.lock`."""
    kept = re.sub(r"[^A-Za-z0-9_.]+", "_", text).strip("._")
    return re.sub(r"\.{2,}|\.lock$", "_", kept) or "_"


def _short(name: str) -> str:
    return name if len(name) <= _MOST else f"{name[: _MOST - 7]}-{_digest(name)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:6]
