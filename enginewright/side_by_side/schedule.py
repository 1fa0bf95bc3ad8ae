"""Nodes of a graph, each once all that it needs has ended, several at a time."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

Node = TypeVar("Node", bound=Hashable)


class Schedule(Generic[Node]):
    """Runs nodes in threads, the first of those that can go first.

    order: all nodes. needs: what each waits for; a node that is not in `order` counts as there.
    """

    def __init__(self, order: Sequence[Node], needs: Mapping[Node, Sequence[Node]], jobs: int) -> None:
        self._waiting = list(order)
        self._needs, self._jobs = needs, jobs
        self._running: dict[Future[None], Node] = {}

    def run(self, work: Callable[[Node], None], ended: Callable[[Node, BaseException | None], bool]) -> None:
        """Run `work` on the nodes in threads; in this thread call `ended` as each ends, with what was raised.

        ended: returns whether more may start. Those that run are always awaited.
        """
        going = True
        with ThreadPoolExecutor(self._jobs) as pool:  # its threads stay: a child process can end with its thread
            while True:
                while going and (node := self._next()) is not None:
                    self._running[pool.submit(work, node)] = node
                if not self._running:
                    return
                for future in wait(self._running, return_when=FIRST_COMPLETED).done:
                    going = ended(self._running.pop(future), future.exception()) and going

    def drop(self, nodes: set[Node]) -> None:
        """Let nodes that still wait never run."""
        self._waiting = [node for node in self._waiting if node not in nodes]

    def _next(self) -> Node | None:
        """Take the first node that can go, if there is room for it."""
        if len(self._running) >= self._jobs:
            return None
        missing = {*self._waiting, *self._running.values()}
        found = next((node for node in self._waiting if missing.isdisjoint(self._needs.get(node, ()))), None)
        if found is not None:
            self._waiting.remove(found)
        return found
