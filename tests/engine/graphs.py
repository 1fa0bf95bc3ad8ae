"""Small ONNX graphs with the operators of matchers, and the jobs and references that go with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from enginewright.config.choices import Builder
from enginewright.config.sections import BuildConfig
from enginewright.contract import Contract, Kind, Port
from enginewright.engine.bindings import Binding
from enginewright.engine.build import Built
from enginewright.engine.job import Job
from enginewright.engine.record import Record, record_of
from enginewright.engine.support import RTX_DEFAULT, Targets
from enginewright.reference import Arrays, Reference

ROOT = Path(__file__).resolve().parents[2]

BATCH, ROWS, WIDTH, TOP = 2, 64, 32, 8
X = Binding("x", "float32", (BATCH, ROWS, WIDTH))
SCORES = Binding("scores", "float32", (BATCH, TOP))
INDEX = Binding("index", "int32", (BATCH, TOP))
Y = Binding("y", "float32", (BATCH, ROWS, WIDTH))
RANGES = {"batch": [1, 4], "rows": [16, 128]}

CONTRACT = Contract(
    kind=Kind.network,
    inputs=(Port("x", ("batch", "rows", "width")),),
    outputs=(
        Port("scores", ("batch", "top")),
        Port("index", ("batch", "top"), dtype="int32"),
        Port("y", ("batch", "rows", "width")),
    ),
)


def normalised_top(
    path: Path, *, dynamic: bool = False, half: bool = False, more: Sequence[onnx.NodeProto] = ()
) -> Path:
    """Write x -> MatMul -> LayerNormalization (y) -> ReduceMax -> TopK (scores, index), opset 17."""
    random = np.random.default_rng(0)
    product, kind = ("product_half", np.float16) if half else ("product", np.float32)
    weights = [
        numpy_helper.from_array(random.standard_normal((WIDTH, WIDTH)).astype(kind), "weight"),
        numpy_helper.from_array(np.ones(WIDTH, np.float32), "scale"),
        numpy_helper.from_array(np.zeros(WIDTH, np.float32), "bias"),
        numpy_helper.from_array(np.array([TOP], np.int64), "k"),
    ]
    half_nodes = [node("Cast", ["x"], ["x_half"], to=TensorProto.FLOAT16)] if half else []
    half_nodes += [node("MatMul", ["x_half" if half else "x", "weight"], [product])]
    half_nodes += [node("Cast", [product], ["product"], to=TensorProto.FLOAT)] if half else []
    nodes = [
        *half_nodes,
        node("LayerNormalization", ["product", "scale", "bias"], ["y"], axis=-1),
        node("ReduceMax", ["y"], ["best"], axes=[-1], keepdims=0),
        node("TopK", ["best", "k"], ["scores", "index64"], axis=-1),
        node("Cast", ["index64"], ["index"], to=TensorProto.INT32),
        *more,
    ]
    rows: Any = "rows" if dynamic else ROWS
    batch: Any = "batch" if dynamic else BATCH
    outputs = [
        helper.make_tensor_value_info("scores", TensorProto.FLOAT, [batch, TOP]),
        helper.make_tensor_value_info("index", TensorProto.INT32, [batch, TOP]),
        helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, rows, WIDTH]),
    ]
    shape = helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, rows, WIDTH])
    return save(path, nodes, [shape], outputs, weights)


def with_nonzero(path: Path) -> Path:
    """Write a graph with a NonZero node, which tensorrt_rtx cannot take: its output has no fixed size."""
    where = node("NonZero", ["y"], ["where"], name="find_peaks")
    gathered = node("Shape", ["where"], ["count"])
    return normalised_top(path, more=[where, gathered])


def many_outputs(path: Path, outputs: int = 8, width: int = 64) -> Path:
    """Write x (4, width, width) -> MatMul -> Softmax, `outputs` times in parallel."""
    random = np.random.default_rng(0)
    names = [f"out_{index}" for index in range(outputs)]
    weights = [numpy_helper.from_array(_normal(random, width), f"weight_{name}") for name in names]
    nodes = [node("MatMul", ["x", f"weight_{name}"], [f"product_{name}"]) for name in names]
    nodes += [node("Softmax", [f"product_{name}"], [name], axis=-1) for name in names]
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4, width, width]) for name in ["x", *names]]
    return save(path, nodes, infos[:1], infos[1:], weights)


def chain(path: Path, layers: int, width: int = 256) -> Path:
    """Write x (1, width, width) through many layers, which takes a builder seconds."""
    random = np.random.default_rng(0)
    nodes, weights = [], []
    for layer in range(layers):
        weights.append(numpy_helper.from_array(_normal(random, width), f"weight_{layer}"))
        before = f"state_{layer}" if layer else "x"
        after = f"state_{layer + 1}" if layer + 1 < layers else "y"
        nodes.append(node("MatMul", [before, f"weight_{layer}"], [f"product_{layer}"]))
        nodes.append(node("Softmax", [f"product_{layer}"], [after], axis=-1))
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, width, width]) for name in ("x", "y")]
    return save(path, nodes, infos[:1], infos[1:], weights)


def _normal(random: np.random.Generator, width: int) -> NDArray[np.float32]:
    return random.standard_normal((width, width)).astype(np.float32)


def node(operator: str, inputs: list[str], outputs: list[str], name: str = "", **attributes: Any) -> onnx.NodeProto:
    """Return a node that is named after its first output."""
    return helper.make_node(operator, inputs, outputs, name=name or outputs[0], **attributes)


def save(path: Path, nodes: list[Any], inputs: list[Any], outputs: list[Any], weights: list[Any]) -> Path:
    """Write a checked opset 17 model and return its path."""
    graph = helper.make_graph(nodes, "graph", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString(deterministic=True))
    return path


def job(build: BuildConfig | None = None, ranges: Mapping[str, Sequence[int]] | None = None) -> Job:
    """Return the job for `normalised_top`."""
    return Job(build or BuildConfig(), (X,), (SCORES, INDEX, Y), ranges or {})


def many_outputs_job() -> Job:
    """Return the job for `many_outputs`."""
    sizes = (4, 64, 64)
    outputs = tuple(Binding(f"out_{index}", "float32", sizes) for index in range(8))
    return Job(BuildConfig(), (Binding("x", "float32", sizes),), outputs, {})


def reference_of(path: Path, samples: int = 2) -> Reference:
    """Return the reference of `normalised_top`: its outputs in ONNX Runtime on seeded random inputs."""
    random = np.random.default_rng(1)
    inputs = random.standard_normal((samples, BATCH, ROWS, WIDTH)).astype(np.float32)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [port.name for port in CONTRACT.outputs]
    outputs = [session.run(names, {"x": sample}) for sample in inputs]
    stacked: Arrays = {name: np.stack(arrays) for name, arrays in zip(names, zip(*outputs, strict=True), strict=True)}
    return Reference({"x": inputs}, stacked, tuple(f"sample/{index}" for index in range(samples)), CONTRACT)


def built(engine: bytes = b"engine", version: str = "1.7.1.116", **options: Any) -> Built:
    """Return what building an engine of these bytes would have returned."""
    return Built(
        engine=engine,
        targets=Targets(RTX_DEFAULT, and_later=True),
        layers=13,
        layer_types={"float32": 12, "int32": 1},
        inputs=(Binding("x", "float32", ("batch", ROWS, WIDTH)),),
        outputs=(SCORES, INDEX, Y),
        profile={"x": {"min": [1, ROWS, WIDTH], "opt": [2, ROWS, WIDTH], "max": [4, ROWS, WIDTH]}},
        options={"tf32": False, "version_compatible": False} | options,
        versions={"tensorrt_rtx": version, "polygraphy": "0.53.6"},
        seconds=1.5,
        peak_mb=200.0,
        timing_cache_sha256=None,
    )


def record(engine: bytes = b"engine", version: str = "1.7.1.116", **options: Any) -> Record:
    """Return the record of such an engine."""
    return record_of(built(engine, version, **options), Builder.tensorrt_rtx, b"graph")
