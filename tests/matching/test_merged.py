"""A merged graph matches pairs as extractor and matcher do one after the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from enginewright.config.sections import DataConfig, MatchConfig
from enginewright.contract import Contract, Kind, Port
from enginewright.contract.kinds import matcher_contract
from enginewright.engine.gpu import find_gpu
from enginewright.errors import GraphError
from enginewright.images import Pair, load_pairs
from enginewright.matching.graph import OnnxGraph
from enginewright.matching.merged import match_images
from enginewright.merging.contract import merged_contract
from enginewright.merging.graph import merged_graph
from enginewright.reference import save_reference
from stages.match import GRAPHS, metrics_of, run, task_of
from tests.matching.tiny_chain import (
    CELL,
    HEIGHT,
    KEYPOINTS,
    THRESHOLD,
    WIDTH,
    Flaw,
    engine_of,
    extractor_graph,
    matcher_graph,
    references,
)

DATA = DataConfig(photographs=["astronaut", "coffee"])
DEPTH = 3 * CELL * CELL
FLAWLESS = Flaw()


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    """Return three pairs."""
    return load_pairs(DATA, HEIGHT, WIDTH)


def merged(folder: Path, batch: int, flaw: Flaw = FLAWLESS) -> Path:
    """Write a merged graph for `batch` pairs."""
    slots = ("batch", "keypoints")
    extractor = Contract(
        Kind.extractor,
        (Port("image", ("batch", "channels", "height", "width")),),
        (Port("keypoints", (*slots, "xy")), Port("scores", slots), Port("descriptors", (*slots, "dimension"))),
        {"batch": 2 * batch, "channels": 3, "height": HEIGHT, "width": WIDTH, "keypoints": KEYPOINTS, "xy": 2}
        | {"dimension": DEPTH},
    )
    contract = merged_contract(extractor, matcher_contract(batch=batch, keypoints=KEYPOINTS, dimension=DEPTH))
    parts = extractor_graph(folder / "e.onnx", 2 * batch, flaw), matcher_graph(folder / "m.onnx", batch)
    onnx.save(merged_graph(onnx.load(parts[0]), onnx.load(parts[1]), contract), folder / "merged.onnx")
    return folder / "merged.onnx"


@pytest.mark.parametrize("batch", [1, 2, 4])
def test_every_pair_is_matched_as_the_original_does(tmp_path: Path, pairs: list[Pair], batch: int) -> None:
    """Three pairs in batches of 2 or 4 leave a last batch that is filled up; the fillers must not come out."""
    done: list[float] = []
    found = match_images(OnnxGraph(merged(tmp_path, batch)), pairs, 3, done.append)
    original = references(pairs)[1].outputs["matches"].reshape(len(pairs), KEYPOINTS)
    assert len(found) == len(pairs) == done[-1]
    for one, partners in zip(found, original, strict=True):
        kept = np.flatnonzero(partners >= 0)
        assert one.indices.tolist() == np.stack([kept, partners[kept]], axis=1).tolist()
    assert sum(map(len, found)) > 20


def test_a_graph_without_its_matches_is_refused(tmp_path: Path, pairs: list[Pair]) -> None:
    graph = OnnxGraph(extractor_graph(tmp_path / "e.onnx", 2))
    with pytest.raises(GraphError, match="matches"):
        match_images(graph, pairs, 3)


@pytest.fixture
def inputs(tmp_path: Path, pairs: list[Pair]) -> dict[str, Path]:
    """Return what the match stage reads for a merged graph."""
    graph = merged(tmp_path, 1)
    found = {f"{side}_{name}": graph for side in ("extractor", "matcher") for name in GRAPHS}
    found["matcher_engine"], found["matcher_record"] = engine_of(graph)
    for side, reference in zip(("extractor", "matcher"), references(pairs), strict=True):
        found[f"{side}_reference"] = tmp_path / f"{side}.npz"
        save_reference(found[f"{side}_reference"], reference)
    return found


def test_the_stage_judges_a_merged_graph_by_its_matches(inputs: dict[str, Path]) -> None:
    task = task_of(inputs, DATA, MatchConfig(), THRESHOLD)
    metrics = metrics_of(task, run(task, inputs))
    for name in GRAPHS:
        assert metrics[name]["verdict"] == "passed"
        assert metrics[name]["common"] == metrics[name]["matches"] == metrics["original"]["matches"] > 20
        assert "descriptor_cosine_min" not in metrics[name], "a merged graph has no descriptors to show"
    assert metrics["engine"]["verdict"] == ("not_run" if find_gpu() is None else "passed")


def test_a_flawed_one_fails(inputs: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "flawed").mkdir()
    flawed = inputs | {"matcher_typed": merged(tmp_path / "flawed", 1, Flaw(shift=2.0))}
    task = task_of(flawed, DATA, MatchConfig(), THRESHOLD)
    metrics = metrics_of(task, run(task, flawed))
    assert [metrics[name]["verdict"] for name in GRAPHS] == ["passed", "passed", "failed"]
    assert "keypoints have no counterpart" in metrics["typed"]["reason"]
