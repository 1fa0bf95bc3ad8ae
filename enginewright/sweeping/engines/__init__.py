"""Where workers live: on this machine, on Ray, on SLURM. Each gives the pool workers that start, answer and end."""

from __future__ import annotations

from importlib import import_module

from enginewright.errors import RequirementError
from enginewright.sweeping.engines.engine import Engine, Request

ENGINES = ("local", "ray", "slurm")

_PACKAGES = {"ray": ("ray",), "slurm": ("submitit", "cloudpickle")}
"""What an engine needs, the package that brings the others first."""


def engine_of(request: Request) -> Engine:
    """Return the engine that was asked for, reached.

    Raises:
        RequirementError: if its package is not installed.
        SweepError: if it cannot be reached.
    """
    module = f"{__name__}.{request.engine}"
    try:
        found: Engine = import_module(module).open_engine(request)
    except ModuleNotFoundError as error:
        packages = _PACKAGES.get(request.engine, ())
        if error.name not in packages:
            raise
        raise RequirementError(
            f"the engine {request.engine} is not installed",
            expected=f"the package {packages[0]}",
            cure=f"make setup-{request.engine}",
        ) from error
    return found


__all__ = ["ENGINES", "Engine", "Request", "engine_of"]
