"""Work side by side, in forks of this process that report each outcome as it comes."""

from __future__ import annotations

import json
import os
import select
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict

from enginewright.lifeline import end_with
from tests.torture.cases import Outcome

Lane = Callable[[], Iterable[Outcome]]
Say = Callable[[Outcome], None]


def side_by_side(lanes: Sequence[Lane], say: Say) -> None:
    """Run the lanes, each in a fork, and say what each of them finds."""
    started = [_started(lane) for lane in lanes]
    for line in _lines([reader for reader, _ in started]):
        say(Outcome(**json.loads(line)))
    for _, process in started:
        os.waitpid(process, 0)


def _started(lane: Lane) -> tuple[int, int]:
    """Start a lane; return the descriptor that its outcomes come from, a line of JSON each, and its process."""
    reader, writer = os.pipe()
    parent = os.getpid()
    if process := os.fork():
        os.close(writer)
        return reader, process
    try:
        end_with(parent)
        os.close(reader)
        for outcome in lane():
            _send(writer, outcome)
    except BaseException:
        _send(writer, Outcome("lanes", "a lane", 0, traceback.format_exc()[-3000:], 0))
    finally:
        os._exit(0)


def _send(writer: int, outcome: Outcome) -> None:
    os.write(writer, json.dumps(asdict(outcome)).encode() + b"\n")


def _lines(readers: Sequence[int]) -> Iterator[str]:
    left = dict.fromkeys(readers, b"")
    while left:
        for number in select.select(list(left), [], [])[0]:
            piece = os.read(number, 1 << 16)
            *lines, left[number] = (left[number] + piece).split(b"\n")
            yield from (line.decode() for line in lines)
            if not piece:
                del left[number]
                os.close(number)
