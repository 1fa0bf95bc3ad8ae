"""Every style is the same function as the module."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import onnxruntime
import pytest

from benchmarks.latency.lightglue_graph import lightglue_graph
from benchmarks.latency.style import CHOICES, Style
from benchmarks.latency.weights import Weights
from enginewright.errors import ConfigError
from networks.lightglue import LightGlue
from tests.benchmarks.latency.small import KEYPOINTS, matcher, original, sample

AXES = ("operators", "layout", "feed", "head", "bias")
STYLES = [dict(zip(AXES, point, strict=True)) for point in product(*(CHOICES[axis] for axis in AXES))]


@pytest.fixture(scope="module")
def module() -> LightGlue:
    return matcher()


@pytest.fixture(scope="module")
def weights(module: LightGlue) -> Weights:
    return {name: value.double().numpy() for name, value in module.state_dict().items()}


def run(weights: Weights, style: Style, inputs: dict[str, Any]) -> dict[str, Any]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    data = lightglue_graph(weights, style).SerializeToString()
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return dict(zip(("matches", "mscores"), session.run(["matches", "mscores"], inputs), strict=True))


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert (expected["matches"] >= 0).sum() > KEYPOINTS / 3  # a sample without matches would prove little
    np.testing.assert_array_equal(found["matches"], expected["matches"])
    np.testing.assert_allclose(found["mscores"], expected["mscores"], atol=1e-5)


@pytest.mark.parametrize("style", STYLES, ids=lambda style: "-".join(style.values()))
def test_a_style_is_the_module(module: LightGlue, weights: Weights, style: dict[str, Any]) -> None:
    inputs = sample()
    expected = original(module, inputs)
    assert_same(run(weights, Style(KEYPOINTS, dtype="float32", **style), inputs), expected)


@pytest.mark.parametrize("layout", CHOICES["layout"])
def test_several_pairs_are_each_by_itself(module: LightGlue, weights: Weights, layout: str) -> None:
    inputs = {name: np.concatenate((value, value[::-1])) for name, value in sample().items()}
    found = run(weights, Style(KEYPOINTS, 2, "float32", layout=layout), inputs)
    assert_same(found, original(module, inputs))


@pytest.mark.parametrize("operators", CHOICES["operators"])
def test_padding_leaves_no_trace(module: LightGlue, weights: Weights, operators: str) -> None:
    inputs = sample(padded=5)
    found = run(weights, Style(KEYPOINTS, dtype="float32", operators=operators, masked=True), inputs)
    assert_same(found, original(module, inputs))


def test_biases_are_not_forgotten(module: LightGlue, weights: Weights) -> None:
    inputs = sample()
    moved = weights | {"layers.1.cross_attn.to_v.bias": weights["layers.1.cross_attn.to_v.bias"] + 1}
    found = run(moved, Style(KEYPOINTS, dtype="float32"), inputs)
    assert np.abs(found["mscores"] - original(module, inputs)["mscores"]).max() > 1e-4


def test_a_style_that_there_is_not_is_refused() -> None:
    with pytest.raises(ConfigError, match="layout"):
        Style(8, layout="sideways")
    with pytest.raises(ConfigError, match="masked"):
        Style(8, layout="inner", masked=True)
