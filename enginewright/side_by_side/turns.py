"""Threads of one `dvc` process take turns at what DVC does itself; the commands of stages run outside of turns."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Turns:
    """One thread at a time, which holds DVC's repository lock meanwhile. Whoever makes it has the first turn.

    repo: a `dvc.repo.Repo` whose lock is held.
    """

    def __init__(self, repo: Any) -> None:
        self._repo = repo
        self._mutex = threading.Lock()
        self._mutex.acquire()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for a turn, and have it in the block."""
        with self._mutex:
            self._repo.lock.lock()
            try:
                yield
            finally:
                self._repo.lock.unlock()

    @contextmanager
    def given_away(self) -> Iterator[None]:
        """Let others have their turns while the block runs; then wait for the next one."""
        self._repo.lock.unlock()
        self._repo._reset()
        self._mutex.release()
        try:
            yield
        finally:
            self._mutex.acquire()
            self._repo.lock.lock()

    def outside(self, command: Callable[..., Any], before: Callable[[], None]) -> Callable[..., Any]:
        """Return what runs a command without a turn, after `before`, which may raise instead."""

        def run(*arguments: Any, **options: Any) -> Any:
            before()
            with self.given_away():
                return command(*arguments, **options)

        return run
