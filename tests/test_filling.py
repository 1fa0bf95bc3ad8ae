"""Samples: images, random numbers, ones, the user's own."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from enginewright.config.filled_input import FilledInput
from enginewright.config.sections import DataConfig
from enginewright.config.typed import typed
from enginewright.contract import Port
from enginewright.errors import ConfigError, DataError
from enginewright.filling import filled_samples
from enginewright.samples import Samples

DATA = DataConfig(stereo=False, photographs=["brick", "coffee"])
"""Two pairs: four images."""


def made(
    port: Port | dict[str, Port], data: DataConfig = DATA, count: int = 3, most: int | None = None, **given: Any
) -> Samples:
    """Return samples of one input, described by keywords."""
    assert isinstance(port, Port)
    inputs = {port.name: typed(FilledInput, given, "model.inputs.x")}
    return filled_samples([port], inputs, data, count, most)


def port(dtype: str = "float32", name: str = "x", rank: int = 4) -> Port:
    return Port(name, tuple(f"{name}[{index}]" for index in range(rank)), dtype=dtype)


@pytest.mark.parametrize("channels", [1, 3])
def test_images_come_resized_in_the_range_asked_for(channels: int) -> None:
    samples = made(port(), shape=[1, channels, 24, 32], fill="image", low=-1.0, high=1.0)
    images = samples.inputs["x"]
    assert images.shape == (4, 1, channels, 24, 32)
    assert images.dtype == np.float32
    assert -1 <= images.min() < -0.5 < 0.3 < images.max() <= 1
    assert samples.names == ("brick/0", "brick/1", "coffee/0", "coffee/1")


def test_channels_last_are_the_same_pixels() -> None:
    first = made(port(), shape=[1, 3, 24, 32], fill="image").inputs["x"]
    last = made(port(), shape=[1, 24, 32, 3], fill="image", channels="last").inputs["x"]
    np.testing.assert_array_equal(first.transpose(0, 1, 3, 4, 2), last)


def test_bytes_are_rounded() -> None:
    images = made(port("uint8"), shape=[1, 3, 24, 32], fill="image", high=255.0).inputs["x"]
    assert images.dtype == np.uint8
    assert len(np.unique(images)) > 100


def test_a_batch_of_images_is_filled_up() -> None:
    samples = made(port(), shape=[3, 1, 24, 32], fill="image")
    assert samples.inputs["x"].shape == (2, 3, 1, 24, 32)
    assert samples.names == ("brick/0+brick/1+coffee/0", "coffee/1")


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_the_first_sample_alone_is_the_first_of_all(batch: int) -> None:
    shape = [batch, 1, 24, 32]
    every, one = (made(port(), shape=shape, fill="image", most=most) for most in (None, 1))
    np.testing.assert_array_equal(one.inputs["x"], every.inputs["x"][:1])
    assert one.names == every.names[:1]


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_whole_numbers_lie_from_low_up_to_but_without_high(dtype: str) -> None:
    found = made(port(dtype, rank=2), shape=[2, 500], fill="values", low=3, high=7).inputs["x"]
    assert found.dtype == np.dtype(dtype)
    assert set(np.unique(found)) == {3, 4, 5, 6}


def test_real_numbers_fill_their_range() -> None:
    found = made(port(rank=2), shape=[2, 500], fill="values", low=-2.0, high=3.0).inputs["x"]
    assert found.shape == (3, 2, 500)
    assert found.dtype == np.float32
    assert -2 <= found.min() < -1.9 < 2.9 < found.max() < 3


def test_truth_values_are_both() -> None:
    found = made(port("bool", rank=1), shape=[64], fill="values").inputs["x"]
    assert found.dtype == np.bool_
    assert 0 < found.mean() < 1


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
def test_ones_are_ones(dtype: str) -> None:
    found = made(port(dtype, rank=2), shape=[2, 3], fill="ones").inputs["x"]
    assert (found == 1).all()
    assert found.dtype == np.dtype(dtype)


def test_random_numbers_follow_from_the_seed_and_the_name() -> None:
    given: dict[str, Any] = {"shape": [2, 8], "fill": "values"}
    same = made(port(rank=2), **given).inputs["x"]
    np.testing.assert_array_equal(same, made(port(rank=2), **given).inputs["x"])
    other = made(port(rank=2), DataConfig(seed=1, stereo=False, photographs=["brick"]), **given).inputs["x"]
    named = made(port(name="z", rank=2), **given).inputs["z"]
    assert not np.array_equal(same, other)
    assert not np.array_equal(same, named)


def stored(folder: Path, **arrays: Any) -> dict[str, Any]:
    path = folder / "own.npz"
    np.savez(path, **arrays)
    return {"fill": "file", "path": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def test_ones_own_samples_are_taken_as_they_are(tmp_path: Path) -> None:
    array = np.arange(10, dtype=np.float32).reshape(5, 1, 2)
    samples = made(port(rank=2), shape=[1, 2], **stored(tmp_path, x=array))
    np.testing.assert_array_equal(samples.inputs["x"], array)
    assert samples.names == tuple(f"own/{index}" for index in range(5))


@pytest.mark.parametrize(
    "arrays",
    [
        {"z": np.ones((5, 1, 2), np.float32)},
        {"x": np.ones((5, 1, 3), np.float32)},
        {"x": np.ones((1, 2), np.float32)},
        {"x": np.ones((5, 1, 2))},
        {"x": np.ones((0, 1, 2), np.float32)},
    ],
    ids=["other name", "other size", "one sample too shallow", "other type", "no sample"],
)
def test_samples_that_do_not_fit_are_refused(tmp_path: Path, arrays: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="does not hold samples of the input x") as caught:
        made(port(rank=2), shape=[1, 2], **stored(tmp_path, **arrays))
    assert "float32, (S, 1, 2)" in str(caught.value.expected)


def test_a_file_with_another_digest_is_refused(tmp_path: Path) -> None:
    given = stored(tmp_path, x=np.ones((5, 1, 2), np.float32)) | {"sha256": "0" * 64}
    with pytest.raises(DataError, match="is another file"):
        made(port(rank=2), shape=[1, 2], **given)


def test_pickles_and_other_files_are_refused(tmp_path: Path) -> None:
    pickled = stored(tmp_path, x=np.array([{"a": 1}], dtype=object))
    with pytest.raises(DataError, match="cannot be read"):
        made(port(rank=2), shape=[1, 2], **pickled)
    (tmp_path / "own.npz").write_bytes(b"not a zip archive")
    digest = hashlib.sha256(b"not a zip archive").hexdigest()
    with pytest.raises(DataError, match="cannot be read"):
        made(port(rank=2), shape=[1, 2], **(pickled | {"sha256": digest}))
    with pytest.raises(DataError, match="cannot be read"):
        made(port(rank=2), shape=[1, 2], **(pickled | {"path": str(tmp_path / "missing.npz")}))


def two(first: dict[str, Any], second: dict[str, Any], most: int | None = None) -> Samples:
    inputs = {"x": typed(FilledInput, first, "x"), "mask": typed(FilledInput, second, "mask")}
    return filled_samples([port(), port("int64", "mask", 2)], inputs, DATA, 3, most)


def test_there_are_as_many_random_samples_as_images() -> None:
    samples = two({"shape": [1, 3, 24, 32], "fill": "image"}, {"shape": [1, 8], "fill": "ones"})
    assert {name: len(array) for name, array in samples.inputs.items()} == {"x": 4, "mask": 4}


def test_different_numbers_of_samples_are_refused_but_not_where_one_is_enough(tmp_path: Path) -> None:
    own = stored(tmp_path, mask=np.ones((7, 1, 8), np.int64)) | {"shape": [1, 8]}
    image = {"shape": [1, 3, 24, 32], "fill": "image"}
    with pytest.raises(ConfigError, match="different numbers of samples") as caught:
        two(image, own)
    assert caught.value.got == {"x": 4, "mask": 7}
    assert len(two(image, own, most=1).names) == 1
