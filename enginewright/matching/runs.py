"""The chains of artifacts: exported, simplified and typed graphs in ONNX Runtime, and engines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from enginewright.artifacts import sha256_of
from enginewright.errors import RequirementError
from enginewright.graphs.provider import CPU, no_proof, provider_for
from enginewright.graphs.types import reduced_precision
from enginewright.matching.chain import extract, match
from enginewright.matching.engine_graph import EngineGraph
from enginewright.matching.features import Features, Matched
from enginewright.matching.graph import Graph, OnnxGraph
from enginewright.matching.proof import Task
from enginewright.progress import progress
from enginewright.rehearsing.rounding import rounded_file

T = TypeVar("T")


class OnnxChains:
    """Chains of ONNX graphs. What was computed with the same bytes before is not computed again."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._features: dict[str, list[Features]] = {}
        self._matched: dict[tuple[str, str], list[Matched]] = {}

    def run(self, name: str, extractor: Path, matcher: Path) -> list[Matched]:
        """Return the matches of the artifact `name`, one for each pair.

        Raises:
            RequirementError: if a graph has reduced precision and no GPU can run it.
            GraphError: if a graph does not run or breaks its contract.
        """
        return self._run(name, extractor, matcher, provider_that_proves(extractor, matcher))

    def rehearse(self, extractor: Path, matcher: Path) -> list[Matched]:
        """Return the matches of two typed graphs whose every result is rounded as hardware stores it.

        Raises:
            GraphError: if a graph does not run or breaks its contract.
        """
        with rounded_file(extractor) as first, rounded_file(matcher) as last:
            return self._run("rehearsed", first, last, CPU)

    def _run(self, name: str, extractor: Path, matcher: Path, provider: str) -> list[Matched]:
        keys = sha256_of(extractor), sha256_of(matcher)
        if keys[0] not in self._features:
            self._features[keys[0]] = extracted(self._task, OnnxGraph(extractor, provider), name)
        if keys not in self._matched:
            self._matched[keys] = matched(self._task, OnnxGraph(matcher, provider), self._features[keys[0]], name)
        return self._matched[keys]


def engine_chain(task: Task, extractor: tuple[Path, Path], matcher: tuple[Path, Path]) -> list[Matched]:
    """Return the engines' matches, one for each pair; each network is given as (engine, record).

    Raises:
        RequirementError: if this machine cannot run them.
        BuildError: if an engine is not what its record says, or fails.
    """
    features = _on_engine(extractor, lambda graph: extracted(task, graph, "engine"))
    return _on_engine(matcher, lambda graph: matched(task, graph, features, "engine"))


def extracted(task: Task, graph: Graph, name: str) -> list[Features]:
    """Return the features of all images, showing progress."""
    with progress(f"extracting with the {name} graph", 2 * len(task.pairs), "images") as tick:
        return extract(graph, task.pairs, task.shape[0], tick)


def matched(task: Task, graph: Graph, features: Sequence[Features], name: str) -> list[Matched]:
    """Return the matches of all pairs, showing progress."""
    with progress(f"matching with the {name} graph", len(task.pairs), "pairs") as tick:
        return match(graph, features, task.shape[1:], task.threshold, tick)


def _on_engine(files: tuple[Path, Path], use: Callable[[Graph], T]) -> T:
    with closing(EngineGraph(*files)) as graph:
        return use(graph)


def provider_that_proves(*graphs: Path) -> str:
    """Return the ONNX Runtime provider that proves something about the graphs together.

    Raises:
        RequirementError: if none here does.
    """
    reduced = next((found for path in graphs if (found := reduced_precision(path))), None)
    provider = provider_for(reduced)
    if provider is None:
        raise RequirementError(
            no_proof(str(reduced)),
            expected="an onnxruntime that offers CUDA",
            cure="run the match stage on a machine with a GPU and onnxruntime-gpu",
        )
    return provider
