"""A tiny extractor and matcher that keep the graph contracts: as ONNX graphs, and in numpy as their original.

Keypoints are the centres of the image's cells, descriptors the cells' contents; the matcher pairs the most alike cells
that lie less than a tenth of the normalised width apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from enginewright.config.choices import Builder
from enginewright.config.sections import BuildConfig
from enginewright.contract import Contract, Kind, Port
from enginewright.engine.bindings import Binding
from enginewright.engine.build import build_engine
from enginewright.engine.job import Job
from enginewright.engine.record import record_of, write_record
from enginewright.images import Pair, to_input
from enginewright.matching.normalise import interleave, normalise_keypoints
from enginewright.reference import Reference

HEIGHT, WIDTH, CELL = 96, 128, 16
SHAPE = (3, HEIGHT, WIDTH)
KEYPOINTS = (HEIGHT // CELL) * (WIDTH // CELL)
REACH = 0.1
THRESHOLD = 0.2

Float = NDArray[np.float32]
_Node = tuple[str, list[str], str, dict[str, Any]]


@dataclass(frozen=True)
class Flaw:
    """What is wrong with an artifact. shift: pixels. noise: of descriptors. reduced: a Cast to fp16 and back."""

    shift: float = 0.0
    noise: float = 0.0
    reduced: bool = False
    nan: bool = False


def cells() -> Float:
    """Return (K, 2) cell centres in pixels."""
    y, x = np.mgrid[0:HEIGHT:CELL, 0:WIDTH:CELL]
    centres: Float = (np.stack([x.ravel(), y.ravel()], axis=1) + (CELL - 1) / 2).astype(np.float32)
    return centres


def describe(images: Float) -> Float:
    """Return (N, K, D) unit descriptors of (N, C, H, W) images: each cell's pixels without their mean."""
    count, channels = images.shape[:2]
    split = images.reshape(count, channels, HEIGHT // CELL, CELL, WIDTH // CELL, CELL)
    flat = split.transpose(0, 2, 4, 3, 5, 1).reshape(count, KEYPOINTS, -1)
    centred = flat - flat.mean(axis=2, keepdims=True)
    unit: Float = (centred / np.maximum(np.linalg.norm(centred, axis=2, keepdims=True), 1e-6)).astype(np.float32)
    return unit


def similarity(keypoints: Float, descriptors: Float) -> Float:
    """Return (B, K, K) of interleaved, normalised keypoints and descriptors; -1 for cells that lie too far apart."""
    alike = descriptors[0::2] @ descriptors[1::2].transpose(0, 2, 1)
    apart = np.linalg.norm(keypoints[0::2, :, None] - keypoints[1::2, None, :], axis=-1)
    near: Float = np.where(apart > REACH, np.float32(-1), alike).astype(np.float32)
    return near


def assign(alike: Float) -> tuple[NDArray[np.int32], Float]:
    """Return `matches` and `mscores`, (B, K) each, of mutual best partners above `THRESHOLD`."""
    best1, best0 = alike.argmax(axis=2), alike.argmax(axis=1)
    mutual = np.take_along_axis(best0, best1, axis=1) == np.arange(alike.shape[1])
    scores = np.where(mutual, alike.max(axis=2), 0).astype(np.float32)
    return np.where(scores > THRESHOLD, best1, -1).astype(np.int32), scores


def references(pairs: Sequence[Pair], output: str = "matches") -> tuple[Reference, Reference]:
    """Return the references of extractor and matcher, batch 1, computed in numpy."""
    images = to_input([image for pair in pairs for image in pair.images], 3)
    points, descriptors = np.broadcast_to(cells(), (len(images), KEYPOINTS, 2)), describe(images)
    placed = normalise_keypoints(points, WIDTH, HEIGHT)
    inputs = {"keypoints": interleave(placed[0::2], placed[1::2]), "descriptors": descriptors}
    alike = similarity(inputs["keypoints"], descriptors)
    matches, scores = assign(alike)
    outputs = {"scores": log_of(alike)} if output == "scores" else {"matches": matches, "mscores": scores}
    extractor = Reference(
        {"image": images[:, None]},
        {
            "keypoints": points[:, None].copy(),
            "scores": np.ones((len(images), 1, KEYPOINTS), np.float32),
            "descriptors": descriptors[:, None],
        },
        tuple(f"{pair.name}/{side}" for pair in pairs for side in (0, 1)),
        Contract(Kind.extractor, (Port("image", ("batch", "channels", "height", "width")),), ()),
    )
    matcher = Reference(
        {name: array.reshape(len(pairs), 2, *array.shape[1:]) for name, array in inputs.items()},
        {name: array[:, None] for name, array in outputs.items()},
        tuple(pair.name for pair in pairs),
        Contract(Kind.matcher, (), ()),
    )
    return extractor, matcher


def log_of(alike: Float) -> Float:
    """Return similarities as logarithms of probabilities."""
    return np.log(np.maximum(alike, 1e-6)).astype(np.float32)


def extractor_graph(path: Path, batch: int | str = 1, flaw: Flaw = Flaw()) -> Path:
    """Write the extractor as ONNX; `batch` is a number, or a name that leaves the axis open."""
    wrong = np.random.default_rng(0).normal(scale=flaw.noise, size=(1, KEYPOINTS, 3 * CELL * CELL))
    points = np.where(flaw.nan, np.float32(np.nan), cells() + np.float32(flaw.shift))
    nodes: list[_Node] = [
        ("SpaceToDepth", ["image"], "deep", {"blocksize": CELL}),
        ("Reshape", ["deep", "flat_shape"], "flat", {}),
        ("Transpose", ["flat"], "rows", {"perm": [0, 2, 1]}),
        ("ReduceMean", ["rows", "last"], "mean", {"keepdims": 1}),
        ("Sub", ["rows", "mean"], "centred", {}),
        ("ReduceL2", ["centred", "last"], "length", {"keepdims": 1}),
        ("Max", ["length", "least"], "safe", {}),
        ("Div", ["centred", "safe"], "unit", {}),
        ("Add", ["unit", "wrong"], "noisy", {}),
        ("Cast", ["noisy"], "half", {"to": TensorProto.FLOAT16 if flaw.reduced else TensorProto.FLOAT}),
        ("Cast", ["half"], "descriptors", {"to": TensorProto.FLOAT}),
        ("Mul", ["mean", "zero"], "nothing", {}),
        ("Add", ["nothing", "points"], "keypoints", {}),
        ("ReduceMax", ["descriptors", "last"], "scores", {"keepdims": 0}),
    ]
    constants = {
        "flat_shape": np.array([0, 3 * CELL * CELL, KEYPOINTS], np.int64),
        "last": np.array([2], np.int64),
        "least": np.float32(1e-6),
        "zero": np.float32(0),
        "wrong": wrong.astype(np.float32),
        "points": points[None].astype(np.float32),
    }
    inputs = [_value("image", [batch, 3, HEIGHT, WIDTH])]
    depth = 3 * CELL * CELL
    shapes = {
        "keypoints": [batch, KEYPOINTS, 2],
        "scores": [batch, KEYPOINTS],
        "descriptors": [batch, KEYPOINTS, depth],
    }
    return _save(path, nodes, constants, inputs, [_value(name, shape) for name, shape in shapes.items()])


def matcher_graph(path: Path, batch: int = 1, output: str = "matches") -> Path:
    """Write the matcher as ONNX, for `batch` pairs; `output` is "matches" or "scores"."""
    nodes: list[_Node] = [
        *[("Slice", ["descriptors", start, "end", "axis0", "two"], f"d{side}", {}) for side, start in enumerate("01")],
        *[("Slice", ["keypoints", start, "end", "axis0", "two"], f"k{side}", {}) for side, start in enumerate("01")],
        ("Transpose", ["d1"], "d1t", {"perm": [0, 2, 1]}),
        ("MatMul", ["d0", "d1t"], "alike", {}),
        ("Unsqueeze", ["k0", "two"], "k0w", {}),
        ("Unsqueeze", ["k1", "one"], "k1w", {}),
        ("Sub", ["k0w", "k1w"], "offset", {}),
        ("ReduceL2", ["offset", "three"], "apart", {"keepdims": 0}),
        ("Greater", ["apart", "reach"], "far", {}),
        ("Where", ["far", "minus", "alike"], "near", {}),
        *(_logarithm() if output == "scores" else _assignment()),
    ]
    constants = {
        "0": np.array([0], np.int64), "1": np.array([1], np.int64), "end": np.array([2**31], np.int64),
        "axis0": np.array([0], np.int64), "one": np.array([1], np.int64), "two": np.array([2], np.int64),
        "three": np.array([3], np.int64), "reach": np.float32(REACH), "minus": np.float32(-1),
        "none": np.int64(-1), "nothing": np.float32(0), "threshold": np.float32(THRESHOLD),
        "order": np.arange(KEYPOINTS)[None], "floor": np.float32(1e-6),
    }  # fmt: skip
    depth = 3 * CELL * CELL
    inputs = [_value("keypoints", [2 * batch, KEYPOINTS, 2]), _value("descriptors", [2 * batch, KEYPOINTS, depth])]
    outputs = (
        [_value("scores", [batch, KEYPOINTS, KEYPOINTS])]
        if output == "scores"
        else [_value("matches", [batch, KEYPOINTS], TensorProto.INT32), _value("mscores", [batch, KEYPOINTS])]
    )
    return _save(path, nodes, constants, inputs, outputs)


def engine_of(graph: Path) -> tuple[Path, Path]:
    """Build an engine of the graph with the embedded builder, and write it and its record beside the graph."""
    model = onnx.load(graph).graph
    inputs, outputs = (tuple(_binding(value) for value in values) for values in (model.input, model.output))
    built = build_engine(graph, Job(BuildConfig(), inputs, outputs, {}))
    engine, record = graph.with_suffix(".plan"), graph.with_suffix(".json")
    engine.write_bytes(built.engine)
    write_record(record, record_of(built, Builder.tensorrt_rtx, graph.read_bytes()))
    return engine, record


def _binding(value: onnx.ValueInfoProto) -> Binding:
    kind = value.type.tensor_type
    dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type).name
    return Binding(value.name, dtype, tuple(size.dim_value for size in kind.shape.dim))


