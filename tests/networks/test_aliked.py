from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from torch import Tensor

import networks
from enginewright.config.models import ExtractorModel
from enginewright.contract import Contract, Kind, Rule
from enginewright.errors import ConfigError
from networks.aliked import Aliked, edged
from tests.models import lightglue_model
from tests.networks.published_aliked import aliked_model, published_aliked
from tests.networks.real import Published, low_texture, photograph, turned

KEYPOINTS = 500
Outputs = tuple[Tensor, Tensor, Tensor, Tensor]


def loaded(published: Published, model: ExtractorModel) -> Aliked:
    """Return our ALIKED with the published weights."""
    module = networks.load("aliked").module(model).eval()
    module.load_state_dict(published.state(f"aliked-n{model.options['samples']}.pth"), strict=True)
    assert isinstance(module, Aliked)
    return module


def crop(image: Tensor, height: int, width: int, top: int = 100, left: int = 60) -> Tensor:
    return image[..., top : top + height, left : left + width].contiguous()


def images() -> dict[str, Tensor]:
    """Return pieces of photographs, square and not, and one of sizes that are no multiples of 32."""
    return {
        "astronaut": photograph("astronaut.png"),
        "left": crop(photograph("motorcycle_left.png"), 384, 448),
        "coffee turned": crop(turned(photograph("coffee.png")), 352, 224),
        "low texture": crop(low_texture(), 320, 416),
        "any size": crop(photograph("rocket.jpg"), 301, 227),
        "flat": torch.full((1, 3, 96, 128), 0.3),
    }


CASES = [(16, name) for name in images()] + [(32, "left"), (32, "any size")]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"n{case[0]} {case[1]}")
def both(published: Published, request: pytest.FixtureRequest) -> tuple[Outputs, dict[str, Tensor]]:
    """Return what our ALIKED and the published one find in an image."""
    samples, name = request.param
    image = images()[name]
    height, width = image.shape[-2:]
    step = 1 if name == "any size" else 32
    model = aliked_model(samples, height=height, width=width, multiple=step, keypoints=KEYPOINTS)
    with torch.inference_mode():
        ours = loaded(published, model)(image)
        return ours, published_aliked(samples, max_num_keypoints=KEYPOINTS)({"image": image})


