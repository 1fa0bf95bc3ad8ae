"""The order of a cast graph: casts before what reads them, whatever order they came in, in any process."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from enginewright.casting.order import settle
from enginewright.graphs.files import check_graph
from tests.graphs.small import model_of, nested, value

ROOT = Path(__file__).resolve().parents[2]
NAMES = "abcdefgh"
IN_A_PROCESS = """
import sys
from enginewright.casting.autocast import cast_all_but
from enginewright.config.choices import Precision
from enginewright.graphs.files import graph_bytes
from tests.casting.test_order import sums

sys.stdout.buffer.write(graph_bytes(cast_all_but([], sums(), Precision.fp16, 65504.0)))
"""


def cast(source: str, target: str, kind: int) -> onnx.NodeProto:
    return helper.make_node("Cast", [source], [target], f"{target}/cast", to=kind)


def sums() -> onnx.ModelProto:
    """Return the sum of eight inputs, one after another."""
    nodes = [
        helper.make_node("Add", [f"to {left}" if index else left, right], [f"to {right}"], f"add {right}")
        for index, (left, right) in enumerate(pairwise(NAMES))
    ]
    return model_of(nodes, [value(name, (1, 4)) for name in NAMES], [value("to h", (1, 4))], [])


def halves() -> onnx.ModelProto:
    """Return a sum in float16, of casts, one of them a cast of a cast; its result is cast back."""
    nodes = [
        cast("a", "low a", TensorProto.FLOAT16),
        cast("b", "wide b", TensorProto.DOUBLE),
        cast("wide b", "low b", TensorProto.FLOAT16),
        helper.make_node("Add", ["low b", "low a"], ["low"], "add"),
        cast("low", "y", TensorProto.FLOAT),
        cast("low", "more", TensorProto.DOUBLE),
    ]
    outputs = [value("y", (1, 4)), value("more", (1, 4), TensorProto.DOUBLE)]
    return model_of(nodes, [value("a", (1, 4)), value("b", (1, 4))], outputs, [])


def test_casts_stand_right_before_what_reads_them_first_and_the_last_ones_by_name() -> None:
    model = halves()
    settle(model)
    assert [node.output[0] for node in model.graph.node] == ["wide b", "low b", "low a", "low", "more", "y"]
    check_graph(model, "settled")


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_casts_and_types_becomes_the_same(seed: int) -> None:
    expected, model = (onnx.shape_inference.infer_shapes(halves()) for _ in range(2))
    nodes, infos = list(model.graph.node), list(model.graph.value_info)
    generator = np.random.default_rng(seed)
    nodes, infos = ([items[index] for index in generator.permutation(len(items))] for items in (nodes, infos))
    del model.graph.node[:], model.graph.value_info[:]
    model.graph.node.extend(nodes)
    model.graph.value_info.extend(infos)
    settle(expected)
    settle(model)
    assert model == expected


def test_a_cast_that_a_subgraph_reads_stands_before_its_node() -> None:
    model = nested()
    outer = next(node for node in model.graph.node if any(attribute.HasField("g") for attribute in node.attribute))
    inner = next(attribute.g for attribute in outer.attribute if attribute.HasField("g")).node[0]
    read = inner.input[0]
    inner.input[0] = "again"
    model.graph.node.append(cast(read, "again", TensorProto.FLOAT))
    settle(model)
    names = [node.output[0] for node in model.graph.node]
    assert names.index("again") == names.index(outer.output[0]) - 1


def cast_with(seed: str) -> bytes:
    environment = os.environ | {"PYTHONHASHSEED": seed}
    return subprocess.run(
        [sys.executable, "-c", IN_A_PROCESS], check=True, cwd=ROOT, env=environment, stdout=subprocess.PIPE, timeout=300
    ).stdout


def test_two_processes_cast_to_the_same_bytes() -> None:
    """Eight casts of inputs: without an order of ours, AutoCast writes them in that of the process's hashes."""
    first = cast_with("1")
    assert len(first) > 0
    assert cast_with("2") == first