def _logarithm() -> list[_Node]:
    return [("Max", ["near", "floor"], "positive", {}), ("Log", ["positive"], "scores", {})]


def _assignment() -> list[_Node]:
    return [
        ("ArgMax", ["near"], "best1", {"axis": 2, "keepdims": 0}),
        ("ArgMax", ["near"], "best0", {"axis": 1, "keepdims": 0}),
        ("GatherElements", ["best0", "best1"], "back", {"axis": 1}),
        ("Equal", ["back", "order"], "mutual", {}),
        ("ReduceMax", ["near", "two"], "top", {"keepdims": 0}),
        ("Where", ["mutual", "top", "nothing"], "mscores", {}),
        ("Greater", ["mscores", "threshold"], "sure", {}),
        ("Where", ["sure", "best1", "none"], "wide", {}),
        ("Cast", ["wide"], "matches", {"to": TensorProto.INT32}),
    ]


def _value(name: str, shape: Sequence[int | str], kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def _save(
    path: Path,
    nodes: Sequence[_Node],
    constants: Mapping[str, Any],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
) -> Path:
    graph = helper.make_graph(
        [helper.make_node(kind, taken, [given], **attributes) for kind, taken, given, attributes in nodes],
        path.stem,
        inputs,
        outputs,
        [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())
    return path
