from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import networks
from enginewright.config.choices import MatcherOutput
from enginewright.contract import Contract, Kind, Rule
from enginewright.matching.normalise import interleave, normalise_keypoints
from networks.layernorm import count_layernorms
from networks.lightglue import LAYERS, SelfBlock
from tests.models import lightglue_model
from tests.networks.real import PAIRS, SIDE, Features
from tests.networks.tiny_lightglue import random_inputs, small_lightglue

Found = dict[tuple[tuple[float, ...], tuple[float, ...]], float]


def our_matches(module: nn.Module, first: Features, second: Features) -> tuple[Found, Tensor, Tensor]:
    """Return the matched positions with their confidence, and the raw outputs."""
    keypoints = interleave(first.ours[0].numpy(), second.ours[0].numpy())
    descriptors = interleave(first.ours[2].numpy(), second.ours[2].numpy())
    normalised = normalise_keypoints(keypoints, SIDE, SIDE)
    with torch.inference_mode():
        matches, confidences = module(torch.from_numpy(normalised), torch.from_numpy(descriptors))
    pairs = {
        (tuple(first.ours[0][0, i].tolist()), tuple(second.ours[0][0, j].tolist())): float(confidences[0, i])
        for i, j in enumerate(matches[0].tolist())
        if j >= 0
    }
    return pairs, matches[0], confidences[0]


def original_matches(module: Any, first: Features, second: Features) -> Found:
    size = torch.tensor([[float(SIDE), float(SIDE)]])
    data = {f"image{n}": side.theirs | {"image_size": size} for n, side in enumerate((first, second))}
    with torch.inference_mode():
        found = module(data)
    positions = [side.theirs["keypoints"][0] for side in (first, second)]
    return {
        (tuple(positions[0][i].tolist()), tuple(positions[1][j].tolist())): float(score)
        for (i, j), score in zip(found["matches"][0].tolist(), found["scores"][0], strict=True)
    }


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0]} and {pair[1]}")
def test_matches_and_confidences_are_the_published_ones(
    features: dict[str, Features], lightglue: nn.Module, original_lightglue: Any, pair: tuple[str, str, int]
) -> None:
    """From pixels on: their DISK and LightGlue against ours. On the low texture, ours has padding and theirs none."""
    first, second, least = features[pair[0]], features[pair[1]], pair[2]
    ours, matches, confidences = our_matches(lightglue, first, second)
    theirs = original_matches(original_lightglue, first, second)
    assert len(theirs) >= least
    assert ours.keys() == theirs.keys()
    assert all(abs(ours[pair] - theirs[pair]) <= 1e-4 for pair in ours)
    padding = ~first.ours[3][0].bool()
    assert (matches[padding] == -1).all()
    assert not confidences[padding].any()


