"""The proof of a swap: layers, state dict, outputs. Each part can fail."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from enginewright.config.choices import Form
from enginewright.contract import Contract, Kind, Port, Rule
from enginewright.errors import NetworkError
from enginewright.reference import Arrays
from enginewright.swapping.proof import check_layers, check_state, largest_difference
from networks.layernorm import count_layernorms, swap_layernorms
from tests.stages.tiny import Tiny


def contract(layers: int = 2) -> Contract:
    return Contract(Kind.network, (Port("x", ("rows",)),), (Port("y", ("rows",)),), {"rows": 4}, layernorms=layers)


def pair(form: Form = Form.decomposed) -> tuple[nn.Module, nn.Module]:
    """Return the tiny network twice with the same weights, the second with its LayerNorm layers in `form`."""
    first, second = Tiny(extra=False), Tiny(extra=False)
    second.load_state_dict(first.state_dict())
    swap_layernorms(second, form)
    return first, second


@pytest.mark.parametrize("form", Form)
def test_a_complete_swap_passes(form: Form) -> None:
    module = Tiny(extra=False)
    found, swapped = count_layernorms(module), swap_layernorms(module, form)
    check_layers(found, swapped, contract(), form)
    assert swapped == (0 if form is Form.native else 2)


@pytest.mark.parametrize(
    ("found", "swapped", "form", "claimed"),
    [
        (0, 0, Form.decomposed, 2),
        (2, 0, Form.decomposed, 2),
        (2, 1, Form.decomposed, 2),
        (2, 2, Form.decomposed, 3),
        (2, 2, Form.decomposed, 0),
        (2, 2, Form.native, 2),
        (1, 0, Form.native, 2),
        (0, 0, Form.native, 2),
    ],
)
def test_layers_that_were_not_found_or_not_swapped_are_refused(
    found: int, swapped: int, form: Form, claimed: int
) -> None:
    with pytest.raises(NetworkError, match=f"the swap to {form.name} did not reach every LayerNorm") as caught:
        check_layers(found, swapped, contract(claimed), form)
    wanted = claimed if form is Form.decomposed else 0
    assert caught.value.expected == f"{claimed} layers, {wanted} swapped"
    assert caught.value.got == f"{found} layers, {swapped} swapped"
    assert f"model.layernorms: {found}" in str(caught.value.cure)


def test_a_network_without_layernorm_has_nothing_to_swap() -> None:
    check_layers(0, 0, contract(0), Form.decomposed)
    check_layers(0, 0, contract(0), Form.native)


@pytest.mark.parametrize("form", Form)
def test_a_swap_keeps_the_state_dict_both_ways(form: Form) -> None:
    original, swapped = pair(form)
    before = {key: tensor.clone() for key, tensor in original.state_dict().items()}
    check_state(original, swapped)
    for module in (original, swapped):
        assert module.state_dict().keys() == before.keys()
        assert all(torch.equal(tensor, before[key]) for key, tensor in module.state_dict().items())


Edit = Callable[[nn.Module], object]


def _change(module: nn.Module) -> None:
    with torch.no_grad():
        module.get_parameter("last.weight")[3] += 1e-7


def _add(module: nn.Module) -> None:
    module.register_buffer("more", torch.zeros(1))


def _remove(module: nn.Module) -> None:
    module.get_submodule("first").register_parameter("bias", None)


def _reshape(module: nn.Module) -> None:
    module.get_submodule("first").weight = nn.Parameter(torch.ones(8))


def test_a_tensor_that_the_swap_changed_is_named() -> None:
    original, swapped = pair()
    _change(swapped)
    with pytest.raises(NetworkError, match="the swap changed tensors of the state dict") as caught:
        check_state(original, swapped)
    assert caught.value.got == ["last.weight"]


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(("edit", "key"), [(_add, "more"), (_remove, "first.bias"), (_reshape, "first.weight")])
def test_keys_and_shapes_must_fit_both_ways(edit: Edit, key: str, side: int) -> None:
    modules = pair()
    edit(modules[side])
    with pytest.raises(NetworkError, match="the swap changed the state dict") as caught:
        check_state(*modules)
    assert key in str(caught.value)


CLOSE = Contract(
    kind=Kind.matcher,
    inputs=(),
    outputs=(Port("matches", ("rows",), dtype="int32", rule=Rule.equal), Port("mscores", ("rows",))),
)


def matched(scores: list[list[float]]) -> Arrays:
    return {"matches": np.zeros((len(scores), len(scores[0])), np.int32), "mscores": np.array(scores, np.float32)}


def test_the_largest_difference_over_all_samples_counts() -> None:
    first = matched([[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]])
    second = matched([[0.5, 0.5], [0.5, 0.25], [0.75, 0.5]])
    assert largest_difference(first, first, CLOSE, 0.5) == 0
    assert largest_difference(first, second, CLOSE, 0.5) == 0.25
    assert largest_difference(second, first, CLOSE, 0.5) == 0.25


def test_numbers_of_indices_measure_nothing() -> None:
    first, second = matched([[0.5]]), matched([[0.5]])
    second["matches"] += 1000
    assert largest_difference(first, second, CLOSE, 0.5) == 0


@pytest.mark.parametrize("scores", [[[np.nan, 0.5]], [[0.5, np.nan]], [[np.nan, np.nan]]])
def test_nan_is_never_a_small_difference(scores: list[list[float]]) -> None:
    found = largest_difference(matched([[0.5, 0.5]]), matched(scores), CLOSE, 0.5)
    assert np.isnan(found)
    assert not found <= 1e9


def test_inf_is_the_largest_difference() -> None:
    assert largest_difference(matched([[0.5]]), matched([[np.inf]]), CLOSE, 0.5) == np.inf


ALIGNED = Contract(
    kind=Kind.extractor,
    inputs=(),
    outputs=(
        Port("keypoints", ("batch", "keypoints", "xy"), rule=Rule.aligned),
        Port("scores", ("batch", "keypoints"), rule=Rule.aligned),
    ),
)


def found_at(*places: tuple[float, float]) -> Arrays:
    points = np.array(places, np.float32)[None, None]
    return {"keypoints": points, "scores": points[..., 0] / 100}


def test_keypoints_that_changed_places_make_no_difference() -> None:
    assert largest_difference(found_at((5, 5), (9, 9)), found_at((9, 9), (5, 5)), ALIGNED, 0.5) == 0


def test_a_keypoint_that_moved_a_little_counts_by_its_move() -> None:
    moved = largest_difference(found_at((5, 5), (9, 9)), found_at((9, 9), (5, 5.25)), ALIGNED, 0.5)
    assert moved == pytest.approx(0.25)


@pytest.mark.parametrize("places", [[(5, 5), (70, 9)], [(50, 50), (70, 9)]])
def test_a_keypoint_that_moved_out_of_reach_counts_as_the_reach(places: list[tuple[float, float]]) -> None:
    assert largest_difference(found_at((5, 5), (9, 9)), found_at(*places), ALIGNED, 0.5) == 0.5
