"""results.json of earlier commits, and what got worse since which of them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.budgets import BUDGETS, NOISE, ratios
from enginewright.lineage.commits import file_at

RESULTS = Path("benchmarks") / "results.json"


@dataclass(frozen=True)
class Entry:
    """A committed results.json: the commit that holds it, and its content."""

    commit: str
    results: Mapping[str, Any]

    def measured(self, key: str) -> str:
        """Return the commit that the figure `key` was measured at."""
        return str(self.results.get(key.partition(".")[0], {}).get("commit", self.commit))


@dataclass(frozen=True)
class Finding:
    """A ratio above a limit. last, since: entries, the last one within it, and the first one above it after that."""

    key: str
    value: float
    limit: float
    kind: str
    last: Entry | None
    since: Entry | None

    def told(self) -> str:
        """Return the finding in one line."""
        within = "never within it before"
        if self.last is not None:
            within = f"last within at {self.last.measured(self.key)} ({ratios(self.last.results)[self.key]:.3f})"
        since = f", above it since {self.since.measured(self.key)}" if self.since else ", above it in this run"
        return f"{self.key} is {self.value:.3f}, {self.kind} {self.limit:.3f}: {within}{since}"


def entries(repository: Path, path: Path = RESULTS) -> list[Entry]:
    """Return the committed results, newest first. Those that are no JSON are left out."""
    words = ("git", "log", "--format=%h", "--", str(path))
    done = subprocess.run(words, cwd=repository, capture_output=True, text=True, check=True)
    return list(_read(repository, path, done.stdout.split()))


def _read(repository: Path, path: Path, commits: Sequence[str]) -> Iterator[Entry]:
    for commit in commits:
        try:
            results = json.loads(file_at(repository, commit, path.as_posix()) or b"")
        except ValueError:
            continue
        if isinstance(results, dict):
            yield Entry(commit, results)


def findings(results: Mapping[str, Any], history: Sequence[Entry]) -> list[Finding]:
    """Return the ratios that are over their budget, then those that were clearly better before.

    history: earlier results, newest first.
    """
    now = ratios(results)
    over = [_finding(key, now[key], BUDGETS[key], "over its budget of", history) for key in BUDGETS if key in now]
    worse = [
        _finding(key, value, _best(key, history) * NOISE, "worse than the best so far and noise,", history)
        for key, value in now.items()
    ]
    return [found for found in (*over, *worse) if found is not None]


def missing(results: Mapping[str, Any]) -> list[str]:
    """Return the budgeted ratios that were not measured: none of them is within its budget."""
    return [key for key in BUDGETS if key not in ratios(results)]


def _best(key: str, history: Sequence[Entry]) -> float:
    return min((ratios(entry.results)[key] for entry in history if key in ratios(entry.results)), default=float("inf"))


def _finding(key: str, value: float, limit: float, kind: str, history: Sequence[Entry]) -> Finding | None:
    if value <= limit:
        return None
    known = [entry for entry in history if key in ratios(entry.results)]
    above = 0
    while above < len(known) and ratios(known[above].results)[key] > limit:
        above += 1
    last = known[above] if above < len(known) else None
    return Finding(key, value, limit, kind, last, known[above - 1] if above else None)
