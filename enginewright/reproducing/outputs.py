"""Each output of two runs: the same bytes, the same but for what was measured, or different, and in what."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from enginewright.explaining.contents import Source
from enginewright.explaining.locked import Record
from enginewright.lineage.values import flat
from enginewright.reproducing.differences import difference
from enginewright.reproducing.statements import NAME, everywhere

ARTIFACTS = "weights"
"""The folder of what users take away; files elsewhere tell of it."""
_OWN = re.compile(r"(^|\.)(seconds|peak_mb|reason|host)($|\.)")
"""What a run says of itself: times, memory, its machine, what that lacks to prove more. Verdicts are not among them."""
_SHOWS_MEASURED = ("report/index.html",)
"""Pages that hold such figures."""


class State(Enum):
    """What a comparison of one output found.

    same: every byte. measured: every byte but times, memory and reasons. different: something else. unseen: another
    digest, and the first run's file is not here to be compared.
    """

    same = "same"
    measured = "same but for times, memory and reasons"
    unseen = "another digest; the older file is not here"
    different = "different"


@dataclass(frozen=True)
class Output:
    """One output of one stage; md5 as DVC has it. lines: what differs, in words."""

    stage: str
    path: str
    before: str
    after: str
    state: State
    lines: tuple[str, ...] = ()

    @property
    def breach(self) -> bool:
        """Return whether this is not what a reproducible build gives; of a JSON file a digest alone does not tell."""
        return self.state is State.different or (self.state is State.unseen and not self.path.endswith(".json"))


Found = tuple[State, tuple[str, ...]]
"""A state, and what differs in words."""


@dataclass(frozen=True)
class Files:
    """Where the files of both runs are.

    before: where the first run's are found by their digests. place: the folder of the second run.
    """

    before: Source
    place: Path

    def outputs(self, stage: str, old: Record, new: Record) -> Iterator[Output]:
        """Yield every output of a stage, by its records in the two locks."""
        for path, md5 in old.outs.items():
            after = new.outs.get(path, "")
            state, lines = self._same(path, md5) if md5 != after else (State.same, ())
            yield Output(stage, path, md5, after, state, lines)

    def _same(self, path: str, md5: str) -> Found:
        if path in _SHOWS_MEASURED:
            return State.measured, ()
        if md5.endswith(".dir"):
            return self._folder(path, md5)
        return _file(path, self.before.content(path, md5), (self.place / path).read_bytes())

    def _folder(self, path: str, md5: str) -> Found:
        listing = self.before.listing(path, md5)
        if listing is None:
            return State.unseen, ()
        here = {str(file.relative_to(self.place / path)) for file in (self.place / path).rglob("*") if file.is_file()}
        alone = [f"{name} is in one of the two alone" for name in sorted(here ^ set(listing))]
        found = [self._inside(path, name, listing[name]) for name in sorted(here & set(listing))]
        states = [State.different] * bool(alone) + [state for state, _ in found]
        lines = (*alone, *(line for _, lines in found for line in lines))
        return max(states, key=list(State).index, default=State.same), lines

    def _inside(self, folder: str, name: str, md5: str) -> Found:
        old, new = self.before.content(f"{folder}/{name}", md5), (self.place / folder / name).read_bytes()
        state, lines = (State.same, ()) if old == new else _file(name, old, new)
        return state, tuple(f"{name}: {line}" for line in lines)


def _file(name: str, old: bytes | None, new: bytes) -> Found:
    if old is None:
        return State.unseen, ()
    if name.endswith(".json") and _without_own(name, old) == _without_own(name, new):
        return State.measured, ()
    return State.different, tuple(difference(name, old, new))


def _without_own(name: str, data: bytes) -> dict[str, Any]:
    value = json.loads(data)
    if name.endswith(NAME):
        return everywhere(value)
    return {key: value for key, value in flat(value) if not _OWN.search(key)}
