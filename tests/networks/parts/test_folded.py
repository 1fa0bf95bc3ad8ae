"""LightGlue with its weights multiplied and summed up beforehand gives what the published one gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import networks
from enginewright.config.choices import Exporter, MatcherOutput
from enginewright.config.sections import ExportConfig
from enginewright.errors import ConfigError
from enginewright.exporting import exporter as export
from enginewright.exporting.request import ExportRequest
from networks.lightglue import LightGlue
from networks.parts.folded import Operators, Products, folded
from networks.parts.pairs import of_pairs, swap_images
from tests.models import lightglue_model
from tests.networks.graphs import operators, run_graph
from tests.networks.tiny_lightglue import WIDTH, random_inputs, small_lightglue

WAYS = (Products, Operators)
SMALL = networks.load("lightglue").contract(lightglue_model(keypoints=24, input_dim=WIDTH))


def exporting(opset: int = 23, exporter: Exporter = Exporter.dynamo) -> ExportConfig:
    return ExportConfig(exporter, opset)


def with_every_bias(**options: Any) -> LightGlue:
    """Return a matcher whose every bias and LayerNorm matters."""
    module = small_lightglue(**options)
    torch.manual_seed(1)
    for name, parameter in module.named_parameters():
        if name.endswith("bias") or ".ffn.1." in name:
            nn.init.normal_(parameter, mean=0.3, std=0.5)
    return module


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("padding", [0, 3])
@pytest.mark.parametrize("width", [WIDTH, 32])
def test_scores_are_those_of_the_published_module(way: type[Products], padding: int, width: int) -> None:
    torch.manual_seed(0)
    module = with_every_bias(output=MatcherOutput.scores)
    module.input_proj = nn.Linear(width, 32) if width == WIDTH else nn.Identity()
    keypoints, descriptors = random_inputs(2, 12, width)
    descriptors[1, 12 - padding :] = 0
    with torch.inference_mode():
        (expected,) = module(keypoints, descriptors)
        (found,) = folded(module, way())(keypoints, descriptors)
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=2e-5)
    assert expected[:, : 12 - padding].std() > 0.5


@pytest.mark.parametrize("way", WAYS)
def test_the_module_that_was_folded_stays_as_it_was(way: type[Products]) -> None:
    module = with_every_bias()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    folded(module, way())
    assert before.keys() == module.state_dict().keys()
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_layernorms_keep_their_names() -> None:
    module = small_lightglue()
    names = [
        [name for name, part in m.named_modules() if isinstance(part, nn.LayerNorm)]
        for m in (module, folded(module, Products()))
    ]
    assert names[0] == names[1] == [f"layers.{n}.{kind}_attn.ffn.1" for n in (0, 1) for kind in ("self", "cross")]


@pytest.mark.parametrize(
    ("way", "exporter"),
    [(Products, Exporter.dynamo), (Products, Exporter.torchscript), (Operators, Exporter.dynamo)],
)
def test_the_graph_does_the_same(way: type[Products], exporter: Exporter) -> None:
    module = with_every_bias(filter_threshold=0.0)
    inputs = random_inputs(1, 24)
    inputs[1][0, 20:] = 0
    model = export(exporter)(folded(module, way()), ExportRequest(SMALL, 23, dynamic=False))
    with torch.inference_mode():
        expected = [value.numpy() for value in module(*inputs)]
    found = run_graph(model, inputs)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_allclose(found[1], expected[1], atol=1e-4)
    counts = operators(model)
    assert (counts["Attention"], counts["RotaryEmbedding"]) == ((4, 2) if way is Operators else (0, 0))


def test_folding_and_operators_make_the_graph_smaller() -> None:
    module = LightGlue(WIDTH, layers=6, width=32, heads=4).eval()
    modules = module, folded(module, Products()), folded(module, Operators())
    sizes = [len(export(Exporter.dynamo)(each, ExportRequest(SMALL, 23, dynamic=False)).graph.node) for each in modules]
    assert sizes[1] < 0.97 * sizes[0]
    assert sizes[2] < 0.7 * sizes[0]


def test_open_axes_stay_open() -> None:
    module = with_every_bias(filter_threshold=0.0)
    model = export(Exporter.dynamo)(folded(module, Operators()), ExportRequest(SMALL, 23, dynamic=True))
    inputs = random_inputs(3, 31, seed=1)
    with torch.inference_mode():
        expected = module(*inputs)[0].numpy()
    np.testing.assert_array_equal(run_graph(model, inputs)[0], expected)


def test_the_adapter_writes_the_graph_that_is_asked_for() -> None:
    adapter = networks.load("lightglue")
    kinds = {}
    for graph in ("published", "folded", "fused"):
        model = lightglue_model(keypoints=8, options={"graph": graph})
        module = adapter.exported(adapter.module(model), model, exporting())
        block = module.get_submodule("layers.0.self_attn")
        kinds[graph] = type(getattr(block, "operators", None)).__name__
    assert kinds == {"published": "NoneType", "folded": "Products", "fused": "Operators"}


@pytest.mark.parametrize("changed", [{"opset": 22}, {"exporter": Exporter.torchscript}])
def test_what_cannot_write_the_operators_is_refused(changed: dict[str, Any]) -> None:
    adapter, model = networks.load("lightglue"), lightglue_model(options={"graph": "fused"})
    with pytest.raises(ConfigError, match="cannot be written") as caught:
        adapter.exported(adapter.module(model), model, exporting(**changed))
    assert "export.opset=23" in str(caught.value)


@pytest.mark.parametrize("options", [{"graph": "fast"}, {"graph": None}, {"grahp": "folded"}, {"graph": ["folded"]}])
def test_other_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="options do not fit LightGlue"):
        networks.load("lightglue").module(lightglue_model(options=options))


def test_images_of_a_pair_change_places() -> None:
    x = torch.arange(6)[:, None].expand(6, 2)
    assert swap_images(x)[:, 0].tolist() == [1, 0, 3, 2, 5, 4]
    assert [part[:, 0].tolist() for part in of_pairs(x)] == [[0, 2, 4], [1, 3, 5]]
