"""Makes an engine's bytes depend on the graph and its options alone.

The builder writes inputs and outputs into the engine in the order of the addresses of objects. Addresses follow from
everything that the process has allocated: the environment, the length of every path, whether Python found compiled
modules. So parsing happens in a thread of its own, which the C library gives a memory arena that nothing has used, and
building in one more. What runs there must not allocate by the length of a path either.
"""

from __future__ import annotations

import gc
import importlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from enginewright.config.choices import Builder

T = TypeVar("T")


def import_polygraphy(builder: Builder) -> None:
    """Import all of Polygraphy that a build needs, without its check of who calls its loaders.

    That check looks the caller up by the paths of all modules, in every call, and only ever leads to a warning.
    """
    util: Any = importlib.import_module("polygraphy.util")
    util.check_called_by = lambda _name: lambda function: function
    importlib.import_module("polygraphy.backend.trt")
    if builder is Builder.tensorrt_rtx:
        importlib.import_module("polygraphy.backend.tensorrt_rtx")


def in_fresh_memory(work: Callable[[], T]) -> T:
    """Return what `work` returns, or raise what it raises, from a new thread. Call it once in a process.

    Garbage collection is off meanwhile: when it starts depends on what the process did before.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    collecting = gc.isenabled()
    gc.disable()
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if collecting:
        gc.enable()
    if errors:
        raise errors[0]
    return results[0]


class Isolated:
    """A builder whose call that builds has a thread's memory to itself.

    What Python and Polygraphy allocate between parsing and building, which another Python does otherwise, stays out.
    """

    def __init__(self, builder: Any) -> None:
        self._builder = builder

    def __getattr__(self, name: str) -> Any:
        """Return whatever else the builder has."""
        return getattr(self._builder, name)

    def build_serialized_network(self, network: Any, config: Any) -> Any:
        """Return the engine's bytes, None if the builder makes none."""
        return in_fresh_memory(lambda: self._builder.build_serialized_network(network, config))