def partners(ours: Outputs, theirs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Return for each of the published keypoints the index of ours that is nearest, and its distance in pixels."""
    kept = ours[0][0][ours[3][0].bool()].double()
    distances, index = torch.cdist(theirs["keypoints"][0].double(), kept).min(dim=1)
    return index, distances


def test_keypoints_scores_and_descriptors_are_the_published_ones(both: tuple[Outputs, dict[str, Tensor]]) -> None:
    ours, theirs = both
    assert theirs["keypoints"].shape[1] == int(ours[3].sum())
    index, distances = partners(ours, theirs)
    assert len(set(index.tolist())) == len(index), "each of ours is the partner of one of theirs"
    assert (distances <= 1e-3).all()
    assert ((ours[1][0][index] - theirs["keypoint_scores"][0]).abs() <= 1e-4).all()
    assert (F.cosine_similarity(ours[2][0][index], theirs["descriptors"][0], dim=-1) >= 0.99999).all()


def test_slots_without_a_keypoint_are_zero_and_come_last(both: tuple[Outputs, dict[str, Tensor]]) -> None:
    keypoints, scores, descriptors, valid = (output[0] for output in both[0])
    count = int(valid.sum())
    assert valid.tolist() == [1] * count + [0] * (KEYPOINTS - count)
    torch.testing.assert_close(descriptors[:count].norm(dim=-1), torch.ones(count))
    for output in (keypoints, scores, descriptors):
        assert not output[count:].any()


def test_the_images_of_these_tests_fill_all_slots_and_leave_some_empty(published: Published) -> None:
    module = loaded(published, aliked_model(keypoints=KEYPOINTS))
    with torch.inference_mode():
        full, sparse = (int(module(images()[name])[3].sum()) for name in ("left", "low texture"))
    assert full == KEYPOINTS
    assert 0 < sparse < KEYPOINTS // 2


@pytest.mark.parametrize(("threshold", "window"), [(0.05, 5), (0.2, 9), (-1.0, 5)])
def test_threshold_and_window_are_those_of_the_published_one(
    published: Published, threshold: float, window: int
) -> None:
    """At -1 the published one takes the K strongest of all maxima, whatever their scores."""
    image, count = crop(photograph("brick.png"), 192, 256), 100
    model = aliked_model(height=192, width=256, keypoints=count, threshold=threshold, window=window)
    original = published_aliked(16, max_num_keypoints=count, detection_threshold=threshold, nms_radius=window // 2)
    with torch.inference_mode():
        ours, theirs = loaded(published, model)(image), original({"image": image})
    index, distances = partners(ours, theirs)
    assert len(set(index.tolist())) == len(index) == int(ours[3].sum()) > 20
    assert (distances <= 1e-3).all()


def test_each_image_of_a_batch_is_treated_alone(published: Published) -> None:
    patch = crop(photograph("coffee.png"), 160, 128)
    module = loaded(published, aliked_model(height=160, width=128, keypoints=50))
    with torch.inference_mode():
        together = module(torch.cat((patch, patch.flip(-1))))
        for row, image in enumerate((patch, patch.flip(-1))):
            for whole, alone in zip(together, module(image), strict=True):
                torch.testing.assert_close(whole[row], alone[0], atol=1e-3, rtol=1e-3)


def test_the_state_dict_is_the_published_one_both_ways(published: Published) -> None:
    module = loaded(published, aliked_model(32))
    published_aliked(32).load_state_dict(module.state_dict(), strict=True)
    assert set(module.state_dict()) == set(published.state("aliked-n32.pth"))
    assert all(networks.load("aliked").rename(key) == key for key in module.state_dict())


def test_lightglue_takes_the_state_dict_for_aliked(published: Published) -> None:
    adapter = networks.load("lightglue")
    state = published.state("aliked_lightglue.pth")
    named = {ours: tensor for key, tensor in state.items() if (ours := adapter.rename(key)) is not None}
    adapter.module(lightglue_model(input_dim=128)).load_state_dict(named, strict=True)


@pytest.mark.parametrize(("size", "before", "after"), [(64, 0, 0), (63, 0, 1), (33, 15, 16), (1, 15, 16)])
def test_an_edge_is_repeated_on_both_sides(size: int, before: int, after: int) -> None:
    image = torch.rand(1, 2, size, 3)
    padded, start = edged(image, 2, size)
    assert start == before
    assert torch.equal(padded, F.pad(image, (0, 0, before, after), mode="replicate"))


def test_the_contract_holds_for_the_module(published: Published) -> None:
    model = aliked_model(32, height=96, width=160, keypoints=20)
    contract = networks.load("aliked").contract(model)
    assert contract.kind is Kind.extractor
    assert {port.rule for port in contract.outputs} == {Rule.aligned}
    assert contract.sizes["dimension"] == 128
    assert Contract.from_json(contract.to_json()) == contract
    with torch.inference_mode():
        outputs = loaded(published, model)(torch.rand(1, 3, 96, 160))
    for port, output in zip(contract.outputs, outputs, strict=True):
        assert contract.shape(port) == tuple(output.shape)
        assert f"torch.{port.dtype}" == str(output.dtype)


@pytest.mark.parametrize(
    "options",
    [{}, {"sample": 16}, {"samples": 16, "depth": 3}, *({"samples": value} for value in (0, 257, "16", 16.0, True))],
)
def test_options_that_do_not_fit_are_refused_with_the_ones_that_do(options: dict[str, Any]) -> None:
    model = aliked_model(options=options)
    for ask in (networks.load("aliked").module, networks.load("aliked").contract):
        with pytest.raises(ConfigError, match=r"model\.options do not fit ALIKED") as caught:
            ask(model)
        assert caught.value.got == options
        assert "samples: 16" in str(caught.value)
