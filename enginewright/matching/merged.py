"""A merged graph over image pairs: extractor, normalisation and matcher are inside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from enginewright.artifacts import sha256_of
from enginewright.images import Pair, to_input
from enginewright.matching.chain import Tick, filled
from enginewright.matching.engine_graph import EngineGraph
from enginewright.matching.features import Matched, features_of, matched
from enginewright.matching.graph import Graph, OnnxGraph, require
from enginewright.matching.proof import Task
from enginewright.matching.runs import provider_that_proves
from enginewright.progress import progress
from enginewright.rehearsing.rounding import rounded_file

_OUTPUTS = ("keypoints", "matches", "mscores")


def match_images(graph: Graph, pairs: Sequence[Pair], channels: int, tick: Tick = lambda done: None) -> list[Matched]:
    """Return the matches of each pair. `tick` takes the pairs done.

    Pairs go through in the graph's batch; the last is filled up with repeats.

    Raises:
        GraphError: if the graph does not run or lacks a tensor of its contract.
    """
    batch, found = max(1, graph.slots("image") // 2), list[Matched]()
    for start in range(0, len(pairs), batch):
        chunk = pairs[start : start + batch]
        images = [image for pair in filled(chunk, batch) for image in pair.images]
        outputs = graph({"image": to_input(images, channels)})
        require(_OUTPUTS, outputs, "the merged graph")
        features = features_of(outputs, 2 * len(chunk))
        couples = zip(features[0::2], features[1::2], strict=True)
        found += [matched(*couple, outputs, slot, threshold=0.0) for slot, couple in enumerate(couples)]
        tick(len(found))
    return found


class MergedChains:
    """Merged graphs in ONNX Runtime, and as an engine; `inputs` has their paths, as `matcher_exported` and so on.

    What was computed with the same bytes before is not computed again.
    """

    def __init__(self, task: Task, inputs: Mapping[str, Path]) -> None:
        self._task, self._inputs = task, inputs
        self._found: dict[str, list[Matched]] = {}

    def run(self, name: str) -> list[Matched]:
        """Return the matches of the artifact `name`, one for each pair.

        Raises:
            RequirementError: if this machine cannot run it, or running it here would prove nothing.
            GraphError: if a graph does not run or breaks its contract.
            BuildError: if an engine is not what its record says, or fails.
        """
        if name == "engine":
            with closing(EngineGraph(self._inputs["matcher_engine"], self._inputs["matcher_record"])) as engine:
                return self._matched(engine, name)
        path = self._inputs[f"matcher_{name}"]
        if (key := sha256_of(path)) not in self._found:
            self._found[key] = self._matched(OnnxGraph(path, provider_that_proves(path)), name)
        return self._found[key]

    def rehearse(self) -> list[Matched]:
        """Return the matches of the typed graph with every result rounded as hardware stores it.

        Raises:
            GraphError: if the graph does not run or breaks its contract.
        """
        with rounded_file(self._inputs["matcher_typed"]) as path:
            return self._matched(OnnxGraph(path), "rehearsed")

    def _matched(self, graph: Graph, name: str) -> list[Matched]:
        with progress(f"matching with the {name} graph", len(self._task.pairs), "pairs") as tick:
            return match_images(graph, self._task.pairs, self._task.shape[0], tick)
