"""A small ONNX graph built like a keypoint detector, with four outputs, and its job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from enginewright.config.sections import BuildConfig
from enginewright.engine.bindings import Binding
from enginewright.engine.job import Job
from tests.engine.graphs import node, save


def detector(path: Path, blocks: int = 8, channels: int = 16, side: int = 32) -> Path:
    """Write image x -> convolutions -> keypoints, scores, descriptors, valid.

    Built in the memory of a used process, its four outputs change places in the engine from one environment to another.
    """
    random = np.random.default_rng(0)
    nodes: list[onnx.NodeProto] = []
    weights = [_constant("eight", [8]), _constant("flat", [1, -1]), _constant("rows", [1, channels, -1])]
    weights += [
        _constant("side", side),
        _constant("last", [-1]),
        numpy_helper.from_array(np.zeros((), np.float32), "zero"),
    ]
    for block in range(blocks):
        before = f"act_{block - 1}" if block else "x"
        kernel = random.standard_normal((channels, channels if block else 3, 3, 3)) / 10
        weights += _block_weights(block, kernel.astype(np.float32))
        nodes += [
            node("Conv", [before, f"kernel_{block}", f"bias_{block}"], [f"conv_{block}"], pads=[1, 1, 1, 1]),
            node("InstanceNormalization", [f"conv_{block}", f"scale_{block}", f"bias_{block}"], [f"norm_{block}"]),
            node("PRelu", [f"norm_{block}", f"slope_{block}"], [f"act_{block}"]),
        ]
    return save(path, [*nodes, *_detection(f"act_{blocks - 1}")], *_detector_infos(channels, side), weights)


def _block_weights(block: int, kernel: NDArray[np.float32]) -> list[onnx.TensorProto]:
    channels = len(kernel)
    arrays: dict[str, NDArray[np.float32]] = {
        "kernel": kernel,
        "bias": np.zeros(channels, np.float32),
        "scale": np.ones(channels, np.float32),
        "slope": np.full((channels, 1, 1), 0.25, np.float32),
    }
    return [numpy_helper.from_array(array, f"{name}_{block}") for name, array in arrays.items()]


def _detection(maps: str) -> list[onnx.NodeProto]:
    """Return the nodes from the last maps to the strongest local maxima and their descriptors."""
    return [
        node("ReduceMax", [maps], ["heat"], axes=[1], keepdims=1),
        node("MaxPool", ["heat"], ["pooled"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("Equal", ["heat", "pooled"], ["peak"]),
        node("Where", ["peak", "heat", "zero"], ["peaks"]),
        node("Reshape", ["peaks", "flat"], ["cells"]),
        node("TopK", ["cells", "eight"], ["scores", "cell"], axis=-1),
        node("Greater", ["scores", "zero"], ["positive"]),
        node("Cast", ["positive"], ["valid"], to=TensorProto.INT32),
        node("Div", ["cell", "side"], ["y"]),
        node("Mul", ["y", "side"], ["row_start"]),
        node("Sub", ["cell", "row_start"], ["column"]),
        node("Unsqueeze", ["column", "last"], ["xs"]),
        node("Unsqueeze", ["y", "last"], ["ys"]),
        node("Concat", ["xs", "ys"], ["points"], axis=-1),
        node("Cast", ["points"], ["keypoints"], to=TensorProto.FLOAT),
        node("Reshape", [maps, "rows"], ["flat_maps"]),
        node("Transpose", ["flat_maps"], ["pixels"], perm=[0, 2, 1]),
        node("Unsqueeze", ["cell", "last"], ["where"]),
        node("GatherND", ["pixels", "where"], ["descriptors"], batch_dims=1),
    ]


def _detector_infos(channels: int, side: int) -> tuple[list[Any], list[Any]]:
    shapes = {"keypoints": [1, 8, 2], "scores": [1, 8], "descriptors": [1, 8, channels], "valid": [1, 8]}
    kinds = {name: TensorProto.INT32 if name == "valid" else TensorProto.FLOAT for name in shapes}
    outputs = [helper.make_tensor_value_info(name, kinds[name], shape) for name, shape in shapes.items()]
    return [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, side, side])], outputs


def _constant(name: str, value: int | list[int]) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(value, np.int64), name)


def detector_job() -> Job:
    """Return the job for `detector`."""
    outputs = (
        Binding("keypoints", "float32", (1, 8, 2)),
        Binding("scores", "float32", (1, 8)),
        Binding("descriptors", "float32", (1, 8, 16)),
        Binding("valid", "int32", (1, 8)),
    )
    return Job(BuildConfig(), (Binding("x", "float32", (1, 3, 32, 32)),), outputs, {})
