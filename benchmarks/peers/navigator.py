"""Triton Model Navigator: whether it can be installed and run here; if not, its row says why."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from benchmarks.cost import CommandError, run
from benchmarks.part import Part, Turn
from benchmarks.place import ROOT
from enginewright.engine.gpu import find_gpu

NAVIGATOR = "triton-model-navigator 0.14.0"
_LIBRARIES = "tensorrt-cu13-libs"
"""What its requirement `tensorrt` needs: a package of the registry whose build asks the vendor's own index."""


class Navigator(Part):
    """Its build of LightGlue's engine, where that is possible."""

    name = "navigator"
    title = NAVIGATOR
    base = "pipeline"

    def prepare(self) -> None:
        """Say what is missing.

        Raises:
            CommandError: always: where nothing is missing, no measurement of it has been written yet.
        """
        raise CommandError(f"{NAVIGATOR} is not run", got=self._missing())

    def turns(self, number: int) -> Mapping[str, Turn]:
        """Return nothing."""
        return {}

    def _missing(self) -> str:
        if find_gpu() is None:
            return f"no NVIDIA GPU with a driver, which its TensorRT runner needs{self._and_not_installed()}"
        return "this benchmark does not measure it on a GPU yet"

    def _and_not_installed(self) -> str:
        words = (sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "-q", _LIBRARIES)
        try:
            run(words, ROOT, os.environ)
        except CommandError:
            return f"; its requirement {_LIBRARIES} cannot be installed from the package registry"
        return ""
