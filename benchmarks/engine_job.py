"""What a builder is asked for where only an engine is wanted: the contract's own static shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from enginewright.config.sections import BuildConfig
from enginewright.contract import Contract, Port
from enginewright.engine.bindings import Binding
from enginewright.engine.job import Job


def job_of(build: BuildConfig, contract: Contract, ranges: Mapping[str, Sequence[int]]) -> Job:
    """Return the job of a graph under this contract."""
    return Job(build, _bindings(contract, contract.inputs), _bindings(contract, contract.outputs), ranges)


def _bindings(contract: Contract, ports: Sequence[Port]) -> tuple[Binding, ...]:
    return tuple(Binding(port.name, port.dtype, contract.shape(port)) for port in ports)
