"""Nodes run once what they need has ended, several at a time."""

from __future__ import annotations

import threading

from enginewright.side_by_side.schedule import Schedule

NEEDS = {"b": ["a"], "c": ["a"], "d": ["b", "c"]}
ORDER = ["a", "b", "c", "d"]


class Log:
    """What ended, and how; `stop` is the node after which nothing more may start."""

    def __init__(self, stop: str = "") -> None:
        self.rows: list[tuple[str, str]] = []
        self._stop = stop

    def ended(self, node: str, error: BaseException | None) -> bool:
        self.rows.append((node, type(error).__name__ if error else ""))
        return node != self._stop


def work(node: str) -> None:
    if node == "b":
        raise ValueError(node)


def test_every_node_runs_after_what_it_needs() -> None:
    seen: list[str] = []
    log = Log()
    Schedule(ORDER, NEEDS, jobs=1).run(seen.append, log.ended)
    assert seen == ORDER
    assert log.rows == [(node, "") for node in ORDER]


def test_what_is_independent_runs_at_the_same_time() -> None:
    meeting = threading.Barrier(2, timeout=10)

    def meet(node: str) -> None:
        if node in "bc":
            meeting.wait()

    log = Log()
    Schedule(ORDER, NEEDS, jobs=2).run(meet, log.ended)
    assert [name for name, _ in log.rows][::3] == ["a", "d"]
    assert not any(error for _, error in log.rows)


def test_no_more_run_at_a_time_than_there_are_jobs() -> None:
    running, most = set[int](), 0
    guard = threading.Lock()

    def count(node: int) -> None:
        nonlocal most
        with guard:
            running.add(node)
            most = max(most, len(running))
        threading.Event().wait(0.01)
        with guard:
            running.remove(node)

    Schedule(range(9), {}, jobs=3).run(count, lambda *_: True)
    assert most <= 3


def test_after_a_stop_those_that_run_are_awaited_and_none_starts() -> None:
    log = Log(stop="b")
    Schedule(ORDER, NEEDS, jobs=2).run(work, log.ended)
    assert sorted(log.rows) == [("a", ""), ("b", "ValueError"), ("c", "")]


def test_dropped_nodes_never_run_and_others_go_on() -> None:
    log = Log()
    schedule = Schedule([*ORDER, "e"], {**NEEDS, "e": ["c"]}, jobs=1)

    def ended(node: str, error: BaseException | None) -> bool:
        if error:
            schedule.drop({"d"})
        return log.ended(node, error)

    schedule.run(work, ended)
    assert [name for name, _ in log.rows] == ["a", "b", "c", "e"]


def test_a_need_outside_of_the_run_counts_as_there() -> None:
    log = Log()
    Schedule(["b"], NEEDS, jobs=2).run(lambda _: None, log.ended)
    assert log.rows == [("b", "")]
