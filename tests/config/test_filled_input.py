"""The description of one input: what fits, what is refused, and that an error names the input."""

from __future__ import annotations

from typing import Any

import pytest

from enginewright.config.choices import ModelKind
from enginewright.config.filled_input import Channels, Fill, FilledInput
from enginewright.config.models import MODELS, OnnxModel, model_class
from enginewright.config.typed import typed
from enginewright.errors import ConfigError

DIGEST = "0" * 64


def refused(**values: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        OnnxModel(inputs={"tokens": values})
    return str(caught.value)


@pytest.mark.parametrize(
    "values",
    [
        {"shape": [1, 3, 48, 320], "fill": "image"},
        {"shape": [1, 48, 320, 1], "fill": "image", "channels": "last", "low": -1.0, "high": 1.0},
        {"shape": [2, 128], "fill": "values", "low": 0, "high": 30000},
        {"shape": [], "fill": "ones"},
        {"shape": [1], "fill": "file", "path": "own.npz", "sha256": DIGEST},
    ],
)
def test_what_the_docs_show_is_taken(values: dict[str, Any]) -> None:
    model = OnnxModel(inputs={"tokens": values})
    assert model.filled()["tokens"].shape == values["shape"]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"fill": "ones"}, "shape"),
        ({"shape": [1]}, "fill"),
        ({"shape": [1], "fill": "noise"}, "noise"),
        ({"shape": [1], "fill": "ones", "size": 3}, "size"),
        ({"shape": ["batch"], "fill": "ones"}, "batch"),
        ({"shape": 3, "fill": "ones"}, "shape"),
    ],
)
def test_an_error_names_the_input(values: dict[str, Any], says: str) -> None:
    text = refused(**values)
    assert "model.inputs.tokens" in text
    assert says in text


@pytest.mark.parametrize("shape", [[0], [-1], [1, 0, 3], [1 << 15, 1 << 15]])
def test_sizes_that_no_tensor_has(shape: list[int]) -> None:
    assert "shape" in refused(shape=shape, fill="ones")


@pytest.mark.parametrize(
    ("low", "high"), [(1.0, 1.0), (2.0, 1.0), (float("nan"), 1.0), (0.0, float("inf")), (float("-inf"), 0.0)]
)
def test_a_range_is_finite_and_not_empty(low: float, high: float) -> None:
    refused(shape=[1], fill="values", low=low, high=high)


@pytest.mark.parametrize(
    ("shape", "channels"),
    [([1, 2, 8, 8], "first"), ([3, 8, 8], "first"), ([1, 3, 8, 8], "last"), ([1, 8, 8, 3], "first")],
)
def test_images_have_four_axes_and_one_or_three_channels(shape: list[int], channels: str) -> None:
    assert "cannot take images" in refused(shape=shape, fill="image", channels=channels)


@pytest.mark.parametrize("missing", ["path", "sha256"])
def test_a_file_needs_its_path_and_its_digest(missing: str) -> None:
    values = {"shape": [1], "fill": "file", "path": "own.npz", "sha256": DIGEST}
    del values[missing]
    assert missing in refused(**values)


def test_the_size_of_an_image_follows_its_layout() -> None:
    assert FilledInput([1, 3, 4, 5], Fill.image).image_size == (3, 4, 5)
    assert FilledInput([1, 4, 5, 3], Fill.image, Channels.last).image_size == (3, 4, 5)


def test_the_kind_onnx_has_its_dataclass() -> None:
    assert model_class("onnx") is MODELS["onnx"] is OnnxModel
    model = typed(OnnxModel, {"inputs": {"x": {"shape": [1], "fill": "ones"}}}, "networks.own.model")
    assert (model.kind, model.adapter, model.samples) == (ModelKind.onnx, "onnx", 4)


@pytest.mark.parametrize("samples", [0, 1001])
def test_samples_out_of_range(samples: int) -> None:
    with pytest.raises(ConfigError, match=r"model\.samples"):
        OnnxModel(samples=samples)


@pytest.mark.parametrize("name", ["input_ids", "bytes:0", "x.1", "serving/default input"])
def test_any_name_of_a_tensor_will_do(name: str) -> None:
    assert list(OnnxModel(inputs={name: {"shape": [1], "fill": "ones"}}).filled()) == [name]
