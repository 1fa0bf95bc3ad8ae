"""Workers, whatever engine they live on: who is free, what came back, who was lost.

A thread for each worker waits for its answers; the driver looks into one queue. Workers of another kind of machine than
the first one are turned away: keys of steps hold what the machine is, and results of two kinds must not be mixed.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from enginewright.errors import SweepError
from enginewright.sweeping.process import WorkerLost

_STARTS = 3
"""Times that a worker may fail to start before its place is given up."""


class Worker(Protocol):
    """A worker of an engine. `ask` and `start` wait, and raise WorkerLost when it is gone."""

    def start(self) -> dict[str, Any]:
        """Start, and return what its machine has under the key `probe`."""
        ...

    def ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a message."""
        ...

    def close(self) -> None:
        """End in order."""
        ...

    def kill(self) -> None:
        """End at once."""
        ...


@dataclass(frozen=True)
class Ended:
    """What came of a message: the answer, or why its worker was lost."""

    tag: str
    answer: Mapping[str, Any] | None = None
    lost: str | None = None


class Pool:
    """`count` places for workers; a lost worker's place gets a new one.

    probe: what their machines must have; None to take the first worker's.
    """

    def __init__(self, count: int, worker: Callable[[], Worker], probe: Mapping[str, Any] | None = None) -> None:
        self._make = worker
        self._ended: queue.Queue[Ended | None] = queue.Queue()
        self._guard = threading.Lock()
        self._probe = probe
        self._places = [_Place(number, self) for number in range(count)]
        self.given_up: list[str] = []

    def start(self) -> Mapping[str, Any]:
        """Start all workers; return what their machines have, at once if that is known.

        Raises:
            SweepError: if none starts.
        """
        for place in self._places:
            place.start()
        while self._probe is None:
            if len(self.given_up) == len(self._places):
                raise SweepError("no worker starts", got=self.given_up[-1])
            self._await(0.1)
        return self._probe

    def free(self) -> list[int]:
        """Return the numbers of the places whose worker waits for work."""
        return [place.number for place in self._places if place.idle]

    @property
    def gone(self) -> bool:
        """Return whether every place was given up."""
        return len(self.given_up) == len(self._places)

    def submit(self, number: int, tag: str, message: Mapping[str, Any]) -> None:
        """Send a message to the free worker at a place; `tag` comes back with the answer."""
        place = self._places[number]
        place.idle = False
        place.inbox.put((tag, message))

    def wait(self, seconds: float) -> list[Ended]:
        """Return what has ended, after at most so many seconds; empty also when only a place has become free."""
        first = self._await(seconds)
        found = [first] if first else []
        while not self._ended.empty():
            item = self._ended.get_nowait()
            found += [item] if item else []
        return found

    def close(self, at_once: bool = False) -> None:
        """End all workers, in order or at once."""
        for place in self._places:
            place.end(at_once)
        for place in self._places:
            if place.ident is not None:  # a sweep that is all there starts none
                place.join(timeout=90)

    def admit(self, probe: Mapping[str, Any]) -> str | None:
        """Return why a worker whose machine has this is turned away, None where it may work."""
        with self._guard:
            self._probe = self._probe or probe
            return difference(self._probe, probe)

    def tell(self, item: Ended | None) -> None:
        """Put an end into the driver's queue, or None to wake it."""
        self._ended.put(item)

    def give_up(self, reason: str) -> None:
        """Count a place that will have no worker any more."""
        self.given_up.append(reason)
        self.tell(None)

    def worker(self) -> Worker:
        """Return a worker that has not started."""
        return self._make()

    def _await(self, seconds: float) -> Ended | None:
        try:
            return self._ended.get(timeout=seconds)
        except queue.Empty:
            return None


class _Place(threading.Thread):
    """One worker after the other, a message at a time."""

    def __init__(self, number: int, pool: Pool) -> None:
        super().__init__(daemon=True)
        self.number, self._pool = number, pool
        self.inbox: queue.Queue[tuple[str, Mapping[str, Any]] | None] = queue.Queue()
        self.idle = False
        self._worker: Worker | None = None
        self._ending = False

    def run(self) -> None:
        try:
            while not self._ending and (worker := self._newcomer()):
                try:
                    self._serve(worker)
                finally:
                    worker.close()
        except Exception as error:  # a thread that ends in silence would leave the driver waiting for ever
            self._pool.give_up(f"{type(error).__name__}: {error}")
            raise

    def end(self, at_once: bool) -> None:
        """Let the worker end after what it does, or now."""
        self._ending = True
        if at_once and self._worker:
            self._worker.kill()
        self.inbox.put(None)

    def _newcomer(self) -> Worker | None:
        reason = ""
        for _ in range(_STARTS):
            self._worker = worker = self._pool.worker()
            try:
                reason = self._pool.admit(worker.start()["probe"]) or ""
            except WorkerLost as error:
                reason = str(error)
            else:
                if not reason:
                    return worker
            worker.close()
            if self._ending:
                return None
        self._pool.give_up(reason)
        return None

    def _serve(self, worker: Worker) -> None:
        """Pass messages until the worker is lost or the pool ends."""
        self.idle = True
        self._pool.tell(None)
        while (item := self.inbox.get()) is not None:
            tag, message = item
            try:
                answer = worker.ask(message)
            except WorkerLost as error:
                self._pool.tell(Ended(tag, lost=str(error)))
                return
            self.idle = True
            self._pool.tell(Ended(tag, answer))


def difference(first: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    """Return in which tools two machines differ, None where they are of one kind."""
    names: Sequence[str] = sorted(name for name in {*first, *other} if first.get(name) != other.get(name))
    return f"its machine is of another kind than the first worker's: {', '.join(names)}" if names else None
