"""From the `build` section to Polygraphy's builder configuration, for both builders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enginewright.config.choices import Builder
from enginewright.config.sections import BuildConfig
from enginewright.engine.profile import Range
from enginewright.engine.support import refuse_lacking, version_key

_MIB = 20


def arguments(build: BuildConfig, trt: Any) -> dict[str, Any]:
    """Return the keyword arguments of Polygraphy's CreateConfig or CreateConfigRTX; unset options are left out.

    Args:
        trt: the builder's Python module.

    Raises:
        ConfigError: for an option that the builder lacks.
    """
    refuse_lacking(build.builder, vars(build))
    found: dict[str, Any] = {}
    if build.workspace_mib is not None:
        found["memory_pool_limits"] = {trt.MemoryPoolType.WORKSPACE: build.workspace_mib << _MIB}
    if build.optimization_level is not None:
        found["builder_optimization_level"] = build.optimization_level
    if build.version_compatible:
        found["version_compatible"] = True
    if build.hardware_compatible:
        found["hardware_compatibility_level"] = trt.HardwareCompatibilityLevel.AMPERE_PLUS
    if build.compute_capabilities:
        found["compute_capabilities"] = [
            version_key(value) for value in sorted(build.compute_capabilities, key=version_key)
        ]
    return found


def create_config(build: BuildConfig, trt: Any, more: Mapping[str, Any], seen: dict[str, Any]) -> Any:
    """Return the Polygraphy loader that makes the builder configuration.

    TF32 is set here and not by an argument: CreateConfigRTX has none, and the builder's own default is on.

    Args:
        more: further keyword arguments of CreateConfig: profiles, monitor, timing cache.
        seen: filled with the options as the builder resolved them, once the loader has run.
    """
    from polygraphy.backend.trt import PostprocessConfig

    def finish(builder: Any, network: Any, config: Any) -> None:
        (config.set_flag if build.tf32 else config.clear_flag)(trt.BuilderFlag.TF32)
        seen.update(_resolved(build, trt, config))

    return PostprocessConfig(_loader(build.builder)(**arguments(build, trt), **more), finish)


def profiles_of(ranges: Mapping[str, Range]) -> list[Any]:
    """Return Polygraphy's profiles: one, which fills static inputs in by itself."""
    from polygraphy.backend.trt import Profile

    profile = Profile()
    for name, shapes in ranges.items():
        profile.add(name, min=shapes.min, opt=shapes.opt, max=shapes.max)
    return [profile]


def _loader(builder: Builder) -> Any:
    if builder is Builder.tensorrt_rtx:
        from polygraphy.backend.tensorrt_rtx import CreateConfigRTX

        return CreateConfigRTX
    from polygraphy.backend.trt import CreateConfig

    return CreateConfig


def _resolved(build: BuildConfig, trt: Any, config: Any) -> dict[str, Any]:
    tunes = build.builder is Builder.tensorrt
    return {
        "workspace_mib": config.get_memory_pool_limit(trt.MemoryPoolType.WORKSPACE) >> _MIB,
        "optimization_level": config.builder_optimization_level if tunes else None,
        "tf32": bool(config.get_flag(trt.BuilderFlag.TF32)),
        "version_compatible": bool(config.get_flag(trt.BuilderFlag.VERSION_COMPATIBLE)),
        "hardware_compatible": build.hardware_compatible,
        "strongly_typed": True,
    }
