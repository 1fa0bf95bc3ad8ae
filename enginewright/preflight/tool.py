"""The builder as preflight asks it: parse a graph, and build it, wholly or up to the work that takes time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from enginewright.config.choices import Builder
from enginewright.config.sections import BuildConfig
from enginewright.engine import api, options
from enginewright.engine.isolation import import_polygraphy
from enginewright.engine.profile import Range
from enginewright.errors import RequirementError
from enginewright.preflight.wording import is_noise

_SLOW_PHASES = {"Timing tactics", "Timing graph nodes"}
"""Before them the builder validates layers, types, shapes and profiles, in 0.1 s for 2,200 layers; then it compiles.

Measured with tensorrt_rtx 1.7.1."""

_PATIENCE_S = 10.0
"""When a build that should stop before compiling is stopped in a builder that has no phases of those names."""

Ranges = Mapping[str, Range]


@dataclass(frozen=True)
class Refusal:
    """One refusal: the message as given, who gave it, and which node it names, as far as it does.

    index: of the node in the graph that was parsed, -1 if none is named. late: it came from compiling. at: the sizes of
    the dynamic axes, where they matter.
    """

    message: str
    by: str
    index: int = -1
    name: str = ""
    operator: str = ""
    late: bool = False
    at: str = ""


@dataclass
class Parsed:
    """A parsed graph: TensorRT's network, and why it is incomplete."""

    network: Any
    parser: Any = field(repr=False)
    refusals: list[Refusal] = field(default_factory=list)


class Tool:
    """One builder with one set of options, in a process that may die of what it is asked."""

    def __init__(self, build: BuildConfig) -> None:
        """Raises RequirementError if the builder cannot be imported or finds no GPU where it needs one."""
        # The engine is thrown away, so the full TensorRT need not look for the fastest kernels.
        full = build.builder is Builder.tensorrt
        self._build = replace(build, optimization_level=0) if full else build
        self.trt = api.use(build.builder)
        import_polygraphy(build.builder)
        self.logged: list[str] = []
        self._logger = _logger(self.trt, self.logged.append)
        self.trt.init_libnvinfer_plugins(self._logger, "")
        try:
            self._builder = self.trt.Builder(self._logger)
        except (TypeError, RuntimeError) as error:  # what pybind makes of a factory that returned nothing
            raise RequirementError(f"{build.builder.name} does not start: {error}", got=self._reason()) from error

    def parse(self, model: bytes) -> Parsed:
        """Return the parsed model, with each refusal of the parser."""
        self.logged.clear()
        typed = 1 << int(self.trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
        network = self._builder.create_network(typed)
        parser = self.trt.OnnxParser(network, self._logger)
        done = parser.parse(model)
        refusals = [_refusal(parser.get_error(index)) for index in range(parser.num_errors)]
        if not done and not refusals:
            refusals = [Refusal(self._reason(), "parser")]
        return Parsed(network, parser, refusals)

    def build(self, parsed: Parsed, ranges: Ranges | None = None, wholly: bool = True) -> Refusal | None:
        """Build a parsed network and throw the engine away; return why there was none.

        Args:
            ranges: of the inputs with dynamic axes.
            wholly: False stops where compiling begins.
        """
        self.logged.clear()
        monitor = _monitor(self.trt, wholly)
        more = {"profiles": options.profiles_of(ranges or {}), "progress_monitor": monitor}
        config = options.create_config(self._build, self.trt, more, {})(self._builder, parsed.network)
        if self._builder.build_serialized_network(parsed.network, config) is not None or monitor.stopped:
            return None
        return Refusal(self._reason(), "builder", late=monitor.slow)

    def _reason(self) -> str:
        said = [message for message in self.logged if not is_noise(message)]
        return said[0] if said else "refused without a reason"


def _refusal(error: Any) -> Refusal:
    desc = error.desc()
    return Refusal(desc, "parser", error.node(), error.node_name(), error.node_operator())


def _logger(trt: Any, take: Callable[[str], None]) -> Any:
    class Errors(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.INTERNAL_ERROR, trt.ILogger.ERROR):
                take(message)

    return Errors()


def _monitor(trt: Any, wholly: bool) -> Any:
    end = time.monotonic() + _PATIENCE_S

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self.slow = self.stopped = False

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            self.slow = self.slow or phase_name in _SLOW_PHASES

        def phase_finish(self, phase_name: str) -> None:
            """Nothing ends what began."""

        def step_complete(self, phase_name: str, step: int) -> bool:
            self.stopped = not wholly and (self.slow or time.monotonic() > end)
            return not self.stopped

    return Monitor()
