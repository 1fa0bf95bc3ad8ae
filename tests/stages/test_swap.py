"""The swap stage: proof that only the form changed, and the reference that later stages compare with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from enginewright.config.choices import Form
from enginewright.config.models import ModelConfig
from enginewright.config.sections import SwapConfig
from enginewright.contract import Contract, Kind, Port
from enginewright.contract.shapes import opened
from enginewright.errors import CheckpointError, NetworkError
from enginewright.reference import Arrays
from enginewright.swapping.run_module import loaded
from enginewright.weights.store import write_checkpoint
from networks import Adapter
from stages.swap import SECTIONS, run
from tests.stages.tiny import TinyModel
from tests.stages.tiny_stage import (
    assert_close,
    checkpoint_of,
    contract_of,
    inputs_of,
    module_of,
    registered,
    run_torch,
)

MODEL = TinyModel()
NAMES = ("a", "b", "c")


class Loose(nn.Module):
    """LayerNorm whose decomposed form overflows, since it squares what the native one scales first."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(8)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.norm(1e30 * x)
        return found


class LooseAdapter(Adapter[ModelConfig]):
    def module(self, model: ModelConfig) -> nn.Module:
        return Loose()

    def contract(self, model: ModelConfig) -> Contract:
        sizes = {"rows": 4, "width": 8}
        return Contract(Kind.network, (Port("x", tuple(sizes)),), (Port("y", tuple(sizes)),), sizes, layernorms=1)


class HiddenAdapter(Adapter[ModelConfig]):
    """A network whose normalisation is none that a swap finds."""

    def module(self, model: ModelConfig) -> nn.Module:
        return nn.Sequential(nn.RMSNorm(8))

    def contract(self, model: ModelConfig) -> Contract:
        return replace(LooseAdapter().contract(model), layernorms=1)


@pytest.fixture(scope="module", autouse=True)
def _registered() -> Iterator[None]:
    with registered(loose=LooseAdapter, hidden=HiddenAdapter):
        yield


@pytest.fixture(scope="module")
def checkpoint(_registered: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoint_of(MODEL, tmp_path_factory.mktemp("swap") / "checkpoint.safetensors")


def tiny_inputs() -> Arrays:
    return inputs_of(contract_of(MODEL))


@pytest.mark.parametrize("form", Form)
def test_the_reference_is_the_original_network_whatever_the_form(form: Form, checkpoint: Path) -> None:
    reference, metrics = run(MODEL, SwapConfig(form), checkpoint, tiny_inputs(), NAMES)
    assert reference.names == NAMES
    assert reference.contract == opened(contract_of(MODEL), {})
    assert reference.corners == ()
    assert reference.inputs.keys() == {"x"}
    for index, (_, inputs, outputs) in enumerate(reference.samples()):
        np.testing.assert_array_equal(inputs["x"], tiny_inputs()["x"][index])
        assert_close(run_torch(module_of(MODEL), inputs, reference.contract), outputs, atol=0)
    assert metrics["layers_swapped"] == (0 if form is Form.native else 2)
    assert (metrics["max_abs_diff"] > 0) == (form is not Form.native)
    assert metrics["max_abs_diff"] < 1e-5


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("claimed", [0, 1, 3])
def test_a_contract_that_miscounts_the_layers_is_refused(form: Form, claimed: int, checkpoint: Path) -> None:
    with pytest.raises(NetworkError, match=f"the swap to {form.name} did not reach every LayerNorm") as caught:
        run(TinyModel(claimed=claimed), SwapConfig(form), checkpoint, tiny_inputs(), NAMES)
    assert f"{claimed} layers" in str(caught.value.expected)


@pytest.mark.parametrize("form", Form)
def test_no_swap_where_one_was_expected_is_an_error(form: Form, tmp_path: Path) -> None:
    path = checkpoint_of(ModelConfig("hidden"), tmp_path / "hidden.safetensors")
    inputs = inputs_of(contract_of(ModelConfig("hidden")))
    with pytest.raises(NetworkError) as caught:
        run(ModelConfig("hidden"), SwapConfig(form), path, inputs, NAMES)
    assert caught.value.got == "0 layers, 0 swapped"


def test_an_output_that_moves_too_far_is_an_error(checkpoint: Path) -> None:
    with pytest.raises(NetworkError, match="the LayerNorm form decomposed changes the network's outputs") as caught:
        run(MODEL, SwapConfig(Form.decomposed, max_abs=1e-9), checkpoint, tiny_inputs(), NAMES)
    assert caught.value.expected == "at most 1e-09 (layernorm.max_abs)"
    assert 1e-9 < float(str(caught.value.got)) < 1e-5
    assert caught.value.cure == "layernorm=native"


def test_an_output_that_overflows_is_an_error_even_where_it_leaves_no_nan(tmp_path: Path) -> None:
    """The square is Inf, x / Inf is 0, and the layer returns its bias: the silent way to lose every match."""
    model = ModelConfig("loose")
    path = checkpoint_of(model, tmp_path / "loose.safetensors")
    with pytest.raises(NetworkError, match="changes the network's outputs"):
        run(model, SwapConfig(Form.decomposed, max_abs=0.5), path, inputs_of(contract_of(model)), NAMES)


@pytest.mark.parametrize(
    "model", [TinyModel(extra=True), TinyModel(dtype="int64"), TinyModel(rows="width")], ids=["number", "type", "shape"]
)
def test_a_module_that_breaks_its_contract_is_an_error(model: TinyModel, checkpoint: Path) -> None:
    with pytest.raises(NetworkError, match="the module breaks its contract's outputs"):
        run(model, SwapConfig(), checkpoint, tiny_inputs(), NAMES)


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    state = module_of(MODEL).state_dict()
    state["first.weight"] = torch.ones(8)
    write_checkpoint(tmp_path / "broken.safetensors", state)
    with pytest.raises(CheckpointError, match=r"."):
        run(MODEL, SwapConfig(), tmp_path / "broken.safetensors", tiny_inputs(), NAMES)


def test_a_loaded_module_has_the_stored_weights_and_is_ready_to_run(checkpoint: Path) -> None:
    module = loaded(MODEL, checkpoint)
    assert not module.training
    for key, tensor in module_of(MODEL).state_dict().items():
        assert torch.equal(module.state_dict()[key], tensor), key


def test_the_stage_reads_just_the_sections_that_it_declares() -> None:
    assert SECTIONS == ("model", "extractor.model", "data", "swap")
