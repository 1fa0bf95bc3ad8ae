"""A contestant in a process of its own: asked line by line in JSON, so that a crash or a hang ends nothing but itself.

python -m benchmarks.latency.worker BUNDLE cuda|cpu    with {"do": ...} on standard input, an answer a line on output
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.latency.contestant import MATCHER, Contestant, Spec, loaded
from benchmarks.latency.keypoints_kept import KeypointsKept
from benchmarks.latency.samples import samples
from enginewright.gpu.kept import Kept

_WARM = 8
_FEWEST, _TURN_MS = 4, 200.0


class Worker:
    """Answers to what can be asked of a contestant."""

    def __init__(self, bundle: Path, cuda: bool) -> None:
        self.bundle, self.cuda = bundle, cuda
        self.contestant: Contestant | None = None

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to one line."""
        work: dict[str, Callable[..., dict[str, Any]]] = {
            "load": self._load,
            "time": self._time,
            "kernels": self._kernels,
            "peaks": self._peaks,
        }
        return work[asked.pop("do")](**asked)

    def _load(self, spec: dict[str, Any]) -> dict[str, Any]:
        begun = time.perf_counter()
        told = Spec(**spec)
        self.contestant = loaded(told, self.bundle, self.cuda)
        kept = Kept() if told.network == MATCHER else KeypointsKept()
        for inputs, expected in samples(self.bundle / told.reference, told.pairs):
            self.contestant.put(inputs)
            for _ in range(3):  # the second call records a CUDA graph, the third replays it
                self.contestant.call()
            kept.add(expected, self.contestant.outputs())
        return {"kept": vars(kept), "load_s": time.perf_counter() - begun, **self.contestant.facts()}

    def _time(self, calls: int) -> dict[str, Any]:
        """Return the times of so many calls, or of fewer where those take long."""
        assert self.contestant is not None  # noqa: S101 - load comes first
        warm = [_milliseconds(self.contestant.call) for _ in range(min(_WARM, calls))]
        calls = min(calls, max(_FEWEST, int(_TURN_MS / min(warm))))
        return {"ms": [_milliseconds(self.contestant.call) for _ in range(calls)]}

    def _kernels(self) -> dict[str, Any]:
        from benchmarks.latency.kernels import kernels

        assert self.contestant is not None  # noqa: S101 - load comes first
        return kernels(self.contestant.call) if self.cuda else {}

    def _peaks(self) -> dict[str, Any]:
        from benchmarks.latency.peaks import peaks

        return dict(peaks()) if self.cuda else {}


def _milliseconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1e3


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else str(value)


def main(bundle: str, device: str) -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    worker = Worker(Path(bundle), device == "cuda")
    for line in sys.stdin:
        try:
            answer = worker.answer(json.loads(line))
        except Exception as error:  # whatever goes wrong is this contestant's row
            answer = {"error": f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"}
        print(json.dumps(answer, default=_plain), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
