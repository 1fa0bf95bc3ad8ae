"""Every message a SLURM job, through submitit: steps that follow one another travel together.

SLURM keeps the queue, the limits and the machines; a job that it ends, or that a node takes with it, is handed out anew
by the driver. `cluster=local` runs the jobs as processes of this machine, to try a sweep without SLURM.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cloudpickle
import submitit
from submitit.core.utils import UncompletedJobError

from enginewright.sweeping import process
from enginewright.sweeping.engines.engine import Engine, Request
from enginewright.sweeping.engines.options import options_of
from enginewright.sweeping.pool import difference
from enginewright.sweeping.process import Setting, WorkerLost, one_job
from enginewright.sweeping.sizing import cores_here, free_mb_here

_POLL_S = 1.0
_JOBS = 16
"""Jobs in the queue at once, where the user says nothing: SLURM holds those that find no node."""

_MINUTES = 240
"""A job's time limit: a chain of steps at full size takes minutes; `--option timeout_min=N` sets another."""


def open_engine(request: Request) -> Engine:
    """Return the engine of the SLURM cluster that this machine submits to."""
    cloudpickle.register_pickle_by_value(process)
    jobs = _Jobs(request)
    here = request.cluster == "local"
    cores, free_mb = (cores_here(), free_mb_here()) if here else (_JOBS, float("inf"))
    return Engine("slurm", jobs.worker, cores, free_mb, chains=True)


class _Jobs:
    """What all workers share: submitit's executor, and what the machines have, which one small job finds out."""

    def __init__(self, request: Request) -> None:
        self._request, self._guard = request, threading.Lock()
        self._executor: Any = None
        self.probe: Mapping[str, Any] | None = None

    def worker(self, setting: Setting) -> SlurmWorker:
        """Return a worker that has not started; jobs of one machine keep its clone for each other."""
        return SlurmWorker(self, replace(setting, keep=True, folder=self._request.folder or setting.folder))

    def submit(self, setting: Setting, message: Mapping[str, Any]) -> Any:
        """Return submitit's job for a message."""
        with self._guard:
            self._executor = self._executor or self._opened(setting)
            return self._executor.submit(one_job, setting, message)

    def probed(self, setting: Setting) -> Mapping[str, Any]:
        """Return what the machines have, asked of the first that takes a job."""
        with self._guard:
            self._executor = self._executor or self._opened(setting)
            if self.probe is None:
                self.probe = _waited(self._executor.submit(one_job, setting, None))["probe"]
            return self.probe

    def _opened(self, setting: Setting) -> Any:
        executor = submitit.AutoExecutor(folder=Path(setting.source).parent / "jobs", cluster=self._request.cluster)
        memory = {"mem_gb": setting.memory_mb / 1000} if setting.memory_mb else {}
        usual = {"timeout_min": _MINUTES, "cpus_per_task": setting.threads, "name": "sweep", **memory}
        executor.update_parameters(**{**usual, **options_of(self._request.options)})
        return executor


class SlurmWorker:
    """A place in the queue: one job after the other."""

    def __init__(self, jobs: _Jobs, setting: Setting) -> None:
        self._jobs, self._setting = jobs, setting
        self._job: Any = None

    def start(self) -> dict[str, Any]:
        """Return what the machines have."""
        return {"probe": self._jobs.probed(self._setting)}

    def ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Submit a job and wait for it."""
        self._job = self._jobs.submit(self._setting, message)
        answer = _waited(self._job)
        if other := difference(self._jobs.probe or {}, answer["probe"]):
            raise WorkerLost(f"job {self._job.job_id}: {other}")
        return answer

    def close(self) -> None:
        """Do nothing: a job ends by itself."""

    def kill(self) -> None:
        """Cancel the job."""
        if self._job is not None:
            self._job.cancel(check=False)


def _waited(job: Any) -> dict[str, Any]:
    """Return a job's answer once it has one."""
    try:
        while not job.done():
            time.sleep(_POLL_S)
        answer: dict[str, Any] = job.result()
    except (UncompletedJobError, submitit.core.utils.FailedJobError) as error:
        raise WorkerLost(f"job {job.job_id}: {str(error).strip().splitlines()[-1]}") from error
    return answer
