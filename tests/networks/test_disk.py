from __future__ import annotations

import copy
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

import networks
from enginewright.config.choices import Exporter
from enginewright.contract import Contract, Kind, Port, Rule
from enginewright.exporting import exporter as export
from enginewright.exporting.request import ExportRequest
from networks.disk import Disk, sample
from tests.models import disk_model
from tests.networks.graphs import FORBIDDEN, assert_close, engine_bytes, operators, run_graph, size_of
from tests.networks.real import KEYPOINTS, PAIRS, SIDE, Features, Published, photograph

IMAGES = sorted({name for pair in PAIRS for name in pair[:2]})
SMALL = disk_model(height=64, width=96, keypoints=40)


@pytest.fixture(scope="module")
def small(published: Published) -> Disk:
    """Return DISK with real weights for images of 96 x 64."""
    module = Disk(SMALL.keypoints)
    module.load_state_dict(published.state("disk-depth-save.pth"), strict=True)
    module.eval()
    return module


@pytest.fixture(scope="module")
def patch() -> Tensor:
    """Return a piece of a photograph, 96 x 64."""
    return photograph("coffee.png")[..., 150:214, 200:296].contiguous()


def by_position(keypoints: Tensor, *others: Tensor) -> dict[tuple[float, ...], tuple[Tensor, ...]]:
    rows = zip(keypoints.tolist(), *others, strict=True)
    return {tuple(position): tuple(rest) for position, *rest in rows}


@pytest.mark.parametrize("image", IMAGES)
def test_keypoints_scores_and_descriptors_are_the_published_ones(features: dict[str, Features], image: str) -> None:
    keypoints, scores, descriptors, valid = (output[0] for output in features[image].ours)
    kept = valid.bool()
    ours = by_position(keypoints[kept], scores[kept], descriptors[kept])
    theirs = features[image].theirs
    original = by_position(theirs["keypoints"][0], theirs["keypoint_scores"][0], theirs["descriptors"][0])
    assert ours.keys() == original.keys()
    for position, (score, descriptor) in ours.items():
        their_score, their_descriptor = original[position]
        assert abs(score - their_score) <= 5e-3  # 1e-5 of the maps, which go up to 460: processors sum in other orders
        assert torch.nn.functional.cosine_similarity(descriptor, their_descriptor, dim=0) >= 0.99999


@pytest.mark.parametrize("image", IMAGES)
def test_slots_are_the_strongest_first_and_then_zero(features: dict[str, Features], image: str) -> None:
    keypoints, scores, descriptors, valid = (output[0] for output in features[image].ours)
    count = int(valid.sum())
    assert count == (features[image].theirs["keypoints"].shape[1])
    assert valid.tolist() == [1] * count + [0] * (KEYPOINTS - count)
    assert (scores[:count].diff() <= 0).all()
    assert (scores[:count] > 0).all()
    torch.testing.assert_close(descriptors[:count].norm(dim=-1), torch.ones(count))
    for output in (keypoints, scores, descriptors):
        assert not output[count:].any()


def test_the_low_texture_image_does_leave_slots_empty(features: dict[str, Features]) -> None:
    assert 0 < int(features["low texture"].ours[3].sum()) < KEYPOINTS
    assert int(features["astronaut"].ours[3].sum()) == KEYPOINTS


def test_descriptors_are_sampled_at_row_and_column() -> None:
    maps = torch.randn(2, 129, 6, 9)
    pixels = torch.tensor([[4 * 9 + 7, 0], [5 * 9 + 8, 13]])
    expected = torch.stack((maps[[0, 0], :128, [4, 0], [7, 0]], maps[[1, 1], :128, [5, 1], [8, 4]]))
    bias = torch.randn(129)
    expected = torch.nn.functional.normalize(expected + bias[:128], dim=-1)
    torch.testing.assert_close(sample(maps, bias, pixels), expected)


