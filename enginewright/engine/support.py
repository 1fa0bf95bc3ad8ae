"""What each builder can do: the options that it lacks, and the GPUs that its engines run on. Light: no TensorRT here.

The facts on `tensorrt_rtx` were measured with 1.7.1 on a machine without a GPU; the tests measure them again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from enginewright.config.choices import Builder
from enginewright.engine.gpu import Gpu
from enginewright.errors import ConfigError

RTX_CAPABILITIES = ("7.5", "8.0", "8.6", "8.9", "12.0", "12.1")
"""Compute capabilities that tensorrt_rtx can be told to build for."""

RTX_DEFAULT = ("8.0", "8.6", "8.9", "12.0", "12.1")
"""Those that it builds for when told nothing; such an engine also runs on every later one, but not on 9.x and 10.x."""

AMPERE = "8.0"
"""The least compute capability of a hardware-compatible engine of the full TensorRT."""

FIRST_WITH: Mapping[str, str] = {"float8": "8.9", "bfloat16": "8.0"}
"""The first compute capability that has a type; `tensorrt_rtx` refuses earlier ones, or leaves them out by default."""

_NO_LEAN_RUNTIME = "it ships no lean runtime, which a version compatible engine carries inside"
_PORTABLE = "its engines run on several generations anyway; name them in build.compute_capabilities"
_NO_TACTICS = "it times no kernels: levels 0 to 5 give the same bytes"
_CACHE = "its timing caches are empty and change nothing"
_OWN_GPU = "it builds for the GPU of the machine it runs on"

LACKS: Mapping[Builder, Mapping[str, str]] = {
    Builder.tensorrt_rtx: {
        "optimization_level": _NO_TACTICS,
        "version_compatible": _NO_LEAN_RUNTIME,
        "hardware_compatible": _PORTABLE,
        "timing_cache": _CACHE,
        "timing_cache_sha256": _CACHE,
    },
    Builder.tensorrt: {"compute_capabilities": _OWN_GPU},
}
"""For each builder: the option of the `build` section that it lacks, and why."""


def refuse_lacking(builder: Builder, options: Mapping[str, Any]) -> None:
    """Refuse options that are set but that the builder lacks: they would be ignored, or fail minutes later.

    Raises:
        ConfigError: naming the first such option, the builder and the reason.
    """
    for name, because in LACKS[builder].items():
        if not _unset(options.get(name)):
            raise ConfigError(
                f"build.{name} is an option that the builder {builder.name} lacks: {because}",
                expected=f"build.{name} not set, or another builder",
                got=options[name],
                cure=f"leave build.{name} out, or builder={_other(builder).name}",
            )


def refuse_capabilities(builder: Builder, capabilities: Sequence[str]) -> None:
    """Refuse compute capabilities that tensorrt_rtx cannot build for, and repeated ones.

    Raises:
        ConfigError: naming the allowed ones.
    """
    unknown = [value for value in capabilities if value not in RTX_CAPABILITIES]
    if unknown or len(set(capabilities)) != len(capabilities):
        raise ConfigError(
            f"build.compute_capabilities does not suit the builder {builder.name}",
            expected=f"each at most once, of {', '.join(RTX_CAPABILITIES)}",
            got=list(capabilities),
            cure='quote them, for example build.compute_capabilities=["8.9","12.0"]',
        )


def refuse_types(types: Iterable[str], capabilities: Sequence[str]) -> None:
    """Refuse compute capabilities of GPUs that lack a type that the graph will have.

    Raises:
        ConfigError: naming those that have it.
    """
    least = first_with(types)
    early = [value for value in capabilities if version_key(value) < version_key(least)]
    if early:
        raise ConfigError(
            f"build.compute_capabilities has GPUs without a type of this precision: {', '.join(sorted(types))}",
            expected=f"{least} or later",
            got=early,
            cure="another precision, or fewer build.compute_capabilities",
        )


def first_with(types: Iterable[str]) -> str:
    """Return the first compute capability that has all the types, "0" where every GPU has."""
    return max((FIRST_WITH[name] for name in types if name in FIRST_WITH), key=version_key, default="0")


@dataclass(frozen=True)
class Targets:
    """The compute capabilities that an engine was built for; with `and_later`, every later one as well."""

    compute_capabilities: tuple[str, ...]
    and_later: bool

    def include(self, compute_capability: str) -> bool:
        """Return whether an engine for these targets runs on a GPU of that compute capability."""
        if compute_capability in self.compute_capabilities:
            return True
        if not self.compute_capabilities or not self.and_later:
            return False
        return version_key(compute_capability) > version_key(self.compute_capabilities[-1])

    def __str__(self) -> str:
        return ", ".join(self.compute_capabilities) + (" and later" if self.and_later else "")


def targets(
    builder: Builder,
    capabilities: Sequence[str],
    hardware_compatible: bool,
    gpu: Gpu | None,
    types: Iterable[str] = (),
) -> Targets:
    """Return what an engine is built for: the capabilities asked for, or else those of the default that have its types.

    Args:
        types: of its layers.
        gpu: the GPU of this machine, which the full TensorRT builds for; tensorrt_rtx needs none.
    """
    if capabilities:
        return Targets(tuple(sorted(capabilities, key=version_key)), and_later=False)
    if builder is Builder.tensorrt_rtx:
        able = [value for value in RTX_DEFAULT if version_key(value) >= version_key(first_with(types))]
        return Targets(tuple(able), and_later=True)
    if hardware_compatible:
        return Targets((max(AMPERE, first_with(types), key=version_key),), and_later=True)
    return Targets((gpu.compute_capability,) if gpu else (), and_later=False)


def version_key(text: str) -> tuple[int, ...]:
    """Return the numbers of a version or a compute capability, for comparing."""
    return tuple(int(number) for number in re.findall(r"\d+", text))


def _unset(value: object) -> bool:
    """Return whether an option is left to the builder; the optimisation level 0 is not."""
    return value is None or value is False or value == []


def _other(builder: Builder) -> Builder:
    return next(other for other in Builder if other is not builder)
