"""Workers as Ray actors, on a cluster or on this machine. Each has a clone and a cache of its own, fed by the remote.

The actor's class travels with the code that it needs, and the project as a git bundle, so a node needs Python and the
requirements only. Ray restarts nothing by itself: who was lost, and what is done again, the driver knows better.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError

from enginewright.errors import SweepError
from enginewright.sweeping import process
from enginewright.sweeping.engines.engine import Engine, Request
from enginewright.sweeping.engines.options import options_of
from enginewright.sweeping.process import Setting, WorkerLost, WorkerProcess
from enginewright.sweeping.sizing import cores_here

_CLOSE_S = 120


def open_engine(request: Request) -> Engine:
    """Return the engine of the cluster at `address`, or of one that is started here.

    Raises:
        SweepError: if there is no cluster at that address.
    """
    ray.cloudpickle.register_pickle_by_value(process)
    own: dict[str, Any] = {} if request.address else {"num_cpus": max(cores_here(), request.workers or 0)}
    try:
        ray.init(address=request.address, include_dashboard=False, log_to_driver=False, logging_level="warning", **own)
    except (ConnectionError, RayError, ValueError) as error:
        raise SweepError(
            "the Ray cluster cannot be reached",
            expected="the address of a running one",
            got=f"{request.address}: {error}",
        ) from error
    found = ray.cluster_resources()
    options = options_of(request.options)

    def make(setting: Setting) -> RayWorker:
        return RayWorker(setting, request.folder, options)

    return Engine("ray", make, int(found.get("CPU", 1)), float(found.get("memory", 0)) / 1e6, close=ray.shutdown)


class RayWorker:
    """An actor that holds a worker's process."""

    def __init__(self, setting: Setting, folder: str | None, options: Mapping[str, Any]) -> None:
        self._setting = _travelling(setting, folder)
        memory = {"memory": int(setting.memory_mb * 1e6)} if setting.memory_mb else {}
        self._options = {"num_cpus": 1, **memory, **options}
        self._actor: Any = None

    def start(self) -> dict[str, Any]:
        """Wait for a place in the cluster and start there."""
        actor = ray.remote(WorkerProcess)
        self._actor = actor.options(max_restarts=0, max_task_retries=0, **self._options).remote(self._setting)
        return self._get(self._actor.start.remote())

    def ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a message."""
        return self._get(self._actor.ask.remote(message))

    def close(self) -> None:
        """End the process, then the actor."""
        if self._actor is not None:
            with suppress(RayError):  # it may have been lost
                ray.get(self._actor.close.remote(), timeout=_CLOSE_S)
            self.kill()

    def kill(self) -> None:
        """End the actor at once; its process ends with it, and its stage too."""
        if self._actor is not None:
            ray.kill(self._actor)

    def _get(self, reference: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = ray.get(reference)
        except (RayError, WorkerLost) as error:
            raise WorkerLost(_told(error)) from error
        return answer


def _told(error: Exception) -> str:
    """Return the last line of what Ray says: the ones before are a traceback."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__


def _travelling(setting: Setting, folder: str | None) -> Setting:
    """Return the setting with the source in it and folders that exist on any machine."""
    own = folder or str(Path(tempfile.gettempdir()) / f"enginewright-sweeps-{os.getuid()}")
    return replace(setting, folder=own, bundle=_read(Path(setting.source).with_name("source.bundle"), setting.tree))


@cache
def _read(path: Path, tree: str) -> bytes:
    return path.read_bytes()
