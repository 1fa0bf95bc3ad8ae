"""A worker: `python -m enginewright.sweeping.worker` in a clone. A line of JSON in, a line of JSON out.

It keeps DVC, and through it the imports that stages share, alive from step to step. When its starter ends, however it
ends, the worker's standard input closes, and the worker ends with the stage that it runs.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from enginewright.artifacts import write_json
from enginewright.probing import probe
from enginewright.side_by_side.held import lock_files_once
from enginewright.side_by_side.once import read_parameters_once
from enginewright.sweeping.answering import answering
from enginewright.sweeping.bench import Bench
from enginewright.sweeping.jobs import Result, Task


def main() -> None:
    """Answer until the starter says that it is the end, or ends."""
    answer = answering()
    found = probe()
    for name, facts in found.items():
        write_json(Path("probe") / f"{name}.json", facts)
    answer({"probe": found})
    read_parameters_once()
    lock_files_once()
    bench = Bench(Path.cwd())
    messages = _messages()
    while "end" not in (message := messages.get()):
        answer({"results": [result.as_plain() for result in _results(bench, message["tasks"])]})
    bench.close()
    answer({})


def _results(bench: Bench, tasks: Sequence[Mapping[str, Any]]) -> Iterator[Result]:
    """Yield the results of tasks in a row, the last one that of the first that failed."""
    entries: dict[str, Any] = {}
    for task in map(Task.from_plain, tasks):
        result = bench.run(task.after(entries))
        entries[task.stage] = result.entry
        yield result
        if result.entry is None:
            return


def _messages() -> queue.Queue[dict[str, Any]]:
    found: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=_read, args=(found,), daemon=True).start()
    return found


def _read(found: queue.Queue[dict[str, Any]]) -> None:
    """Take messages from standard input; kill the whole group at its end, since nobody waits for an answer then."""
    for line in sys.stdin:
        message = json.loads(line)
        found.put(message)
        if "end" in message:
            return
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
