"""Workers as processes of this machine; they share the user's DVC cache, so nothing is copied through a remote."""

from __future__ import annotations

from enginewright.probing import probe
from enginewright.sweeping.engines.engine import Engine, Request
from enginewright.sweeping.process import WorkerProcess
from enginewright.sweeping.sizing import cores_here, free_mb_here


def open_engine(request: Request) -> Engine:
    """Return the engine of this machine."""
    return Engine("local", WorkerProcess, cores_here(), free_mb_here(), probe(), shares_cache=True)
