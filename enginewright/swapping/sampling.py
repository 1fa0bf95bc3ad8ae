"""Real samples of a network at any of its shapes: images for an extractor, an extractor's features for a matcher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from sys import maxsize
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

import networks
from enginewright.config.filled_input import FilledInput
from enginewright.config.models import ModelConfig, NetworkModel
from enginewright.config.sections import DataConfig
from enginewright.contract import Contract, Kind
from enginewright.errors import ConfigError, NetworkError
from enginewright.filling import filled_samples, in_shapes_of
from enginewright.images.load import load_pairs
from enginewright.images.pair import Pair
from enginewright.reference import Arrays
from enginewright.samples import Float, Samples, extractor_samples, matcher_samples

M = TypeVar("M", bound=ModelConfig)


class Sampler(Protocol):
    """Where a network's samples come from."""

    def at(self, contract: Contract, most: int | None = None) -> Samples:
        """Return samples at the sizes of `contract`: those of all pairs, or the first `most`."""


@dataclass(frozen=True)
class ImageSampler:
    """The configured images, resized to what the contract says."""

    data: DataConfig

    def at(self, contract: Contract, most: int | None = None) -> Samples:
        """Return the images as `image` (S, B, C, H, W)."""
        sizes = contract.sizes
        limit = None if most is None else -(-most * sizes["batch"] // 2)
        pairs = load_pairs(self.data, sizes["height"], sizes["width"], limit)
        return _first(extractor_samples(pairs, sizes["channels"], sizes["batch"]), most)


class _Found(NamedTuple):
    """How many pairs were asked for, those that there are, and their features."""

    asked: int
    pairs: list[Pair]
    features: dict[str, Float]


@dataclass(frozen=True)
class FeatureSampler:
    """What an extractor finds in the configured images, at its static size, asked for as many keypoints as needed.

    A K above the extractor's own is a K that it was asked for: no keypoint is made up or repeated.
    """

    data: DataConfig
    extractor: ModelConfig
    checkpoint: Path
    _found: dict[int, _Found] = field(default_factory=dict, compare=False, repr=False)
    """What was found last, by K: there are corners that differ in their batch alone."""

    def at(self, contract: Contract, most: int | None = None) -> Samples:
        """Return features as `keypoints` (S, 2B, K, 2), normalised, and `descriptors` (S, 2B, K, D)."""
        batch, keypoints = contract.sizes["images"] // 2, contract.sizes["keypoints"]
        pairs, features = self._features(keypoints, maxsize if most is None else most * batch)
        return _first(matcher_samples(pairs, features["keypoints"], features["descriptors"], batch), most)

    def _features(self, keypoints: int, count: int) -> tuple[list[Pair], dict[str, Float]]:
        """Return the first `count` pairs, or all that there are, and their features."""
        if keypoints not in self._found or self._found[keypoints].asked < count:
            model = at_sizes(self.extractor, {"keypoints": keypoints})
            sizes = networks.load(model.adapter).contract(model).sizes
            pairs = load_pairs(self.data, sizes["height"], sizes["width"], count)
            features = extractor_features(model, self.checkpoint, pairs)
            _refuse_other_count(features["keypoints"], keypoints)
            self._found[keypoints] = _Found(count, pairs, features)
        found = self._found[keypoints]
        return found.pairs[:count], {name: array[: 2 * count] for name, array in found.features.items()}


@dataclass(frozen=True)
class FilledSampler:
    """What `model.inputs` says: images, random numbers, ones, or the user's own arrays."""

    data: DataConfig
    model: NetworkModel

    def at(self, contract: Contract, most: int | None = None) -> Samples:
        """Return each input filled as its configuration says, in the shape of `contract`."""
        fills = self.model.filled()
        names = [port.name for port in contract.inputs]
        if sorted(fills) != sorted(names):
            raise ConfigError(
                "model.inputs does not name the inputs of the contract",
                expected=names,
                got=sorted(fills) or "none",
                cure="give each its shape and what fills it: NAME: {shape: [...], fill: values}",
            )
        if most is None:
            _refuse_other_shapes(fills, contract)
        shaped = in_shapes_of(contract, fills)
        return filled_samples(contract.inputs, shaped, self.data, self.model.samples, most)


def sampler_of(kind: Kind, model: ModelConfig, data: DataConfig, extractor: ModelConfig, checkpoint: Path) -> Sampler:
    """Return where the samples of a network of this kind come from; `extractor`, with its checkpoint, is what feeds it.

    Raises:
        ConfigError: for a network that is neither extractor nor matcher and whose section has no `inputs`.
    """
    if kind is Kind.extractor:
        return ImageSampler(data)
    if kind is Kind.matcher:
        return FeatureSampler(data, extractor, checkpoint)
    if isinstance(model, NetworkModel):
        return FilledSampler(data, model)
    raise ConfigError("the network has no samples", expected="model.kind=network, with inputs", got=model.kind.name)


def at_sizes(model: M, sizes: dict[str, int]) -> M:
    """Return the `model` section of a static network of other sizes, as far as the section has them.

    Raises:
        ConfigError: if the network does not take them.
    """
    known = {item.name for item in fields(model)}
    changed: dict[str, Any] = {axis: size for axis, size in sizes.items() if axis in known}
    return replace(model, ranges={}, **changed)


def extractor_features(model: ModelConfig, checkpoint: Path, pairs: Sequence[Pair]) -> dict[str, Float]:
    """Return `keypoints` (2N, K, 2), pixels, and `descriptors` (2N, K, D) of the images of N pairs."""
    from enginewright.swapping.run_module import loaded, run_module

    contract = networks.load(model.adapter).contract(model)
    samples = extractor_samples(pairs, contract.sizes["channels"], contract.sizes["batch"])
    outputs = run_module(loaded(model, checkpoint), samples.inputs, contract)
    rows = {name: outputs[name].astype(np.float32, copy=False) for name in ("keypoints", "descriptors")}
    return {name: array.reshape(-1, *array.shape[2:])[: 2 * len(pairs)] for name, array in rows.items()}


def _first(samples: Samples, most: int | None) -> Samples:
    inputs: Arrays = {name: array[:most] for name, array in samples.inputs.items()}
    return Samples(inputs, samples.names[:most])


def _refuse_other_shapes(fills: Mapping[str, FilledInput], contract: Contract) -> None:
    wanted = {port.name: list(contract.shape(port)) for port in contract.inputs}
    found = {name: list(fills[name].shape) for name in wanted}
    if found != wanted:
        raise ConfigError(
            "model.inputs has other shapes than the adapter's contract",
            expected=wanted,
            got=found,
            cure="give each input the shape of the contract",
        )


def _refuse_other_count(keypoints: Float, wanted: int) -> None:
    if keypoints.shape[1] != wanted:
        raise NetworkError(
            "the extractor does not find as many keypoints as it is asked for",
            expected=f"model.keypoints={wanted}",
            got=keypoints.shape[1],
            cure="let its adapter take K from model.keypoints, or leave keypoints out of the matcher's model.ranges",
        )
