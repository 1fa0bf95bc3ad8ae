"""Match real image pairs with every artifact of an extractor and its matcher, beside the original network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from enginewright.artifacts import write_folder, write_json
from enginewright.config.choices import Gate
from enginewright.config.models import ModelConfig
from enginewright.config.sections import DataConfig, MatchConfig
from enginewright.errors import CompareError
from enginewright.graphs.types import reduced_precision
from enginewright.images import load_pairs
from enginewright.matching.features import Matched
from enginewright.matching.measure import compare
from enginewright.matching.merged import MergedChains
from enginewright.matching.original import image_shape, original_matches
from enginewright.matching.proof import Outcome, Task, prove
from enginewright.matching.runs import OnnxChains, engine_chain
from enginewright.reference import load_reference
from enginewright.stage import Stage, enter
from enginewright.verdicts import State, Verdict, worst

SECTIONS = ("model", "match", "data")

GRAPHS = ("exported", "simplified", "typed")
"""The artifacts that ONNX Runtime runs, in the order of the pipeline."""

REHEARSED = "rehearsed"
"""The typed graphs once more, on a CPU with every result rounded as hardware stores it, where they are reduced."""


def task_of(inputs: Mapping[str, Path], data: DataConfig, limits: MatchConfig, threshold: float) -> Task:
    """Return the pairs, and what the original makes of them, from `extractor_reference` and `matcher_reference`.

    Raises:
        DataError: if the pairs cannot be used, or the references were made on others.
    """
    extractor = load_reference(inputs["extractor_reference"])
    shape = image_shape(extractor)
    pairs = load_pairs(data, *shape[1:])
    original = original_matches(extractor, load_reference(inputs["matcher_reference"]), pairs, threshold)
    return Task(pairs, original, shape, threshold, limits)


def run(task: Task, inputs: Mapping[str, Path]) -> dict[str, Outcome]:
    """Return the outcome of each artifact, graphs and engines.

    inputs: the artifacts of both networks, as `extractor_exported`, `matcher_exported` and so on: of a merged graph,
    which is both, they are the same.

    Raises:
        RequirementError: where hardware is missing and `REQUIRE_GPU=1` forbids `not_run`.
    """
    chains = _chains(task, inputs)
    if not any(reduced_precision(path) for path in _both(inputs, "typed")):
        del chains[REHEARSED]
    return {name: prove(task, chain) for name, chain in chains.items()}


def _chains(task: Task, inputs: Mapping[str, Path]) -> dict[str, Callable[[], Sequence[Matched]]]:
    """Return what makes the matches of each artifact, and those of the typed graphs' rehearsal."""
    if inputs["extractor_exported"] == inputs["matcher_exported"]:
        merged = MergedChains(task, inputs)
        runs = {name: partial(merged.run, name) for name in (*GRAPHS, "engine")}
        return {**runs, REHEARSED: merged.rehearse}
    chains = OnnxChains(task)
    found = {name: partial(chains.run, name, *_both(inputs, name)) for name in GRAPHS}
    engines = zip(_both(inputs, "engine"), _both(inputs, "record"), strict=True)
    rehearsal = partial(chains.rehearse, *_both(inputs, "typed"))
    return {**found, REHEARSED: rehearsal, "engine": partial(engine_chain, task, *engines)}


def _both(inputs: Mapping[str, Path], artifact: str) -> tuple[Path, Path]:
    return inputs[f"extractor_{artifact}"], inputs[f"matcher_{artifact}"]


def metrics_of(task: Task, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    """Return match.json: the original's own numbers, an entry for each artifact, and the verdict on all."""
    entries = {name: outcome.as_metrics() for name, outcome in outcomes.items()}
    return {"original": task.original_metrics(), **entries, **_overall(outcomes).as_metrics()}


def _overall(outcomes: Mapping[str, Outcome]) -> Verdict:
    named = ((name, outcome.verdict) for name, outcome in outcomes.items())
    return worst(
        Verdict(verdict.state, f"{name}: {verdict.reason}" if verdict.reason else "") for name, verdict in named
    )


def pictures_of(task: Task, outcomes: Mapping[str, Outcome]) -> Iterable[tuple[str, bytes]]:
    """Yield (file name, PNG) of the first pairs: the original above the first artifact that failed, or else the last.

    The count comes from `match.pictures`.
    """
    from enginewright.plots.matches import match_picture

    ran = {name: outcome for name, outcome in outcomes.items() if outcome.matched}
    failing = (name for name, outcome in ran.items() if outcome.verdict.state is State.failed)
    shown = next(failing, next(reversed(ran), None))
    for number, pair in enumerate(task.pairs[: task.limits.pictures]):
        rows = {f"original: {len(task.original[number])} matches": task.original[number]}
        if shown is not None:
            matched = ran[shown].matched[number]
            common = compare(pair, task.original[number], matched).common
            rows[f"{shown}: {len(matched)} matches, {common} in common with the original"] = matched
        yield f"{pair.name}.png", match_picture(pair, rows)


def refuse_failure(metrics: Mapping[str, Any], network: str) -> None:
    """Stop the build if an artifact failed.

    Raises:
        CompareError: with the verdict's reason.
    """
    if metrics["verdict"] == State.failed.value:
        raise CompareError(
            f"{network} does not match as the original does",
            expected="what the limits of the match section allow",
            got=metrics["reason"],
            cure="correct the artifact, widen a limit in conf/match, or only record with match=report",
        )


def main(stage: Stage) -> None:
    """Write pictures and metrics first, so that a refusal can be looked into."""
    limits, model = stage.section(MatchConfig), stage.section(ModelConfig)
    threshold = float(getattr(model, "filter_threshold", model.options.get("filter_threshold", 0.0)))
    task = task_of(stage.inputs, stage.section(DataConfig), limits, threshold)
    outcomes = run(task, stage.inputs)
    metrics = metrics_of(task, outcomes)
    write_folder(stage.outputs["pictures"], pictures_of(task, outcomes))
    write_json(stage.outputs["metrics"], metrics)
    if limits.gate is Gate.strict:
        refuse_failure(metrics, stage.network)


if __name__ == "__main__":
    enter(main, SECTIONS)
