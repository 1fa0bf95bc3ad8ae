"""SuperPoint against a plain implementation of its published behaviour, with made weights on real images."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor

import networks
from enginewright.config.choices import Exporter
from enginewright.contract import Contract, Kind, Rule
from enginewright.errors import ConfigError
from enginewright.exporting import exporter as export
from enginewright.exporting.request import ExportRequest
from networks.superpoint import SuperPoint
from tests.networks.cell_images import images, section
from tests.networks.graphs import FORBIDDEN, assert_close, engine_bytes, operators, run_graph, size_of
from tests.networks.made_superpoint import made_superpoint
from tests.networks.plain_superpoint import Found, plain_superpoint

KEYPOINTS = 300
IMAGES = images()
SMALL = section("superpoint", height=64, width=96, keypoints=40)
PUBLISHED = {
    "conv1a": (64, 1, 3, 3),
    "conv1b": (64, 64, 3, 3),
    "conv2a": (64, 64, 3, 3),
    "conv2b": (64, 64, 3, 3),
    "conv3a": (128, 64, 3, 3),
    "conv3b": (128, 128, 3, 3),
    "conv4a": (128, 128, 3, 3),
    "conv4b": (128, 128, 3, 3),
    "convPa": (256, 128, 3, 3),
    "convPb": (65, 256, 1, 1),
    "convDa": (256, 128, 3, 3),
    "convDb": (256, 256, 1, 1),
}
"""The layers of superpoint_v1.pth."""


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    return made_superpoint()


def loaded(state: dict[str, Tensor], **values: Any) -> SuperPoint:
    module = SuperPoint(**values)
    module.load_state_dict(state, strict=True)
    return module.eval()


@pytest.fixture(scope="module")
def both(state: dict[str, Tensor]) -> dict[str, tuple[tuple[Tensor, ...], Found]]:
    """Return what our SuperPoint and the plain one find in each image."""
    module = loaded(state, keypoints=KEYPOINTS)
    with torch.inference_mode():
        return {name: (module(image), plain_superpoint(state, image, KEYPOINTS)) for name, image in IMAGES.items()}


@pytest.fixture(scope="module")
def small(state: dict[str, Tensor]) -> SuperPoint:
    """Return SuperPoint for images of 96 x 64."""
    return loaded(state, keypoints=SMALL.keypoints)


@pytest.fixture(scope="module")
def patch() -> Tensor:
    """Return a piece of a photograph, 96 x 64."""
    return IMAGES["square"][..., 50:114, 100:196].contiguous()


def found_by(outputs: tuple[Tensor, ...], row: int = 0) -> Found:
    """Return one image's keypoints without padding."""
    keypoints, scores, descriptors, valid = (output[row] for output in outputs)
    kept = valid.bool()
    return Found(keypoints[kept].numpy(), scores[kept].numpy(), descriptors[kept].numpy())


@pytest.mark.parametrize("image", IMAGES)
def test_keypoints_scores_and_descriptors_are_the_published_ones(
    both: dict[str, tuple[tuple[Tensor, ...], Found]], image: str
) -> None:
    outputs, plain = both[image]
    ours, theirs = found_by(outputs).by_position(), plain.by_position()
    assert len(theirs) > 20
    assert ours.keys() == theirs.keys()
    for position, (score, descriptor) in ours.items():
        assert abs(score - theirs[position][0]) < 1e-5
        np.testing.assert_allclose(descriptor, theirs[position][1], atol=1e-5, rtol=0)


@pytest.mark.parametrize("image", IMAGES)
def test_slots_are_the_strongest_first_and_then_zero(
    both: dict[str, tuple[tuple[Tensor, ...], Found]], image: str
) -> None:
    (keypoints, scores, descriptors, valid), plain = both[image]
    count = len(plain.scores)
    assert valid[0].tolist() == [1] * count + [0] * (KEYPOINTS - count)
    assert (scores[0, :count].diff() <= 0).all()
    torch.testing.assert_close(descriptors[0, :count].norm(dim=-1), torch.ones(count))
    for output in (keypoints, scores, descriptors):
        assert not output[0, count:].any()


def test_there_are_images_with_padding_and_without(both: dict[str, tuple[tuple[Tensor, ...], Found]]) -> None:
    counts = {name: len(plain.scores) for name, (_, plain) in both.items()}
    assert counts["square"] == KEYPOINTS
    assert 0 < counts["narrow"] < KEYPOINTS


def test_an_image_of_one_grey_has_keypoints_at_no_place_that_is_undefined(small: SuperPoint) -> None:
    """All cells inside are alike, so that scores tie everywhere: K of them are taken, each once."""
    with torch.inference_mode():
        outputs = small(torch.full((1, 1, 64, 96), 0.5))
    found = found_by(outputs)
    assert len(set(map(tuple, found.keypoints.tolist()))) == len(found.keypoints) > 0
    assert all(not output.isnan().any() for output in outputs)


def test_tied_scores_next_to_each_other_are_both_kept(state: dict[str, Tensor]) -> None:
    """Two equal neighbours are both maxima of their windows; the published suppression keeps both."""
    blank = {name: torch.zeros_like(tensor) for name, tensor in state.items()}
    blank["convPb.bias"][[27, 28]] = 4.0
    module = loaded(blank, keypoints=64)
    with torch.inference_mode():
        ours = found_by(module(torch.zeros(1, 1, 24, 24)))
    plain = plain_superpoint(blank, torch.zeros(1, 1, 24, 24), 64)
    inner = {(x, y) for x, y in ours.keypoints.tolist() if 8 <= x < 16 and 8 <= y < 16}
    assert inner == {(11.0, 11.0), (12.0, 11.0)}
    assert ours.by_position().keys() == plain.by_position().keys()


