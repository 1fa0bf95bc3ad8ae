"""What would prove a variant: the commands, and the GPUs on which its engine can run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from enginewright.engine.support import Targets, version_key
from enginewright.pages.from_run import COMPARED
from enginewright.pages.variant import Proof, Variant

GPUS = {
    "7.5": "T4",
    "8.0": "A100",
    "8.6": "RTX 30, A10",
    "8.7": "Jetson Orin",
    "8.9": "RTX 40, L4, L40S",
    "9.0": "H100, H200",
    "10.0": "B200",
    "12.0": "RTX 50",
    "12.1": "DGX Spark",
}
"""Compute capabilities, and GPUs that have them."""


@dataclass(frozen=True)
class Proving:
    """where: the hardware that it takes. commands: to be run there, in order. otherwise: those for other GPUs."""

    where: str
    commands: tuple[str, ...]
    otherwise: tuple[str, ...] = ()


def proving_of(one: Variant, again: str) -> Proving | None:
    """Return what would prove a variant further; None for an engine that is proven, or where nothing was built.

    again: the command that repeats the sweep, without overrides; empty where there was no sweep.
    """
    if one.proof is Proof.engine or not one.targets:
        return None
    lacking = [name for name in GPUS if _later(name, one.targets) and not _all(one.targets, name)]
    other = f"{again} ARGS='builder=tensorrt'" if again else "dvc exp run -S builder=tensorrt"
    first = f"with {one.name} in the checkout, " if one.source == COMPARED else ""
    otherwise = ("make setup-tensorrt", other) if lacking else ()
    return Proving(first + _where(one.targets, lacking), tuple(_commands(one)), otherwise)


def _commands(one: Variant) -> Iterator[str]:
    """Yield the commands. A reduced graph is run as well as its engine, and that takes ONNX Runtime's CUDA provider."""
    if one.experiment:
        yield f"dvc exp apply {one.experiment}"
    if one.precision not in ("fp32", "tf32"):
        yield "make setup-gpu"
    yield "REQUIRE_GPU=1 dvc repro"


def _where(targets: Sequence[Targets], lacking: Sequence[str]) -> str:
    named = dict.fromkeys(name for one in targets for name in one.compute_capabilities)
    able = ", ".join(map(_named, sorted((name for name in named if _all(targets, name)), key=version_key)))
    later = " and later" if all(one.and_later for one in targets) else ""
    out = f"; it does not run on {', '.join(map(_named, lacking))}" if lacking else ""
    return f"on an NVIDIA GPU of compute capability {able}{later}{out}"


def _named(name: str) -> str:
    return f"{name} ({GPUS[name]})" if name in GPUS else name


def _all(targets: Sequence[Targets], name: str) -> bool:
    return all(one.include(name) for one in targets)


def _later(name: str, targets: Sequence[Targets]) -> bool:
    """Return whether a GPU is no older than the first that the engines are for."""
    return version_key(name) >= version_key(targets[0].compute_capabilities[0])
