from __future__ import annotations

import re
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
from enginewright.contract import Contract
from enginewright.exporting import exporter as export
from enginewright.exporting.request import ExportRequest
from enginewright.graphs.io import check_io
from networks.aliked import POSITIONS
from tests.networks.graphs import FORBIDDEN, engine_bytes, operators, run_graph, size_of
from tests.networks.published_aliked import aliked_model
from tests.networks.real import Published, photograph

HEIGHT, WIDTH, ROUGH_HEIGHT, ROUGH_WIDTH = 160, 192, 150, 203
OTHERS = [(2, 96, 256), (1, 288, 64)]
"""Batch, height and width at which open graphs are run too; both orders of the sides."""


def model_of(rough: bool = False) -> ExtractorModel:
    """Return a small section: of sizes that are multiples of 32, or of any."""
    height, width = (ROUGH_HEIGHT, ROUGH_WIDTH) if rough else (HEIGHT, WIDTH)
    return aliked_model(height=height, width=width, multiple=1 if rough else 32, keypoints=60)


def module_of(published: Published, rough: bool = False) -> torch.nn.Module:
    module = networks.load("aliked").module(model_of(rough)).eval()
    module.load_state_dict(published.state("aliked-n16.pth"), strict=True)
    return module


def contract_of(rough: bool = False) -> Contract:
    return networks.load("aliked").contract(model_of(rough))


def images(batch: int, height: int, width: int) -> Tensor:
    """Return pieces of photographs."""
    names = ("motorcycle_left.png", "motorcycle_right.png")[:batch]
    return torch.cat([photograph(name)[..., 150 : 150 + height, 90 : 90 + width] for name in names]).contiguous()


def assert_same(got: list[NDArray[Any]], expected: tuple[Tensor, ...]) -> None:
    """Compare keypoint by keypoint: two of nearly equal score may change places."""
    keypoints, scores, descriptors, valid = (tensor.numpy() for tensor in expected)
    assert [array.dtype for array in got] == [array.dtype for array in (keypoints, scores, descriptors, valid)]
    assert [array.shape for array in got] == [array.shape for array in (keypoints, scores, descriptors, valid)]
    np.testing.assert_array_equal(got[3], valid)
    for image, count in enumerate(valid.sum(axis=1)):
        assert count > 20
        distances = np.linalg.norm(keypoints[image, :count, None] - got[0][image, None, :count], axis=-1)
        index = distances.argmin(axis=1)
        assert len(set(index.tolist())) == count
        assert distances.min(axis=1).max() <= 1e-3
        np.testing.assert_allclose(got[1][image][index], scores[image, :count], atol=1e-4)
        np.testing.assert_allclose(got[2][image][index], descriptors[image, :count], atol=1e-3)
        assert not any(array[image, count:].any() for array in got)


CASES = [
    (Exporter.torchscript, 16, False, False),
    (Exporter.torchscript, 20, True, False),
    (Exporter.torchscript, 17, False, True),
    (Exporter.torchscript, 23, True, True),
    (Exporter.dynamo, 18, True, True),
]


@pytest.mark.parametrize(("exporter", "opset", "dynamic", "rough"), CASES)
def test_the_graph_does_the_same_and_is_small(
    published: Published, exporter: Exporter, opset: int, dynamic: bool, rough: bool
) -> None:
    module, contract = module_of(published, rough), contract_of(rough)
    graph = export(exporter)(module, ExportRequest(contract, opset, dynamic))
    assert graph.opset_import[0].version == opset
    assert not FORBIDDEN & operators(graph).keys()
    weights = sum(tensor.numel() * tensor.element_size() for tensor in module.state_dict().values())
    assert size_of(graph) < weights + 150_000, "a constant of the image's size was folded into the graph"
    for sizes in [(1, contract.sizes["height"], contract.sizes["width"]), *(OTHERS if dynamic else [])]:
        image = images(*(size - 7 * (rough and size > 2) for size in sizes)) if dynamic else images(*sizes)
        with torch.inference_mode():
            assert_same(run_graph(graph, (image,)), module(image))


Graphs = dict[tuple[Exporter, bool], onnx.ModelProto]


@pytest.fixture(scope="module")
def static(published: Published) -> Graphs:
    """Return the static graphs of both exporters, for sizes that are multiples of 32 and for any."""
    keys = [(exporter, rough) for exporter in Exporter for rough in (False, True)]
    return {
        key: export(key[0])(module_of(published, key[1]), ExportRequest(contract_of(key[1]), 20, dynamic=False))
        for key in keys
    }


def test_a_static_graph_says_its_sizes_and_does_the_same(static: Graphs, published: Published) -> None:
    for (_, rough), graph in static.items():
        contract = contract_of(rough)
        check_io(graph, contract, False)
        image = images(1, contract.sizes["height"], contract.sizes["width"])
        with torch.inference_mode():
            assert_same(run_graph(graph, (image,)), module_of(published, rough)(image))


def test_there_is_one_sampling_for_each_deformable_convolution_and_two_for_the_head(static: Graphs) -> None:
    for graph in static.values():
        counts = operators(graph)
        assert counts["GridSample"] == 4 + 2
        assert (counts["TopK"], counts["MatMul"], counts["Loop"]) == (2, 1, 0)
        assert max(tensor.dims[0] for tensor in graph.graph.initializer if tensor.dims) <= 3 * WIDTH


def test_no_constant_is_larger_than_the_largest_weight(static: Graphs) -> None:
    for graph in static.values():
        constants = [
            attribute.t for node in graph.graph.node for attribute in node.attribute if attribute.HasField("t")
        ]
        elements = [int(np.prod(tensor.dims)) for tensor in [*graph.graph.initializer, *constants]]
        assert max(elements) == 16 * 128 * 128
        assert sorted(elements)[-2] == 128 * 128 * 9


def test_transposes_move_no_small_types(static: Graphs) -> None:
    for graph in static.values():
        types = {
            value.name: value.type.tensor_type.elem_type
            for value in onnx.shape_inference.infer_shapes(graph).graph.value_info
        }
        moved = {types[node.input[0]] for node in graph.graph.node if node.op_type == "Transpose"}
        assert moved == {onnx.TensorProto.FLOAT}


def test_what_computes_positions_is_an_island_and_no_convolution_is(static: Graphs) -> None:
    for graph in static.values():
        inside = {node.op_type for node in graph.graph.node if re.match(POSITIONS, node.name)}
        assert {"GridSample", "Softmax", "MaxPool", "TopK", "Sigmoid", "Floor", "Add", "Sub", "Div", "Clip"} <= inside
        outside = {node.op_type for node in graph.graph.node if not re.match(POSITIONS, node.name)} - {"Constant"}
        assert outside == {"Conv", "Selu", "AveragePool", "Resize", "MatMul"}


@pytest.mark.parametrize("exporter", list(Exporter))
@pytest.mark.parametrize("rough", [False, True])
def test_tensorrt_rtx_builds_the_graph(static: Graphs, exporter: Exporter, rough: bool) -> None:
    assert engine_bytes(static[exporter, rough]) > 2_500_000
