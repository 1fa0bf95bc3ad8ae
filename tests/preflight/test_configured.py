"""The configuration that preflight composes, and the graph that it exports without a checkpoint."""

from __future__ import annotations

import dataclasses

import pytest
from torch import Tensor, nn

from enginewright.config.choices import Builder, Exporter, Form, Precision
from enginewright.config.models import MatcherModel
from enginewright.config.network import AXES, NetworkConfig
from enginewright.config.sections import BuildConfig, CheckpointConfig, ExportConfig
from enginewright.errors import ConfigError, GraphError, NetworkError
from enginewright.graphs.layernorm import layernorm_ops
from enginewright.graphs.walk import opset_of
from enginewright.preflight.configured import exported, network_configs, sections
from tests.stages.tiny_stage import ShallowAdapter, registered


def test_a_network_of_the_default_run() -> None:
    config = network_configs("disk", ["export.opset=18", "precision=fp16"])["disk"]
    assert config.model.adapter == "disk"
    assert (config.export.opset, config.cast.precision) == (18, Precision.fp16)


def test_a_matcher_brings_its_extractor() -> None:
    assert "disk" in network_configs("disk_lightglue", [])


@pytest.mark.parametrize(("name", "override"), [("dsk", ""), ("a;id", ""), ("", ""), ("disk", "export.opset=99")])
def test_what_does_not_fit_is_refused(name: str, override: str) -> None:
    with pytest.raises(ConfigError):
        network_configs(name, [override] if override else [])


def test_the_sections_that_every_network_starts_from() -> None:
    found = sections(["builder=tensorrt", "builder.workspace_mib=64"])
    assert set(found) == set(AXES)
    assert found["builder"] == BuildConfig(builder=Builder.tensorrt, workspace_mib=64)


def test_a_network_beside_the_default_ones_brings_what_feeds_it() -> None:
    assert {"aliked_n16", "aliked_n16_lightglue"} <= set(network_configs("aliked_n16_lightglue", []))


def test_a_merged_graph_is_made_of_both_parts() -> None:
    small = ["export=torchscript", "networks.disk.model.batch=2", "networks.disk.model.keypoints=16"]
    small += ["networks.disk.model.height=32", "networks.disk.model.width=32"]
    graph = exported("disk_merged", network_configs("disk_merged", small))
    assert [item.name for item in graph.graph.output] == ["keypoints", "valid", "matches", "mscores"]


def shallow(form: Form = Form.native) -> NetworkConfig:
    """Return a matcher of one narrow layer, with a checkpoint that is nowhere."""
    found = network_configs("disk_lightglue", ["export=torchscript", f"layernorm={form.name}"])["disk_lightglue"]
    checkpoint = CheckpointConfig(**(vars(found.checkpoint) | {"member": "nowhere", "sha256": "0" * 64}))
    model = MatcherModel(adapter="shallow", keypoints=32, layernorms=2)
    return dataclasses.replace(found, model=model, checkpoint=checkpoint)


def test_the_graph_is_the_export_stages_without_its_checkpoint() -> None:
    with registered():
        graph = exported("any", {"any": shallow()})
    assert [item.name for item in graph.graph.input] == ["keypoints", "descriptors"]
    assert (opset_of(graph), layernorm_ops(graph)) == (shallow().export.opset, 2)


def test_the_layernorm_form_is_the_configured_one() -> None:
    with registered():
        assert layernorm_ops(exported("any", {"any": shallow(Form.decomposed)})) == 0


def test_what_the_export_stage_refuses_is_refused_here_too() -> None:
    with registered():
        opset = ExportConfig(exporter=Exporter.torchscript, opset=16)
        with pytest.raises(GraphError, match="LayerNorm"):
            exported("any", {"any": dataclasses.replace(shallow(), export=opset)})


class Listing(nn.Module):
    """LightGlue's outputs in a list, which exporters take and the swap stage does not."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, keypoints: Tensor, descriptors: Tensor) -> list[Tensor]:
        return list(self.module(keypoints, descriptors))


class ListingAdapter(ShallowAdapter):
    def module(self, model: MatcherModel) -> nn.Module:
        return Listing(super().module(model))


def test_outputs_that_the_swap_stage_refuses_are_refused_here_too() -> None:
    with registered(shallow=ListingAdapter), pytest.raises(NetworkError, match="breaks its contract") as caught:
        exported("any", {"any": shallow()})
    assert caught.value.got == ["list"]


class TyingAdapter(ShallowAdapter):
    def module(self, model: MatcherModel) -> nn.Module:
        module = super().module(model)
        linear = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
        same = [layer for layer in linear if layer.weight.shape == linear[-1].weight.shape]
        assert same[0] is not linear[-1]
        same[0].weight = linear[-1].weight
        return module


def test_weights_that_a_module_shares_hinder_nothing() -> None:
    with registered(shallow=TyingAdapter):
        assert exported("any", {"any": shallow()}).graph.node
