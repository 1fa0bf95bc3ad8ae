"""What every step gave, by its key, on disk at once: the file that an interrupted sweep goes on from.

A record is believed only while its outputs are where they were put, in DVC's cache or in the remote.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from enginewright.artifacts import write_bytes
from enginewright.input_file import read_input
from enginewright.json_text import load_object


@dataclass(frozen=True)
class Record:
    """A step that was done: its entry of dvc.lock, and what it took when its command last ran.

    size: of the variant that it ran for (Outline.size).
    """

    stage: str
    entry: Mapping[str, Any]
    seconds: float
    peak_mb: float
    size: str


class Ledger:
    """Records below `folder`, one file a step. Only the driver writes, so nothing can race."""

    def __init__(self, folder: Path, stored: Callable[[Mapping[str, Any]], bool]) -> None:
        self._folder, self._stored = folder, stored

    def get(self, key: str) -> Record | None:
        """Return the record of a step, or None if there is none that can be used."""
        record = _read(self._path(key))
        return record if record and self._stored(record.entry) else None

    def put(self, key: str, record: Record) -> None:
        """Keep the record of a step; the time of a step whose command did not run this time is the older one."""
        path = self._path(key)
        old = _read(path)
        if record.seconds == 0 and old:
            record = Record(record.stage, record.entry, old.seconds, old.peak_mb, old.size)
        write_bytes(
            path, json.dumps(asdict(record), indent=1).encode()
        )  # in the order of dvc.lock, which write_json sorts

    def peak_mb(self, sizes: Iterable[str]) -> float | None:
        """Return the most memory that a step took for networks of these sizes, None unless all were measured."""
        peaks: dict[str, float] = {}
        for record in self._records():
            peaks[record.size] = max(record.peak_mb, peaks.get(record.size, 0.0))
        wanted = set(sizes)
        return max(peaks[size] for size in wanted) if wanted and wanted <= set(peaks) else None

    def seconds(self) -> dict[str, float]:
        """Return the median seconds of each kind of step, such as `export`, that ran before."""
        times: dict[str, list[float]] = {}
        for record in self._records():
            times.setdefault(kind_of(record.stage), []).append(record.seconds)
        return {kind: statistics.median(found) for kind, found in times.items()}

    def _records(self) -> Iterator[Record]:
        return (record for path in self._folder.glob("*/*.json") if (record := _read(path)) and record.seconds > 0)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"


def kind_of(stage: str) -> str:
    """Return the stage's name without its network."""
    return stage.partition("@")[0]


def _read(path: Path) -> Record | None:
    """Return a record; one that is missing, cut or of another form is none, and its step is done again."""
    try:
        record = Record(**load_object(read_input(path)))
    except (OSError, ValueError, TypeError):
        return None
    return record if _is_sound(record) else None


def _is_sound(record: Record) -> bool:
    """Return whether a record that was read has the types of one, as far as anything is asked of it."""
    texts = isinstance(record.stage, str) and isinstance(record.size, str)
    numbers = all(type(value) in (int, float) for value in (record.seconds, record.peak_mb))
    outputs = isinstance(record.entry, dict) and record.entry.get("outs", [])
    return texts and numbers and isinstance(outputs, list) and all(isinstance(output, dict) for output in outputs)