def test_a_zero_descriptor_stays_zero() -> None:
    assert not sample(torch.zeros(1, 129, 2, 2), torch.zeros(129), torch.tensor([[3]])).any()


class Whole(nn.Module):
    """A U-Net whose maps hold their bias."""

    def __init__(self, unet: nn.Module) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, image: Tensor) -> Tensor:
        maps, bias = self.unet(image)
        whole: Tensor = maps + bias.reshape(-1, 1, 1)
        return whole


def test_the_maps_are_those_of_convolutions_that_add_their_biases(published: Published, disk: Any) -> None:
    image = photograph("coffee.png")
    original = published.disk().model.double()
    with torch.inference_mode():
        scores, descriptors = original.heatmap_and_dense_descriptors(image.double())
        maps = Whole(copy.deepcopy(disk.unet)).double()(image.double())
    torch.testing.assert_close(maps, torch.cat((descriptors, scores), dim=1), atol=1e-9, rtol=0)


def runtime_error(unet: nn.Module, image: Tensor) -> float:
    """Return how far ONNX Runtime's maps of an image are from the same module's in float64, on average."""
    axes, maps = ("batch", "channels", "height", "width"), ("batch", "outputs", "height", "width")
    sizes = {**dict(zip(axes, image.shape, strict=True)), "outputs": 129}
    contract = Contract(Kind.network, (Port("image", axes),), (Port("maps", maps),), sizes)
    graph = export(Exporter.torchscript)(Whole(unet), ExportRequest(contract, 20, dynamic=False))
    (found,) = run_graph(graph, (image,))
    with torch.inference_mode():
        truth = Whole(copy.deepcopy(unet)).double()(image.double())
    return float(np.abs(found - truth.numpy()).mean())


def with_biases(unet: nn.Module) -> nn.Module:
    """Return a copy whose convolutions add their biases, but for the last, which leaves it to others either way."""
    plain = copy.deepcopy(unet)
    *others, _ = (module for module in plain.modules() if isinstance(module, nn.Conv2d))
    for module in others:
        module.__class__ = nn.Conv2d
    return plain


def test_biases_that_normalisation_takes_out_cost_a_runtime_digits(disk: Any) -> None:
    image = photograph("astronaut.png")
    assert runtime_error(with_biases(disk.unet), image) > 20 * runtime_error(disk.unet, image)


def test_each_image_of_a_batch_is_treated_alone(small: Disk, patch: Tensor) -> None:
    with torch.inference_mode():
        together = small(torch.cat((patch, patch.flip(-1))))
        apart = [small(image) for image in (patch, patch.flip(-1))]
    for index, alone in enumerate(apart):
        ours, theirs = (by_position(run[0][row], run[1][row]) for run, row in ((together, index), (alone, 0)))
        assert ours.keys() == theirs.keys()


@pytest.mark.parametrize("threshold", [-1000.0, 4.0])
def test_the_threshold_may_lie_on_either_side_of_zero(published: Published, patch: Tensor, threshold: float) -> None:
    state = published.state("disk-depth-save.pth")
    module = Disk(500, threshold=threshold)
    module.load_state_dict(state, strict=True)
    original = published.disk(max_num_keypoints=500, detection_threshold=threshold).eval()
    with torch.inference_mode():
        keypoints, scores, _, valid = module.eval()(patch)
        expected = original({"image": patch})
    assert by_position(keypoints[valid.bool()]).keys() == by_position(expected["keypoints"][0]).keys()
    assert (scores[valid.bool()] > threshold).all()
    assert not scores[~valid.bool()].any()


def test_the_state_dict_is_the_published_one_both_ways(published: Published, disk: nn.Module) -> None:
    original = published.disk().model
    original.load_state_dict(disk.state_dict(), strict=True)
    fresh = networks.load("disk").module(disk_model())
    fresh.load_state_dict(original.state_dict(), strict=True)
    for key, tensor in published.state("disk-depth-save.pth").items():
        assert torch.equal(fresh.state_dict()[key], tensor)
        assert networks.load("disk").rename(key) == key


