"""The types of an engine's layers, read from the network that it is made of, against those of the typed graph."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from enginewright.config.choices import Builder
from enginewright.config.sections import BuildConfig
from enginewright.engine import api
from enginewright.engine.bindings import Binding
from enginewright.engine.build import Built, build_engine
from enginewright.engine.job import Job
from enginewright.engine.layer_types import check_layer_types, check_tf32
from enginewright.errors import BuildError
from enginewright.graphs.files import graph_bytes, load_graph
from enginewright.graphs.types import reduced_types
from tests.engine.graphs import ROOT

SIZE = 64
KINDS = {
    "float16": TensorProto.FLOAT16,
    "bfloat16": TensorProto.BFLOAT16,
    "int8": TensorProto.INT8,
    "float8": TensorProto.FLOAT8E4M3FN,
}
READ = """
import json, sys
from enginewright.config.choices import Builder
from enginewright.engine import api
from enginewright.engine.layer_types import layer_types
api.use(Builder.tensorrt_rtx)
from polygraphy.backend.trt import NetworkFromOnnxPath
parsed = NetworkFromOnnxPath(sys.argv[1], strongly_typed=True)()
print(json.dumps(layer_types(parsed[1])))
"""


def product(path: Path, kind: str | None) -> Path:
    """Write x -> MatMul -> y in a type: between casts, or between QuantizeLinear and DequantizeLinear."""
    weight = numpy_helper.from_array(np.eye(SIZE, dtype=np.float32), "weight")
    stored, nodes = [weight], []
    if kind is None:
        nodes = [helper.make_node("MatMul", ["x", "weight"], ["y"], name="product")]
    elif kind.startswith("b") or kind == "float16":
        nodes = [helper.make_node("Cast", [name], [f"{name}_low"], to=KINDS[kind]) for name in ("x", "weight")]
        nodes += [helper.make_node("MatMul", ["x_low", "weight_low"], ["y_low"], name="product")]
        nodes += [helper.make_node("Cast", ["y_low"], ["y"], to=TensorProto.FLOAT)]
    else:
        stored += [
            helper.make_tensor("zero", KINDS[kind], [], [0]),
            numpy_helper.from_array(np.array(0.1, np.float32), "scale"),
        ]
        for name in ("x", "weight"):
            nodes += [helper.make_node("QuantizeLinear", [name, "scale", "zero"], [f"{name}_low"])]
            nodes += [helper.make_node("DequantizeLinear", [f"{name}_low", "scale", "zero"], [f"{name}_back"])]
        nodes += [helper.make_node("MatMul", ["x_back", "weight_back"], ["y"], name="product")]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [SIZE, SIZE]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "product", ends[:1], ends[1:], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(graph_bytes(model))
    return path


def built(path: Path, **build: object) -> Built:
    x, y = (Binding(name, "float32", (SIZE, SIZE)) for name in ("x", "y"))
    return build_engine(path, Job(BuildConfig(**build), (x,), (y,), {}))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [None, *KINDS])
def test_an_engine_has_the_types_of_its_graph(kind: str | None, tmp_path: Path) -> None:
    path = product(tmp_path / "typed.onnx", kind)
    types = reduced_types(load_graph(path))
    assert types == (set() if kind is None else {kind})
    found = built(path).layer_types
    check_layer_types(found, types)
    assert found["float32"] > 0


@pytest.mark.parametrize("kind", KINDS)
def test_an_fp32_engine_of_a_reduced_graph_is_refused(kind: str, tmp_path: Path) -> None:
    """The planted fault: a reduced precision asked for, and an engine of fp32."""
    found = built(product(tmp_path / "plain.onnx", None)).layer_types
    with pytest.raises(BuildError, match="does not compute in the types of the typed graph") as caught:
        check_layer_types(found, frozenset({kind}))
    assert (caught.value.expected, caught.value.got) == (kind, found)


def test_a_reduced_engine_of_an_fp32_graph_is_refused() -> None:
    with pytest.raises(BuildError) as caught:
        check_layer_types({"float32": 3, "float16": 1, "int64": 2}, frozenset())
    assert caught.value.expected == "float32 only"


def test_integers_and_bools_are_no_reduced_types() -> None:
    check_layer_types({"float32": 3, "int64": 1, "int32": 2, "bool": 1, "uint8": 1}, frozenset())


def test_every_layer_output_is_counted_under_numpys_names(tmp_path: Path) -> None:
    path = product(tmp_path / "half.onnx", "float16")
    environment = api.environment(Builder.tensorrt_rtx, os.environ) | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == built(path).layer_types


def test_an_engine_of_fp8_is_for_gpus_that_have_it(tmp_path: Path) -> None:
    """The builder itself leaves earlier ones out where it may, and refuses them where they are asked for."""
    path = product(tmp_path / "typed.onnx", "float8")
    assert built(path).targets.compute_capabilities == ("8.9", "12.0", "12.1")
    with pytest.raises(BuildError, match="the builder made no engine") as caught:
        built(path, compute_capabilities=["8.6"])
    assert "fp8" in str(caught.value.got)


def test_a_tf32_flag_that_was_not_taken_is_refused() -> None:
    check_tf32({"tf32": True}, True)
    check_tf32({"tf32": False}, False)
    with pytest.raises(BuildError) as caught:
        check_tf32({"tf32": False}, True)
    assert (caught.value.expected, caught.value.got) == ("tf32=True", "tf32=False")
