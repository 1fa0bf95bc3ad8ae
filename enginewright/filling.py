"""Samples by configuration: the data's images, random numbers, ones, or the user's own arrays."""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enginewright.config.filled_input import Channels, Fill, FilledInput
from enginewright.config.sections import DataConfig
from enginewright.contract import Contract, Port
from enginewright.errors import ConfigError, DataError
from enginewright.images.load import load_pairs
from enginewright.images.tensor import to_input
from enginewright.input_file import read_input
from enginewright.reference import Arrays, read_arrays
from enginewright.samples import Samples, batched, grouped_names

Array = NDArray[Any]


def in_shapes_of(contract: Contract, inputs: Mapping[str, FilledInput]) -> dict[str, FilledInput]:
    """Return what fills each input of the contract, in the contract's shape: at a corner it is another one."""
    return {port.name: replace(inputs[port.name], shape=list(contract.shape(port))) for port in contract.inputs}


def filled_samples(
    ports: Sequence[Port], inputs: Mapping[str, FilledInput], data: DataConfig, count: int, most: int | None = None
) -> Samples:
    """Return S samples: as many as there are images or arrays in files, `count` where there are neither.

    most: the first so many of them. Random numbers follow from `data.seed` and the input's name: the same every time.

    Raises:
        DataError: if an image or a file cannot be used.
        ConfigError: if two inputs have different numbers of samples.
    """
    found: dict[str, Samples] = {}
    for port in ports:
        given = inputs[port.name]
        if given.fill is Fill.image:
            found[port.name] = _images(port, given, data, most)
        elif given.fill is Fill.file:
            found[port.name] = _stored(port, given, most)
    names = _names(found, count)[:most]
    arrays: Arrays = {name: given.inputs[name][:most] for name, given in found.items()}
    arrays |= {
        port.name: _made(port, inputs[port.name], data.seed, len(names)) for port in ports if port.name not in found
    }
    return Samples(arrays, names)


def _names(found: Mapping[str, Samples], count: int) -> tuple[str, ...]:
    if len({len(samples.names) for samples in found.values()}) > 1:
        raise ConfigError(
            "the inputs have different numbers of samples",
            expected="as many of each",
            got={name: len(samples.names) for name, samples in found.items()},
            cure="make the .npz files as long as each other, and as the data has images",
        )
    made = tuple(f"random/{index}" for index in range(count))
    return next((samples.names for samples in found.values()), made)


def _images(port: Port, given: FilledInput, data: DataConfig, most: int | None) -> Samples:
    """Return the images of all pairs, or as many as `most` samples need: black as `low` and white as `high`."""
    channels, height, width = given.image_size
    pairs = load_pairs(data, height, width, None if most is None else -(-most * given.shape[0] // 2))
    pixels = to_input([image for pair in pairs for image in pair.images], channels)
    pixels = np.float32(given.low) + pixels * np.float32(given.high - given.low)
    if given.channels is Channels.last:
        pixels = np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))
    names = [f"{pair.name}/{side}" for pair in pairs for side in (0, 1)]
    samples = _typed(batched(pixels, given.shape[0]), port.dtype)
    return Samples({port.name: samples[:most]}, grouped_names(names, given.shape[0])[:most])


def _typed(array: Array, dtype: str) -> Array:
    return array.astype(dtype) if np.dtype(dtype).kind == "f" else np.rint(array).astype(dtype)


def _made(port: Port, given: FilledInput, seed: int, count: int) -> Array:
    """Return ones, or random numbers from `low` up to but without `high`: integers for an integer input."""
    shape, dtype = (count, *given.shape), np.dtype(port.dtype)
    if given.fill is Fill.ones:
        return np.ones(shape, dtype)
    random = np.random.default_rng([seed, zlib.crc32(port.name.encode())])
    if dtype.kind == "b":
        return random.integers(0, 2, shape).astype(dtype)
    if dtype.kind in "iu":
        return random.integers(round(given.low), max(round(given.low) + 1, round(given.high)), shape).astype(dtype)
    return random.uniform(given.low, given.high, shape).astype(dtype)


def _stored(port: Port, given: FilledInput, most: int | None) -> Samples:
    """Return the array of the input's name in its .npz, (S, *shape), or the first `most` of it."""
    arrays = _read(Path(str(given.path)), str(given.sha256))
    array = arrays.get(port.name)
    if array is None or array.dtype != np.dtype(port.dtype) or array.shape[1:] != tuple(given.shape) or not len(array):
        raise DataError(
            f"{given.path} does not hold samples of the input {port.name}",
            expected=f"an array {port.name} of {port.dtype}, (S, {', '.join(map(str, given.shape))})",
            got={name: f"{found.dtype} {found.shape}" for name, found in arrays.items()},
            cure="write it with numpy.savez",
        )
    names = tuple(f"{Path(str(given.path)).stem}/{index}" for index in range(len(array)))
    return Samples({port.name: array[:most]}, names[:most])


def _read(path: Path, sha256: str) -> Arrays:
    try:
        data = read_input(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}", expected="an .npz without pickles") from error
    if (found := hashlib.sha256(data).hexdigest()) != sha256:
        raise DataError(f"{path} is another file", expected=f"sha256 {sha256}", got=found, cure=f"sha256sum {path}")
    try:
        return read_arrays(io.BytesIO(data))
    except Exception as error:  # zip, its codecs and numpy raise of many kinds
        raise DataError(
            f"{path} cannot be read: {error}", expected="an .npz without pickles", cure="numpy.savez"
        ) from error