def test_the_contract_holds_for_the_module(small: Disk, patch: Tensor) -> None:
    contract = networks.load("disk").contract(SMALL)
    assert contract.kind is Kind.extractor
    assert [port.name for port in contract.inputs] == ["image"]
    assert [port.name for port in contract.outputs] == ["keypoints", "scores", "descriptors", "valid"]
    assert {port.rule for port in contract.outputs} == {Rule.aligned}
    assert contract.layernorms == 0
    assert contract.shape(contract.inputs[0]) == tuple(patch.shape)
    with torch.inference_mode():
        for port, output in zip(contract.outputs, small(patch), strict=True):
            assert contract.shape(port) == tuple(output.shape)
            assert f"torch.{port.dtype}" == str(output.dtype)


def test_the_contract_survives_json() -> None:
    contract = networks.load("disk").contract(disk_model(batch=2, height=480, width=640, keypoints=7))
    assert contract.sizes["height"] == 480
    assert Contract.from_json(contract.to_json()) == contract
    assert Contract.from_json(contract.to_json()).to_json() == contract.to_json()


CASES = [
    (Exporter.torchscript, 16, False),
    (Exporter.torchscript, 23, True),
    (Exporter.dynamo, 20, True),
]


@pytest.mark.parametrize(("exporter", "opset", "dynamic"), CASES)
def test_the_graph_is_static_small_and_does_the_same(
    small: Disk, patch: Tensor, exporter: Exporter, opset: int, dynamic: bool
) -> None:
    contract = networks.load("disk").contract(SMALL)
    model = export(exporter)(small, ExportRequest(contract, opset, dynamic))
    assert model.opset_import[0].version == opset
    assert not FORBIDDEN & operators(model).keys()
    weights = sum(tensor.numel() * tensor.element_size() for tensor in small.state_dict().values())
    assert size_of(model) < weights + 200_000, "a constant of the image's size was folded into the graph"
    images = [patch, torch.cat((patch, patch.flip(-2)))[..., :48, :64].contiguous()] if dynamic else [patch]
    for image in images:
        with torch.inference_mode():
            assert_close(run_graph(model, (image,)), small(image), atol=3e-3)  # of scores that reach 100


@pytest.fixture(scope="module", params=list(Exporter))
def static_graph(small: Disk, request: pytest.FixtureRequest) -> onnx.ModelProto:
    """Return the static graph of each exporter."""
    contract = networks.load("disk").contract(SMALL)
    return export(request.param)(small, ExportRequest(contract, 20, dynamic=False))


def test_coordinates_are_computed_in_integers_to_the_end(static_graph: onnx.ModelProto) -> None:
    """What computes in int64 is untouched by a cast to fp16, which holds no odd number above 2048."""
    producers: dict[str, Any] = {output: node for node in static_graph.graph.node for output in node.output}
    seen, waiting = [], ["keypoints"]
    while waiting:
        node = producers.get(waiting.pop())
        if node is None or node in seen:
            continue
        seen.append(node)
        if node.op_type not in ("TopK", "Greater"):
            waiting.extend(node.input)
    casts = [node.attribute[0].i for node in seen if node.op_type == "Cast"]
    assert casts.count(1) == 1, "the last step, to float32 pixels"
    assert producers["keypoints"].op_type == "Cast"
    assert not {10, 11, 16} & set(casts)


def test_tensorrt_rtx_builds_the_graph(static_graph: onnx.ModelProto) -> None:
    assert engine_bytes(static_graph) > 4_000_000


def test_the_image_of_these_tests_is_the_configured_one() -> None:
    assert (
        disk_model().height,
        disk_model().width,
        disk_model().keypoints,
    ) == (SIDE, SIDE, KEYPOINTS)
