"""The sizes of each network: what fits, both ends of every range, and what the message offers instead."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enginewright.config.choices import MatcherOutput, ModelKind
from enginewright.config.models import (
    MAX_KEYPOINTS,
    MODELS,
    ExtractorModel,
    MatcherModel,
    ModelConfig,
    NetworkModel,
    model_class,
)
from enginewright.config.typed import typed
from enginewright.errors import ConfigError
from tests.models import disk_model, lightglue_model


def refused(cls: type[ModelConfig], **values: Any) -> str:
    """Return the refusal of a model's values."""
    with pytest.raises(ConfigError) as caught:
        cls(**values)
    return str(caught.value)


def test_the_defaults_are_the_sizes_that_the_networks_are_proven_at() -> None:
    disk, matcher = disk_model(), lightglue_model()
    assert (disk.height, disk.width, disk.keypoints, disk.window) == (512, 512, 1024, 5)
    assert (matcher.keypoints, matcher.input_dim, matcher.output) == (1024, 128, MatcherOutput.matches)


@pytest.mark.parametrize("batch", [1, 256])
def test_both_ends_of_the_batch(batch: int) -> None:
    assert ModelConfig("any", batch=batch).batch == batch


@pytest.mark.parametrize("batch", [0, 257])
def test_a_batch_outside(batch: int) -> None:
    assert "1 to 256" in refused(ModelConfig, adapter="any", batch=batch)


def test_ranges_are_checked_axis_by_axis() -> None:
    ModelConfig("any", ranges={"batch": [1, 4], "height": [256, 512]})
    text = refused(ModelConfig, adapter="any", ranges={"batch": [1, 4], "height": [512, 256]})
    assert "model.ranges.height is no range" in text


@pytest.mark.parametrize("side", ["height", "width"])
@pytest.mark.parametrize(("value", "nearest"), [(500, 496), (8, 16), (0, 16), (513, 512)])
def test_sides_are_multiples_of_16(side: str, value: int, nearest: int) -> None:
    assert f"set model.{side}={nearest}" in refused(ExtractorModel, adapter="disk", multiple=16, **{side: value})


@pytest.mark.parametrize("window", [1, 4, 65])
def test_a_window_without_a_centre_or_out_of_range(window: int) -> None:
    assert "model.window" in refused(ExtractorModel, adapter="any", window=window)


def test_k_ends_where_topk_does() -> None:
    assert disk_model(keypoints=MAX_KEYPOINTS).keypoints == 3840
    assert "1 to 3840" in refused(ExtractorModel, adapter="any", keypoints=MAX_KEYPOINTS + 1)
    assert "1 to 3840" in refused(ExtractorModel, adapter="any", keypoints=0)


def test_k_ends_earlier_where_the_image_has_fewer_places() -> None:
    """A 16 x 16 image has 12 x 12 windows of 5 px that lie inside."""
    assert disk_model(height=16, width=16, keypoints=144).keypoints == 144
    assert "1 to 144" in refused(ExtractorModel, adapter="any", height=16, width=16, keypoints=145)


@given(st.integers(1, 80), st.integers(1, 80), st.integers(1, 31), st.integers(1, 4000))
def test_disk_takes_exactly_what_fits(rows: int, columns: int, half: int, keypoints: int) -> None:
    height, width, window = 16 * rows, 16 * columns, 2 * half + 1
    fits = window <= min(height, width) and keypoints <= min(3840, (height - window + 1) * (width - window + 1))
    try:
        disk_model(height=height, width=width, window=window, keypoints=keypoints)
    except ConfigError:
        assert not fits
    else:
        assert fits


@pytest.mark.parametrize(("key", "value"), [("filter_threshold", -0.1), ("filter_threshold", 1.1), ("input_dim", 0)])
def test_lightglue_outside_its_ranges(key: str, value: float) -> None:
    assert f"model.{key}" in refused(MatcherModel, adapter="any", **{key: value})


def test_lightglue_takes_the_ends_of_its_ranges() -> None:
    for threshold in (0.0, 1.0):
        assert lightglue_model(filter_threshold=threshold).filter_threshold == threshold
    assert "model.keypoints" in refused(MatcherModel, adapter="any", keypoints=0)


def test_the_base_checks_hold_for_every_model() -> None:
    for cls in (ExtractorModel, MatcherModel):
        assert "model.batch" in refused(cls, adapter="any", batch=0)


def test_a_model_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        disk_model().height = 1024  # type: ignore[misc]


@pytest.mark.parametrize("kind", sorted(MODELS))
def test_each_kind_has_a_dataclass_that_names_it(kind: str) -> None:
    assert model_class(kind) is MODELS[kind]
    assert MODELS[kind](adapter="any").kind is ModelKind(kind)


def test_an_unknown_kind_gets_the_general_dataclass_which_refuses_it() -> None:
    assert model_class("matchmaker") is NetworkModel
    with pytest.raises(ConfigError, match="matchmaker"):
        typed(NetworkModel, {"adapter": "any", "kind": "matchmaker"}, "networks.any.model")


@pytest.mark.parametrize("count", [-1, 10_001])
def test_layernorms_are_a_count(count: int) -> None:
    assert "model.layernorms" in refused(ModelConfig, adapter="any", layernorms=count)


def test_any_extractor_can_name_the_step_of_its_sizes() -> None:
    assert ExtractorModel(adapter="any", height=24, width=40, multiple=8, keypoints=9).width == 40
    assert "set model.width=48" in refused(ExtractorModel, adapter="any", height=24, width=45, multiple=8)
    assert "model.multiple" in refused(ExtractorModel, adapter="any", multiple=0)


@pytest.mark.parametrize("name", ["_target_", "_partial_", "__class__", "_convert_"])
def test_options_that_mean_code_are_refused(name: str) -> None:
    assert "mean code to run" in refused(ModelConfig, adapter="disk", options={name: "os.system"})
