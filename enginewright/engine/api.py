"""Which TensorRT: the module of a builder, and Polygraphy told to use it."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from typing import Any

from enginewright.config.choices import Builder
from enginewright.errors import RequirementError

_VARIABLE = "POLYGRAPHY_USE_TENSORRT_RTX"
_SETUP = {Builder.tensorrt_rtx: "make setup", Builder.tensorrt: "make setup-tensorrt (needs NVIDIA's package index)"}

_LEAKS = ("POLYGRAPHY_", "NVIDIA_TF32_OVERRIDE", "TRT_", "PYTHONMALLOC", "PYTHONDEVMODE", "MALLOC_")
"""Variables that change an engine's bytes or install packages: no build may see the user's."""

_SAME_MEMORY = {"PYTHONHASHSEED": "0", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
"""No thread may reuse what another one freed: the order of addresses must follow from the build alone."""


def use(builder: Builder) -> Any:
    """Return the builder's Python module, with Polygraphy set to it for the rest of this process.

    Raises:
        RequirementError: if the package is not installed, or Polygraphy already serves the other builder.
    """
    try:
        module = importlib.import_module(builder.value)
    except (ImportError, OSError) as error:
        raise RequirementError(
            f"the builder {builder.name} cannot be imported: {error}",
            expected=f"the Python package {builder.value}",
            cure=_SETUP[builder],
        ) from error
    _tell_polygraphy(builder)
    return module


def environment(builder: Builder, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a building process: the inherited one without what would leak into the engine."""
    kept = {name: value for name, value in inherited.items() if not name.startswith(_LEAKS)}
    return kept | {_VARIABLE: _flag(builder)} | _SAME_MEMORY


def _tell_polygraphy(builder: Builder) -> None:
    """Set the variable that Polygraphy reads when it is first imported, and what it made of it if that is done.

    Its TensorRT loaders bind one module when they are imported; from then on the choice stands.
    """
    wanted = builder is Builder.tensorrt_rtx
    loaded: Any = sys.modules.get("polygraphy.config")
    if loaded is not None and "polygraphy.backend.trt" not in sys.modules:
        loaded.USE_TENSORRT_RTX = wanted
    if loaded is not None and bool(loaded.USE_TENSORRT_RTX) is not wanted:
        raise RequirementError(
            f"Polygraphy was imported for another builder than {builder.name} in this process",
            expected="one builder in a process, chosen before polygraphy.backend.trt is imported",
            got=f"USE_TENSORRT_RTX={loaded.USE_TENSORRT_RTX}",
            cure="load the engine first, or in a process of its own",
        )
    os.environ[_VARIABLE] = _flag(builder)


def _flag(builder: Builder) -> str:
    return "1" if builder is Builder.tensorrt_rtx else "0"
