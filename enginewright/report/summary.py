"""The result of each network in one row, for the top of the report and for the README."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from enginewright.report.collect import Metrics, collect
from enginewright.report.rows import REHEARSED, largest_error
from enginewright.report.words import NOTHING, STATES, count, megabytes, small, state_of


@dataclass(frozen=True)
class Result:
    """A checked fact: a state of `STATES`, its reason, and what is said when it passed."""

    state: str
    reason: str = ""
    figure: str = ""

    @property
    def words(self) -> str:
        """The figure if the check passed; otherwise its state in words, never a number alone."""
        if self.state in ("passed", "done"):
            return self.figure or STATES[self.state]
        return f"{STATES[self.state]} ({self.figure})" if self.figure and self.state == "failed" else STATES[self.state]


_NOT_APPLICABLE = Result("done", "", NOTHING)
_MISSING = Result("missing", "it wrote no metrics")


@dataclass(frozen=True)
class Summary:
    """One network: its precision, its graphs beside torch, its matches, its engine, and that engine on a GPU."""

    network: str
    precision: str
    graphs: Result
    matches: Result
    engine: Result
    on_gpu: Result

    @property
    def results(self) -> tuple[Result, ...]:
        """The checked facts, as `COLUMNS`."""
        return self.graphs, self.matches, self.engine, self.on_gpu


COLUMNS = ("Largest error of the graphs", "Matches kept", "Engine", "Engine run on a GPU")


def summary_rows(metrics: Path) -> list[Summary]:
    """Return a row for each network in the folder of metrics.

    Raises:
        DataError: if the folder holds none, or a file is no JSON.
    """
    return summaries(collect(metrics))


def summaries(networks: Mapping[str, Mapping[str, Metrics]]) -> list[Summary]:
    """Return a row for each network of `collect`."""
    return [_summary(name, stages) for name, stages in networks.items()]


def _summary(network: str, stages: Mapping[str, Metrics]) -> Summary:
    match = stages.get("match")
    return Summary(
        network=network,
        precision=str(stages.get("cast", {}).get("precision", NOTHING)),
        graphs=_result(stages.get("compare"), lambda metrics: small(largest_error(metrics))),
        matches=_kept(match) if match is not None else _NOT_APPLICABLE,
        engine=_engine(stages.get("build")),
        on_gpu=_on_gpu(stages.get("build"), match),
    )


def _result(metrics: Metrics | None, figure: Callable[[Metrics], str]) -> Result:
    if metrics is None:
        return _MISSING
    return Result(state_of(metrics), str(metrics.get("reason", "")), figure(metrics))


def _kept(match: Metrics) -> Result:
    """Return what is kept by the first graph that failed, or else by the last before the engine, the typed one."""
    original = count(match.get("original", {}).get("matches"))
    graphs = [match[name] for name in ("exported", "simplified", "typed", REHEARSED) if name in match]
    failing = (entry for entry in graphs if state_of(entry) == "failed")
    shown = next(failing, match.get("typed"))
    return _result(shown, lambda entry: f"{count(entry.get('common'))} of {original}")


def _engine(build: Metrics | None) -> Result:
    """Return what was built; whether it was executed is another column, since that is what the verdict is on."""
    if build is None:
        return _MISSING
    return Result("done", "", f"{megabytes(build.get('engine_mb'))}, {count(build.get('layers'))} layers")


def _on_gpu(build: Metrics | None, match: Metrics | None) -> Result:
    """Return the verdict on executing the engine: that of the build, and for a matcher that of its matches too."""
    built = _result(build, lambda metrics: "")
    if match is None or built.state == "failed":
        return built
    return _result(match.get("engine"), lambda entry: f"{count(entry.get('common'))} matches kept")
