from __future__ import annotations

from typing import Any, cast

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from enginewright.config.choices import Exporter, Form
from enginewright.contract import Contract, Kind, Port
from enginewright.errors import NetworkError
from enginewright.exporting import exporter as export
from enginewright.exporting.request import ExportRequest
from networks import layernorm
from networks.layernorm import DecomposedLayerNorm, ScaledLayerNorm, count_layernorms, swap_layernorms
from tests.networks.graphs import engine_bytes, operators

Spelled = type[DecomposedLayerNorm | ScaledLayerNorm]
SPELLED: list[Spelled] = [DecomposedLayerNorm, ScaledLayerNorm]


class Subclass(nn.LayerNorm):
    """A LayerNorm by another name."""


def network() -> nn.Sequential:
    """Return a network with three LayerNorm layers, one of them nested and one a subclass."""
    torch.manual_seed(0)
    inner = nn.Sequential(nn.Linear(6, 6), nn.LayerNorm(6))
    module = nn.Sequential(nn.Linear(4, 6), nn.LayerNorm(6, eps=1e-3), inner, Subclass(6))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn_like(parameter))
    return module


def random_affine(norm: nn.LayerNorm) -> nn.LayerNorm:
    with torch.no_grad():
        for parameter in norm.parameters():
            parameter.copy_(torch.randn_like(parameter))
    return norm


