from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from enginewright.config.sections import DataConfig
from enginewright.errors import GraphError
from enginewright.images import Pair, load_pairs, to_input
from enginewright.matching.chain import extract, match
from enginewright.matching.graph import OnnxGraph
from tests.matching.tiny_chain import (
    HEIGHT,
    KEYPOINTS,
    SHAPE,
    THRESHOLD,
    WIDTH,
    cells,
    describe,
    extractor_graph,
    matcher_graph,
    references,
)

SIZE = SHAPE[1:]


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    return load_pairs(DataConfig(photographs=["astronaut", "coffee"]), HEIGHT, WIDTH)


@pytest.mark.parametrize("batch", [1, 2, 4, 5, "batch"])
def test_every_image_is_extracted_whatever_the_batch(tmp_path: Path, pairs: list[Pair], batch: int | str) -> None:
    """Six images in batches of 4 or 5 leave a last batch that is filled up; the fillers must not come out."""
    done: list[float] = []
    features = extract(OnnxGraph(extractor_graph(tmp_path / "e.onnx", batch)), pairs, 3, done.append)
    expected = describe(to_input([image for pair in pairs for image in pair.images], 3))
    assert len(features) == 6
    assert np.allclose(np.stack([one.descriptors for one in features]), expected, atol=1e-5)
    assert all((one.keypoints == cells()).all() and one.valid.all() for one in features)
    assert done[-1] == 6


@pytest.mark.parametrize("batch", [1, 2, 3, 4])
@pytest.mark.parametrize("output", ["matches", "scores"])
def test_matches_are_those_of_the_original(tmp_path: Path, pairs: list[Pair], batch: int, output: str) -> None:
    """The numpy original normalises and interleaves by itself; a wrong scale or order changes what it matches."""
    features = extract(OnnxGraph(extractor_graph(tmp_path / "e.onnx")), pairs, 3)
    done: list[float] = []
    found = match(OnnxGraph(matcher_graph(tmp_path / "m.onnx", batch, output)), features, SIZE, THRESHOLD, done.append)
    original = references(pairs)[1].outputs["matches"].reshape(len(pairs), KEYPOINTS)
    assert len(found) == len(pairs)
    for one, partners in zip(found, original, strict=True):
        kept = np.flatnonzero(partners >= 0)
        assert one.indices.tolist() == np.stack([kept, partners[kept]], axis=1).tolist()
        assert (one.confidence > THRESHOLD).all()
    assert sum(map(len, found)) > 20
    assert done[-1] == len(pairs)


def test_keypoints_of_a_wrong_image_size_change_the_matches(tmp_path: Path, pairs: list[Pair]) -> None:
    """Shows that the previous test could fail: normalised for an image four times as large, all cells are near."""
    features = extract(OnnxGraph(extractor_graph(tmp_path / "e.onnx")), pairs, 3)
    graph = OnnxGraph(matcher_graph(tmp_path / "m.onnx"))
    right = match(graph, features, SIZE, THRESHOLD)
    wrong = match(graph, features, (4 * HEIGHT, 4 * WIDTH), THRESHOLD)
    assert any(len(one) != len(other) for one, other in zip(right, wrong, strict=True))


def test_graphs_that_break_their_contract_are_named(tmp_path: Path, pairs: list[Pair]) -> None:
    extractor = OnnxGraph(extractor_graph(tmp_path / "e.onnx"))
    matcher = OnnxGraph(matcher_graph(tmp_path / "m.onnx"))
    with pytest.raises(GraphError, match="image is missing"):
        extract(matcher, pairs, 3)
    with pytest.raises(GraphError, match="keypoints is missing"):
        match(extractor, extract(extractor, pairs, 3), SIZE, THRESHOLD)
