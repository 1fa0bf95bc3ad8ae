"""The real builder in the process of the tests, as the child of preflight has it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import onnx

from enginewright.config.sections import BuildConfig
from enginewright.preflight.asking import Asker
from enginewright.preflight.survey import survey
from enginewright.preflight.task import Answer, Options
from enginewright.preflight.tool import Tool


@cache
def tool() -> Tool:
    """Return the embedded builder with its default options."""
    return Tool(BuildConfig())


def asker(steps: list[int] | None = None, fatal: Mapping[int, str] | None = None) -> Asker:
    """Return one that writes the steps that it begins into `steps`."""
    return Asker(tool(), fatal or {}, (steps if steps is not None else []).append)


def surveyed(model: onnx.ModelProto, options: Options | None = None, fatal: Mapping[int, str] | None = None) -> Answer:
    """Return what preflight finds in a graph, without a child process."""
    return survey(asker(fatal=fatal), model, options or Options())
