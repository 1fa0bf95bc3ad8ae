from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from enginewright.config.sections import DataConfig
from enginewright.errors import DataError
from enginewright.images import Pair, load_pairs
from enginewright.matching.original import image_shape, original_matches
from enginewright.reference import Reference
from tests.matching.tiny_chain import HEIGHT, SHAPE, THRESHOLD, WIDTH, references

DATA = DataConfig(photographs=["astronaut", "coffee"])


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    return load_pairs(DATA, HEIGHT, WIDTH)


def in_batches(reference: Reference, batch: int) -> Reference:
    """Return the reference with `batch` samples in one, the last repeated, as a graph of that batch stores it."""

    def grouped(array: np.ndarray) -> np.ndarray:
        size = array.shape[1]
        fill = np.repeat(array[-1:], -len(array) % batch, axis=0)
        return np.concatenate([array, fill]).reshape(-1, batch * size, *array.shape[2:])

    rows = reference.inputs, reference.outputs
    inputs, outputs = ({name: grouped(array) for name, array in arrays.items()} for arrays in rows)
    return replace(reference, inputs=inputs, outputs=outputs, names=("joined",) * len(next(iter(inputs.values()))))


def test_shape_of_the_images_comes_from_the_reference(pairs: list[Pair]) -> None:
    assert image_shape(references(pairs)[0]) == SHAPE


def test_matches_are_read_in_pair_order(pairs: list[Pair]) -> None:
    extractor, matcher = references(pairs)
    found = original_matches(extractor, matcher, pairs, THRESHOLD)
    counts = (matcher.outputs["matches"] >= 0).sum(axis=(1, 2))
    assert [len(one) for one in found] == counts.tolist()
    assert (found[1].features1.descriptors == extractor.outputs["descriptors"][3, 0]).all()


@pytest.mark.parametrize("batch", [2, 4, 5])
def test_batches_are_taken_apart(pairs: list[Pair], batch: int) -> None:
    extractor, matcher = references(pairs)
    plain = original_matches(extractor, matcher, pairs, THRESHOLD)
    batched = original_matches(in_batches(extractor, batch), in_batches(matcher, batch), pairs, THRESHOLD)
    assert [one.indices.tolist() for one in batched] == [one.indices.tolist() for one in plain]


def test_scores_give_the_same_matches(pairs: list[Pair]) -> None:
    plain = original_matches(*references(pairs), pairs, THRESHOLD)
    scored = original_matches(*references(pairs, "scores"), pairs, THRESHOLD)
    assert [one.indices.tolist() for one in scored] == [one.indices.tolist() for one in plain]


def test_references_of_other_images_are_refused(pairs: list[Pair]) -> None:
    other = load_pairs(replace(DATA, seed=1), HEIGHT, WIDTH)
    with pytest.raises(DataError, match="other images than the pair astronaut"):
        original_matches(*references(pairs), other, THRESHOLD)


def test_references_of_the_same_images_in_another_order_are_refused(pairs: list[Pair]) -> None:
    with pytest.raises(DataError, match="other images"):
        original_matches(*references(pairs), pairs[::-1], THRESHOLD)


def test_references_of_fewer_pairs_are_refused(pairs: list[Pair]) -> None:
    extractor, matcher = references(pairs[:2])
    with pytest.raises(DataError, match="extractor's reference holds too few"):
        original_matches(extractor, matcher, pairs, THRESHOLD)
    with pytest.raises(DataError, match="matcher's reference holds too few"):
        original_matches(references(pairs)[0], matcher, pairs, THRESHOLD)


def test_references_that_hold_nan_images_are_refused(pairs: list[Pair]) -> None:
    extractor, matcher = references(pairs)
    extractor.inputs["image"][0, 0, 0, 0, 0] = np.nan
    with pytest.raises(DataError, match="other images"):
        original_matches(extractor, matcher, pairs, THRESHOLD)
