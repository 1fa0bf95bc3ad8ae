"""The original network's features and matches, from the two references."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enginewright.errors import DataError
from enginewright.images import Pair, to_input
from enginewright.matching.features import Arrays, Matched, features_of, matched
from enginewright.reference import Reference

_HALF_A_GREY_LEVEL = 0.5 / 255


def image_shape(extractor: Reference) -> tuple[int, int, int]:
    """Return (channels, height, width) of the images that an extractor's reference was made on."""
    channels, height, width = extractor.inputs["image"].shape[-3:]
    return channels, height, width


def original_matches(
    extractor: Reference, matcher: Reference, pairs: Sequence[Pair], threshold: float
) -> list[Matched]:
    """Return the original's matches of each pair.

    Raises:
        DataError: if the references were made on other pairs, or on fewer.
    """
    _check_images(_flat(extractor.inputs)["image"], pairs)
    features = features_of(_flat(extractor.outputs), 2 * len(pairs))
    outputs = _flat(matcher.outputs)
    _check_count(min(len(array) for array in outputs.values()), len(pairs), "the matcher's reference")
    return [matched(features[2 * slot], features[2 * slot + 1], outputs, slot, threshold) for slot in range(len(pairs))]


def _flat(arrays: Arrays) -> dict[str, NDArray[Any]]:
    """Return arrays of (S, B, ...) as (S * B, ...): samples of a batch one after the other."""
    return {name: array.reshape(-1, *array.shape[2:]) for name, array in arrays.items()}


def _check_images(stored: NDArray[Any], pairs: Sequence[Pair]) -> None:
    _check_count(len(stored), 2 * len(pairs), "the extractor's reference")
    for index, pair in enumerate(pairs):
        images = to_input(pair.images, stored.shape[1])
        difference = np.abs(images - stored[2 * index : 2 * index + 2].astype(np.float32)).mean()
        if not difference < _HALF_A_GREY_LEVEL:
            raise DataError(
                f"the reference was made on other images than the pair {pair.name}",
                expected="the images of the data section, in order",
                got=f"a mean difference of {difference * 255:.3g} grey levels",
                cure="dvc repro makes the reference again from the present data",
            )


def _check_count(found: int, needed: int, what: str) -> None:
    if found < needed:
        raise DataError(
            f"{what} holds too few samples", expected=f"{needed} or more", got=found, cure="dvc repro makes it again"
        )
