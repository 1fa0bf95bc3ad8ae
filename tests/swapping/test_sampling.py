"""Real samples at any shape: images resized, features of as many keypoints as the corner has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from enginewright.config.models import ExtractorModel, MatcherModel, NetworkModel
from enginewright.config.sections import DataConfig
from enginewright.contract import Contract, Kind, Port
from enginewright.contract.shapes import at, corners
from enginewright.errors import CheckpointError, ConfigError, NetworkError
from enginewright.images import load_pairs, to_input
from enginewright.matching.normalise import interleave, normalise_keypoints
from enginewright.swapping.sampling import FeatureSampler, ImageSampler, at_sizes, extractor_features, sampler_of
from networks.disk import DiskAdapter
from tests.models import disk_model
from tests.stages.tiny import TinyModel
from tests.stages.tiny_stage import checkpoint_of, contract_of, registered

DATA = DataConfig(stereo=False)
DISK = disk_model(height=64, width=96, keypoints=32)
MATCHER = MatcherModel(adapter="shallow", keypoints=32)


class DeafAdapter(DiskAdapter):
    """DISK that finds 32 keypoints whatever K it is asked for."""

    def module(self, model: ExtractorModel) -> nn.Module:
        return super().module(replace(DISK, adapter="deaf"))

    def contract(self, model: ExtractorModel) -> Contract:
        return super().contract(DISK)


@pytest.fixture(scope="module", autouse=True)
def _registered() -> Iterator[None]:
    with registered(deaf=DeafAdapter):
        yield


@pytest.fixture(scope="module")
def checkpoint(_registered: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoint_of(DISK, tmp_path_factory.mktemp("disk") / "checkpoint.safetensors")


def test_images_come_at_the_size_of_the_corner() -> None:
    corner = at(contract_of(DISK), {"batch": 3, "height": 48, "width": 112})
    inputs, names = ImageSampler(DATA).at(corner, most=1)
    assert inputs["image"].shape == (1, 3, 3, 48, 112)
    assert names == ("astronaut/0+astronaut/1+brick/0",)
    pairs = load_pairs(DATA, 48, 112)
    images = to_input([image for pair in pairs for image in pair.images], 3)
    np.testing.assert_array_equal(inputs["image"][0], images[:3])


def test_all_samples_come_where_no_limit_is_given() -> None:
    inputs, names = ImageSampler(DATA).at(contract_of(replace(DISK, batch=4)))
    assert inputs["image"].shape == (2, 4, 3, 64, 96)
    assert len(names) == 2


def test_a_batch_of_more_images_than_there_are_is_filled_up() -> None:
    one = replace(DATA, photographs=["brick"])
    inputs, names = ImageSampler(one).at(at(contract_of(DISK), {"batch": 5}), most=1)
    assert names == ("brick/0+brick/1",)
    assert inputs["image"].shape == (1, 5, 3, 64, 96)
    np.testing.assert_array_equal(inputs["image"][0, 4], inputs["image"][0, 1])


@pytest.mark.parametrize("keypoints", [8, 32, 100])
def test_features_have_the_k_of_the_corner_and_are_the_extractors(checkpoint: Path, keypoints: int) -> None:
    corner = at(contract_of(MATCHER), {"batch": 2, "keypoints": keypoints})
    inputs, names = FeatureSampler(DATA, DISK, checkpoint).at(corner, most=1)
    assert names == ("astronaut+brick",)
    assert {name: array.shape for name, array in inputs.items()} == {
        "keypoints": (1, 4, keypoints, 2),
        "descriptors": (1, 4, keypoints, 128),
    }
    pairs = load_pairs(DATA, 64, 96, 2)
    found = extractor_features(replace(DISK, keypoints=keypoints), checkpoint, pairs)
    wanted = normalise_keypoints(found["keypoints"], width=96, height=64)
    np.testing.assert_array_equal(inputs["keypoints"][0], interleave(wanted[0::2], wanted[1::2]))
    assert len(np.unique(inputs["descriptors"][0, 0], axis=0)) > keypoints // 2, "none is repeated to fill up"


def test_fewer_keypoints_are_the_strongest_of_more(checkpoint: Path) -> None:
    sampler = FeatureSampler(DATA, DISK, checkpoint)
    few, many = (sampler.at(at(contract_of(MATCHER), {"keypoints": count}), most=1).inputs for count in (8, 64))
    for name in ("keypoints", "descriptors"):
        np.testing.assert_allclose(few[name], many[name][:, :, :8], atol=1e-6)


def test_features_are_found_once_for_corners_of_the_same_k(checkpoint: Path) -> None:
    """A sampler whose weights are gone can still answer what it has found."""
    gone = checkpoint_of(DISK, checkpoint.with_name("gone.safetensors"))
    sampler, fresh = FeatureSampler(DATA, DISK, gone), FeatureSampler(DATA, DISK, checkpoint)
    shapes = [at(contract_of(MATCHER), {"batch": batch}) for batch in (2, 1)]
    sampler.at(shapes[0], most=1)
    gone.unlink()
    for shape in shapes:
        again, first = sampler.at(shape, most=1), fresh.at(shape, most=1)
        assert again.names == first.names
        for name, array in first.inputs.items():
            np.testing.assert_allclose(again.inputs[name], array, atol=1e-5)
    with pytest.raises(CheckpointError):
        sampler.at(shapes[0])


def test_more_pairs_than_there_are_is_all_of_them(checkpoint: Path) -> None:
    one = FeatureSampler(replace(DATA, photographs=["brick"]), DISK, checkpoint)
    inputs, names = one.at(at(contract_of(MATCHER), {"batch": 3}), most=1)
    assert names == ("brick",)
    np.testing.assert_array_equal(inputs["keypoints"][0, :2], inputs["keypoints"][0, 4:])


def test_keypoints_are_normalised_by_the_image_that_they_were_found_in(checkpoint: Path) -> None:
    inputs, _ = FeatureSampler(DATA, DISK, checkpoint).at(contract_of(MATCHER))
    pixels = inputs["keypoints"] * 48 + np.array([48, 32])
    assert np.abs(pixels - pixels.round()).max() < 1e-4, "DISK finds whole pixels"
    assert pixels[..., 0].max() > 64, "beyond the height"
    assert pixels.min() >= 0
    assert (pixels.max(axis=(0, 1, 2)) < [96, 64]).all()


def test_an_extractor_that_does_not_follow_k_is_refused(tmp_path: Path) -> None:
    deaf = replace(DISK, adapter="deaf")
    sampler = FeatureSampler(DATA, deaf, checkpoint_of(deaf, tmp_path / "deaf.safetensors"))
    with pytest.raises(NetworkError, match="does not find as many keypoints") as caught:
        sampler.at(at(contract_of(MATCHER), {"keypoints": 48}), most=1)
    assert (caught.value.expected, caught.value.got) == ("model.keypoints=48", 32)


def test_the_kind_decides_where_samples_come_from(checkpoint: Path) -> None:
    assert sampler_of(Kind.extractor, DISK, DATA, DISK, checkpoint) == ImageSampler(DATA)
    assert sampler_of(Kind.matcher, DISK, DATA, DISK, checkpoint) == FeatureSampler(DATA, DISK, checkpoint)
    with pytest.raises(ConfigError, match="has no samples"):
        sampler_of(Kind.network, DISK, DATA, DISK, checkpoint)


IDS = Port("ids", ("batch", "length"), ("batch",), "int32")
TEXT = Contract(Kind.network, (IDS,), (), {"batch": 2, "length": 8})


def text_model(**inputs: Any) -> NetworkModel:
    """Return the section of a network of tokens."""
    filled = {name: {"fill": "values", **row} for name, row in inputs.items()}
    return NetworkModel(adapter="text", samples=3, inputs=filled)


def test_any_other_network_is_run_on_what_its_section_says(checkpoint: Path) -> None:
    model = text_model(ids={"shape": [2, 8], "low": 5, "high": 9})
    sampler = sampler_of(Kind.network, model, DATA, DISK, checkpoint)
    samples = sampler.at(TEXT)
    assert samples.inputs["ids"].shape == (3, 2, 8)
    assert samples.inputs["ids"].dtype == np.int32
    assert {5, 8} <= set(samples.inputs["ids"].ravel()) <= {5, 6, 7, 8}
    assert len(samples.names) == 3
    assert np.array_equal(samples.inputs["ids"], sampler.at(TEXT).inputs["ids"]), "the same numbers every time"


def test_at_a_corner_the_contract_decides_the_shape(checkpoint: Path) -> None:
    sampler = sampler_of(Kind.network, text_model(ids={"shape": [2, 8]}), DATA, DISK, checkpoint)
    assert sampler.at(at(TEXT, {"batch": 5}), most=1).inputs["ids"].shape == (1, 5, 8)


@pytest.mark.parametrize("inputs", [{}, {"id": {"shape": [2, 8]}}, {"ids": {"shape": [2, 9]}}])
def test_inputs_that_are_not_the_contracts_are_refused(inputs: dict[str, Any], checkpoint: Path) -> None:
    sampler = sampler_of(Kind.network, text_model(**inputs), DATA, DISK, checkpoint)
    with pytest.raises(ConfigError, match=r"model\.inputs"):
        sampler.at(TEXT)


def test_a_section_takes_the_sizes_that_it_has_and_becomes_static() -> None:
    model = replace(DISK, ranges={"width": [64, 128]})
    assert at_sizes(model, {"width": 128, "batch": 2}) == replace(DISK, width=128, batch=2)
    tiny = TinyModel(ranges={"rows": [1, 9], "batch": [1, 2]})
    assert at_sizes(tiny, {"batch": 2, "images": 4}) == TinyModel(batch=2)
    with pytest.raises(ConfigError, match=r"a multiple of 16|does not fit"):
        at_sizes(model, {"width": 100})


def test_every_corner_has_its_sample() -> None:
    ranges = {"height": [48, 80], "width": [64, 96]}
    shapes = [
        ImageSampler(DATA).at(corner, most=1).inputs["image"].shape for corner in corners(contract_of(DISK), ranges)
    ]
    assert shapes == [(1, 1, 3, height, width) for height in (48, 80) for width in (64, 96)]