@pytest.mark.parametrize(("window", "threshold"), [(3, 0.0), (17, 0.05)])
def test_window_and_threshold_are_those_of_the_configuration(
    state: dict[str, Tensor], window: int, threshold: float
) -> None:
    image = IMAGES["square"]
    module = loaded(state, keypoints=2000, window=window, threshold=threshold)
    with torch.inference_mode():
        ours = found_by(module(image)).by_position()
    plain = plain_superpoint(state, image, 2000, threshold, radius=window // 2)
    assert ours.keys() == plain.by_position().keys()
    assert all(score > threshold for score, _ in ours.values())


def test_each_image_of_a_batch_is_treated_alone(small: SuperPoint, patch: Tensor) -> None:
    with torch.inference_mode():
        together = small(torch.cat((patch, patch.flip(-1))))
        apart = [small(image) for image in (patch, patch.flip(-1))]
    for row, alone in enumerate(apart):
        assert found_by(together, row).by_position().keys() == found_by(alone).by_position().keys()


def test_the_state_dict_is_the_published_one(state: dict[str, Tensor]) -> None:
    module = networks.load("superpoint").module(section("superpoint"))
    shapes = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    biases = {f"{name}.bias": shape[:1] for name, shape in PUBLISHED.items()}
    assert shapes == {f"{name}.weight": shape for name, shape in PUBLISHED.items()} | biases
    assert sum(tensor.numel() for tensor in module.state_dict().values()) == 1_300_865
    assert all(networks.load("superpoint").rename(name) == name for name in state)


def test_the_contract_holds_for_the_module(small: SuperPoint, patch: Tensor) -> None:
    contract = networks.load("superpoint").contract(SMALL)
    assert contract.kind is Kind.extractor
    assert [port.name for port in contract.outputs] == ["keypoints", "scores", "descriptors", "valid"]
    assert {port.rule for port in contract.outputs} == {Rule.aligned}
    assert contract.shape(contract.inputs[0]) == tuple(patch.shape)
    with torch.inference_mode():
        for port, output in zip(contract.outputs, small(patch), strict=True):
            assert contract.shape(port) == tuple(output.shape)
            assert f"torch.{port.dtype}" == str(output.dtype)
    assert Contract.from_json(contract.to_json()) == contract


def test_sizes_that_it_cannot_take_are_refused_by_module_and_contract() -> None:
    adapter = networks.load("superpoint")
    for wrong in (section("superpoint", multiple=1, width=500), section("superpoint", threshold=-1.0)):
        for make in (adapter.module, adapter.contract):
            with pytest.raises(ConfigError, match="model"):
                make(wrong)


CASES = [(Exporter.torchscript, 16, False), (Exporter.torchscript, 23, True), (Exporter.dynamo, 20, True)]


@pytest.mark.parametrize(("exporter", "opset", "dynamic"), CASES)
def test_the_graph_is_small_and_does_the_same(
    small: SuperPoint, patch: Tensor, exporter: Exporter, opset: int, dynamic: bool
) -> None:
    contract = networks.load("superpoint").contract(SMALL)
    model = export(exporter)(small, ExportRequest(contract, opset, dynamic))
    assert model.opset_import[0].version == opset
    assert not FORBIDDEN & operators(model).keys()
    assert operators(model)["Conv"] == len(PUBLISHED)
    weights = sum(tensor.numel() * tensor.element_size() for tensor in small.state_dict().values())
    assert size_of(model) < weights + 150_000, "a constant of the image's size was folded into the graph"
    tried = [patch, torch.cat((patch, patch.flip(-2)))[..., :56, :40].contiguous()] if dynamic else [patch]
    for image in tried:
        with torch.inference_mode():
            assert_close(run_graph(model, (image,)), small(image), atol=1e-4)


@pytest.fixture(scope="module", params=list(Exporter))
def static_graph(small: SuperPoint, request: pytest.FixtureRequest) -> onnx.ModelProto:
    """Return the static graph of each exporter."""
    contract = networks.load("superpoint").contract(SMALL)
    return export(request.param)(small, ExportRequest(contract, 20, dynamic=False))


def upstream(graph: onnx.GraphProto, name: str, stop: set[str]) -> list[onnx.NodeProto]:
    """Return the nodes that a tensor is made by, back to those of the operators `stop`."""
    producers = {output: node for node in graph.node for output in node.output}
    seen, waiting = [], [name]
    while waiting:
        node = producers.get(waiting.pop())
        if node is not None and node not in seen:
            seen.append(node)
            waiting.extend(() if node.op_type in stop else node.input)
    return seen


def test_coordinates_are_computed_in_integers_to_the_end(static_graph: onnx.ModelProto) -> None:
    """What computes in int64 is untouched by a cast to fp16, which holds no odd number above 2048."""
    seen = upstream(static_graph.graph, "keypoints", {"TopK", "Greater"})
    casts = [node.attribute[0].i for node in seen if node.op_type == "Cast"]
    assert casts.count(onnx.TensorProto.FLOAT) == 1, "the last step, to float32 pixels"
    assert seen[0].op_type == "Cast"
    assert not {10, 11, 16} & set(casts)


def test_the_cells_that_descriptors_come_from_are_counted_in_integers(static_graph: onnx.ModelProto) -> None:
    (gather,) = (node for node in static_graph.graph.node if node.op_type == "GatherElements")
    seen = upstream(static_graph.graph, gather.input[1], {"TopK"})
    casts = {node.attribute[0].i for node in seen if node.op_type == "Cast"}
    assert not {onnx.TensorProto.FLOAT, 10, 11, 16} & casts


def test_tensorrt_rtx_builds_the_graph(static_graph: onnx.ModelProto) -> None:
    assert engine_bytes(static_graph) > 5_000_000