@settings(max_examples=100, deadline=None)
@given(
    shape=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    lead=st.lists(st.integers(1, 3), max_size=2),
    options=st.fixed_dictionaries(
        {"eps": st.sampled_from([1e-6, 1e-5, 1e-2]), "elementwise_affine": st.booleans(), "bias": st.booleans()}
    ),
    seed=st.integers(0, 1000),
)
def test_the_forms_are_the_same_function(shape: list[int], lead: list[int], options: dict[str, Any], seed: int) -> None:
    torch.manual_seed(seed)
    native = random_affine(nn.LayerNorm(tuple(shape), **options))
    x = 3 * torch.randn(*lead, *shape) + 1
    for form in SPELLED:
        torch.testing.assert_close(form.sharing(native)(x), native(x), atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("form", SPELLED)
@pytest.mark.parametrize("options", [{}, {"bias": False}, {"elementwise_affine": False}])
def test_the_constructor_is_that_of_layernorm(form: Spelled, options: dict[str, bool]) -> None:
    native, spelled = nn.LayerNorm((3, 4), 1e-4, **options), form((3, 4), 1e-4, **options)
    assert spelled.normalized_shape == (3, 4)
    assert spelled.eps == 1e-4
    assert spelled.state_dict().keys() == native.state_dict().keys()
    x = torch.randn(2, 3, 4)
    torch.testing.assert_close(spelled(x), native(x))


def test_a_single_size_means_the_last_axis() -> None:
    assert DecomposedLayerNorm(5).normalized_shape == (5,)
    assert "(5,), eps=1e-05" in repr(DecomposedLayerNorm(5))


def test_gradients_reach_the_shared_parameters() -> None:
    native = nn.LayerNorm(4)
    DecomposedLayerNorm.sharing(native)(torch.randn(3, 4)).pow(2).sum().backward()
    assert native.weight.grad is not None
    assert native.weight.grad.abs().sum() > 0


def test_every_layer_is_swapped_in_place_with_its_parameters() -> None:
    module, x = network(), torch.randn(5, 4)
    before, state = module(x), dict(module.named_parameters())
    assert count_layernorms(module) == 3
    assert swap_layernorms(module, Form.decomposed) == 3
    assert count_layernorms(module) == 0
    assert sum(isinstance(child, DecomposedLayerNorm) for child in module.modules()) == 3
    assert all(parameter is state[name] for name, parameter in module.named_parameters())
    torch.testing.assert_close(module(x), before, atol=1e-5, rtol=1e-5)


def test_native_swaps_nothing() -> None:
    module = network()
    assert swap_layernorms(module, Form.native) == 0
    assert count_layernorms(module) == 3


def test_a_second_swap_finds_nothing_left() -> None:
    module = network()
    swap_layernorms(module, Form.decomposed)
    assert swap_layernorms(module, Form.decomposed) == 0


def test_state_dicts_load_strictly_both_ways() -> None:
    native, decomposed = network(), network()
    swap_layernorms(decomposed, Form.decomposed)
    assert list(native.state_dict()) == list(decomposed.state_dict())
    fresh = nn.Sequential(
        nn.Linear(4, 6), nn.LayerNorm(6), nn.Sequential(nn.Linear(6, 6), nn.LayerNorm(6)), Subclass(6)
    )
    fresh.load_state_dict(decomposed.state_dict(), strict=True)
    swap_layernorms(fresh, Form.decomposed)
    fresh.load_state_dict(native.state_dict(), strict=True)
    for key, tensor in native.state_dict().items():
        assert torch.equal(fresh.state_dict()[key], tensor)


def test_a_layer_used_twice_is_one_layer_afterwards_too() -> None:
    shared = nn.LayerNorm(4)
    module = nn.ModuleDict({"first": shared, "second": nn.Sequential(shared)})
    assert count_layernorms(module) == 1
    assert swap_layernorms(module, Form.decomposed) == 1
    assert isinstance(module["first"], DecomposedLayerNorm)
    assert module["first"] is cast("nn.Sequential", module["second"])[0]


def test_a_swapped_layer_keeps_its_mode() -> None:
    module = network().eval()
    swap_layernorms(module, Form.decomposed)
    assert not any(child.training for child in module.modules())


def test_a_layer_alone_cannot_be_swapped_in_place() -> None:
    with pytest.raises(NetworkError, match="inside itself"):
        swap_layernorms(nn.LayerNorm(4), Form.decomposed)


@pytest.mark.parametrize(
    ("form", "cls"),
    [
        (Form.native, nn.LayerNorm),
        (Form.decomposed, DecomposedLayerNorm),
        (Form.island, DecomposedLayerNorm),
        (Form.scaled, ScaledLayerNorm),
    ],
)
def test_every_form_of_the_configuration_has_its_replacement(form: Form, cls: type[nn.Module]) -> None:
    module = network()
    state = dict(module.named_parameters())
    swap_layernorms(module, form)
    assert sum(isinstance(child, cls) for child in module.modules()) == 3
    assert all(parameter is state[name] for name, parameter in module.named_parameters())


def test_every_form_of_the_configuration_is_known_here() -> None:
    assert list(layernorm._REPLACEMENT) == list(Form)


def test_a_form_without_a_replacement_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(layernorm._REPLACEMENT, Form.decomposed)
    with pytest.raises(NetworkError, match="unknown form of LayerNorm") as caught:
        swap_layernorms(network(), Form.decomposed)
    assert "native" in str(caught.value)


class Column(nn.Module):
    """One LayerNorm, so that its graph is nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(8)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (2, 8)."""
        normal: Tensor = self.norm(x)
        return normal


def graph_of(form: Form, exporter: Exporter, opset: int) -> onnx.ModelProto:
    module = Column().eval()
    random_affine(cast("Any", module.norm))
    swap_layernorms(module, form)
    x, y = (Port(name, ("rows", "columns")) for name in ("x", "y"))
    contract = Contract(Kind.network, (x,), (y,), {"rows": 2, "columns": 8})
    return export(exporter)(module, ExportRequest(contract, opset, dynamic=False))


@pytest.mark.parametrize(
    ("exporter", "opset"), [(Exporter.torchscript, 16), (Exporter.torchscript, 17), (Exporter.dynamo, 20)]
)
def test_the_decomposed_graph_has_the_nodes_of_the_formula_and_no_power(exporter: Exporter, opset: int) -> None:
    counts = operators(graph_of(Form.decomposed, exporter, opset))
    counts.pop("Constant", None)
    assert counts == {"ReduceMean": 2, "Sub": 1, "Mul": 2, "Add": 2, "Sqrt": 1, "Div": 1}


@pytest.mark.parametrize(
    ("exporter", "opset"),
    [(Exporter.torchscript, 16), (Exporter.torchscript, 18), (Exporter.dynamo, 17), (Exporter.dynamo, 23)],
)
def test_the_scaled_graph_has_the_nodes_of_the_formula_and_no_power(exporter: Exporter, opset: int) -> None:
    counts = operators(graph_of(Form.scaled, exporter, opset))
    counts.pop("Constant", None)
    assert counts == {
        "ReduceSum": 1, "ReduceMax": 1, "ReduceMean": 2, "Sub": 2, "Abs": 1, "Div": 2, "Reciprocal": 1, "Clip": 2,
        "Sqrt": 1, "Mul": 6, "Add": 2,
    }  # fmt: skip


@pytest.mark.parametrize(("exporter", "opset"), [(Exporter.torchscript, 16), (Exporter.dynamo, 20)])
def test_the_builder_takes_the_scaled_form(exporter: Exporter, opset: int) -> None:
    assert engine_bytes(graph_of(Form.scaled, exporter, opset)) > 1000


@pytest.mark.parametrize("exporter", list(Exporter))
def test_the_native_graph_has_one_operator(exporter: Exporter) -> None:
    assert operators(graph_of(Form.native, exporter, 20))["LayerNormalization"] == 1


def test_large_activations_are_lost_in_half_precision_without_a_warning() -> None:
    """The hazard that the module's docstring names, and why these nodes must stay in fp32."""
    native = random_affine(nn.LayerNorm(8)).half()
    x = (torch.tensor([1.0, -1.0] * 4) * 3e4)[None].half()
    lost = DecomposedLayerNorm.sharing(native)(x)
    assert torch.equal(lost[0], native.bias)
    assert np.isfinite(native(x).detach().numpy()).all()
    assert (native(x) - lost).abs().max() > 0.1
