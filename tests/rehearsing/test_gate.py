"""The gate: every reduced tensor is read, those at fault are named with node, module and samples."""

from __future__ import annotations

import json

from enginewright.config.sections import CompareConfig
from enginewright.rehearsing.gate import ranges_of, tensors_in, verdict_of
from enginewright.verdicts import State
from tests.rehearsing.graphs import mean_square, reference

CONFIG = CompareConfig()
MODULES = {"square": "blocks.8.norm", "mean": "blocks.8.norm"}


def test_a_square_out_of_range_is_named() -> None:
    tensors = tensors_in(mean_square(), MODULES, reference(1450.0), CONFIG)
    verdict = verdict_of(tensors)
    assert verdict.state is State.failed
    assert verdict.reason.startswith(
        "3 of 6 tensors do not fit their format: mean (ReduceSum of blocks.8.norm): overflow: reaches 7.209e+06, "
        "110 times the largest float16, in sample/0, sample/1; square (Mul of blocks.8.norm): overflow: reaches 2.102e"
    )
    assert ranges_of(tensors)["faulty"] == 3


def test_a_sum_overflows_before_its_mean_does() -> None:
    tensors = tensors_in(mean_square(), MODULES, reference(200.0), CONFIG)
    assert {tensor.name: tensor.operator for tensor in tensors if tensor.fault} == {"mean/sum": "ReduceSum"}


def test_only_the_samples_that_overflow_are_named() -> None:
    tensors = tensors_in(mean_square(), {}, reference(380.0), CONFIG)
    assert {tensor.name: tensor.seen.overflows for tensor in tensors if tensor.fault} == {
        "square": ["sample/0"],
        "mean/sum": ["sample/0", "sample/1"],
    }
    one = CompareConfig(range_samples=1)
    faulty = [tensor for tensor in tensors_in(mean_square(), {}, reference(380.0), one) if tensor.fault]
    assert {tuple(tensor.seen.overflows) for tensor in faulty} == {("sample/0",)}


def test_what_fits_passes() -> None:
    assert verdict_of(tensors_in(mean_square(), {}, reference(100.0), CONFIG)).state is State.passed
    assert verdict_of(tensors_in(mean_square("bfloat16"), {}, reference(1450.0), CONFIG)).state is State.passed


def test_a_node_that_a_tool_made_has_the_module_before_it() -> None:
    tensors = {tensor.node: tensor.module for tensor in tensors_in(mean_square(), MODULES, reference(1.0), CONFIG)}
    assert tensors == {
        "down": "",
        "square": "blocks.8.norm",
        "mean": "blocks.8.norm",
        "root": "blocks.8.norm",
        "quotient": "blocks.8.norm",
    }


def test_rows_are_plain_and_in_the_graphs_order() -> None:
    tensors = tensors_in(mean_square(), MODULES, reference(1450.0), CONFIG)
    rows = [tensor.row(position) for position, tensor in enumerate(tensors)]
    assert [row["tensor"] for row in rows] == ["x_low", "square", "mean/sum", "mean", "root", "quotient"]
    assert rows[1]["over"] > 32
    json.dumps(rows, allow_nan=False)