def test_the_log_assignment_is_the_published_one(lightglue_state: dict[str, Tensor], original_lightglue: Any) -> None:
    model = lightglue_model(keypoints=50, output=MatcherOutput.scores)
    module = networks.load("lightglue").module(model).eval()
    module.load_state_dict(lightglue_state, strict=True)
    keypoints, descriptors = random_inputs(1, 50, 128)
    captured: list[Tensor] = []
    handle = original_lightglue.log_assignment[-1].register_forward_hook(lambda *call: captured.append(call[2][0]))
    size = torch.tensor([[2.0, 2.0]])
    sides = {
        f"image{n}": {"keypoints": keypoints[n : n + 1] + 1, "descriptors": descriptors[n : n + 1], "image_size": size}
        for n in range(2)
    }
    with torch.inference_mode():
        (scores,) = module(keypoints, descriptors)
        original_lightglue(sides)
    handle.remove()
    assert scores.shape == (1, 50, 50)
    torch.testing.assert_close(scores, captured[0][:, :-1, :-1], atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("generation", ["self_attn.{i}.", "transformers.{i}.self_attn."])
def test_published_names_of_both_generations_become_ours(generation: str) -> None:
    rename = networks.load("lightglue").rename
    assert rename(generation.format(i=3) + "ffn.1.weight") == "layers.3.self_attn.ffn.1.weight"


@pytest.mark.parametrize(
    ("key", "ours"),
    [
        ("input_proj.weight", "input_proj.weight"),
        ("posenc.Wr.weight", "posenc.Wr.weight"),
        ("cross_attn.8.to_qk.bias", "layers.8.cross_attn.to_qk.bias"),
        ("log_assignment.8.final_proj.weight", "assignment.final_proj.weight"),
        ("log_assignment.8.r", None),
        ("log_assignment.7.final_proj.weight", None),
        ("token_confidence.0.token.0.weight", None),
        ("confidence_thresholds", None),
        ("something.else", "something.else"),
    ],
)
def test_names_are_kept_changed_or_left_out(key: str, ours: str | None) -> None:
    assert networks.load("lightglue").rename(key) == ours


def test_every_weight_of_the_published_model_arrives_unchanged(lightglue: nn.Module, original_lightglue: Any) -> None:
    rename = networks.load("lightglue").rename
    live = {rename(key): tensor for key, tensor in original_lightglue.state_dict().items()}
    live.pop(None)
    state = lightglue.state_dict()
    assert live.keys() == state.keys()
    assert all(torch.equal(tensor, state[str(key)]) for key, tensor in live.items())


def test_descriptors_of_the_models_width_need_no_projection() -> None:
    module = networks.load("lightglue").module(lightglue_model(input_dim=256))
    assert not any(key.startswith("input_proj") for key in module.state_dict())


def test_each_pair_of_a_batch_is_matched_alone() -> None:
    keypoints, descriptors = random_inputs(3, 12)
    module = small_lightglue(output=MatcherOutput.scores)
    with torch.inference_mode():
        (together,) = module(keypoints, descriptors)
        apart = [module(keypoints[2 * b : 2 * b + 2], descriptors[2 * b : 2 * b + 2])[0] for b in range(3)]
    torch.testing.assert_close(together, torch.cat(apart), atol=1e-5, rtol=1e-5)


def test_exchanging_the_images_transposes_the_assignment() -> None:
    keypoints, descriptors = random_inputs(1, 10)
    module = small_lightglue(output=MatcherOutput.scores)
    with torch.inference_mode():
        (forth,) = module(keypoints, descriptors)
        (back,) = module(keypoints.flip(0), descriptors.flip(0))
    torch.testing.assert_close(forth, back.transpose(1, 2), atol=1e-5, rtol=1e-5)


def test_the_products_of_rotated_queries_and_keys_depend_on_the_distance_alone() -> None:
    module = small_lightglue()
    block = module.layers[0].self_attn
    assert isinstance(block, SelfBlock)
    both = torch.randn(1, 1, 4, 8, 2).expand(1, 2, 4, 8, 2)
    products = []
    for shift in (0.0, 0.7):
        rotated = block._rotated(both, *module.posenc(torch.tensor([[[0.1, 0.2], [0.4, -0.3]]]) + shift))
        products.append(rotated[0] @ rotated[1].transpose(-1, -2))
    torch.testing.assert_close(products[0], products[1], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("output", list(MatcherOutput))
def test_the_contract_holds_for_the_module_and_survives_json(output: MatcherOutput) -> None:
    model = lightglue_model(batch=2, keypoints=5, output=output)
    adapter = networks.load("lightglue")
    contract, module = adapter.contract(model), adapter.module(model).eval()
    assert Contract.from_json(contract.to_json()) == contract
    assert contract.kind is Kind.matcher
    assert contract.layernorms == count_layernorms(module) == 2 * LAYERS
    inputs = random_inputs(2, 5, 128)
    for port, tensor in zip(contract.inputs, inputs, strict=True):
        assert contract.shape(port) == tuple(tensor.shape)
    with torch.inference_mode():
        for port, tensor in zip(contract.outputs, module(*inputs), strict=True):
            assert contract.shape(port) == tuple(tensor.shape)
            assert str(tensor.dtype) == f"torch.{port.dtype}"


def test_indices_are_compared_as_indices() -> None:
    ports = {port.name: port.rule for port in networks.load("lightglue").contract(lightglue_model()).outputs}
    assert ports == {"matches": Rule.equal, "mscores": Rule.close}
