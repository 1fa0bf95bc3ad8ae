"""Questions in numbered steps: together, halved, one by one, and past those that killed an earlier process."""

from __future__ import annotations

import onnx
import pytest
from onnx import TensorProto

from enginewright.preflight.task import TOGETHER, WHOLE
from enginewright.preflight.tool import Parsed, Refusal
from tests.preflight.asking import asker
from tests.preflight.graphs import (
    FLOAT,
    INT64,
    attention,
    convolution,
    deformable,
    layernorm,
    model,
    node,
    nonzero,
    one,
    topk,
    value,
)


def models() -> dict[int, onnx.ModelProto]:
    """Return clean graphs and, under 2, 5 and 7, refused ones: by parser, builder and parser."""
    return {
        0: convolution(),
        2: nonzero(),
        3: layernorm(),
        5: topk(4096, 8192),
        6: topk(16, 8192),
        7: deformable(),
        9: convolution(),
    }


def test_the_refused_ones_among_many_are_found() -> None:
    steps: list[int] = []
    found = asker(steps).all(models())
    assert {number: (refusal.operator, refusal.by) for number, refusal in found.items()} == {
        2: ("NonZero", "parser"),
        5: ("", "builder"),
        7: ("DeformConv", "parser"),
    }
    assert steps == [TOGETHER]


def test_the_answers_are_the_same_one_by_one() -> None:
    steps: list[int] = []
    found = asker(steps, {TOGETHER: "SIGFPE"}).all(models())
    assert found == asker().all(models())
    assert steps == list(models())


def test_clean_ones_and_none_at_all_are_not_refused() -> None:
    clean = {number: graph for number, graph in models().items() if number not in (2, 5, 7)}
    assert asker().all(clean) == {}
    assert asker().all({}) == {}
    assert asker().all({4: convolution()}) == {}


def test_one_that_killed_a_process_is_refused_without_being_asked() -> None:
    steps: list[int] = []
    found = asker(steps, {0: "SIGSEGV", TOGETHER: "SIGSEGV"}).all({0: convolution(), 1: layernorm()})
    assert [(number, refusal.message, refusal.late) for number, refusal in found.items()] == [
        (0, "the builder's process dies of it: SIGSEGV", True)
    ]
    assert steps == [1]


def test_one_that_killed_a_process_alone_is_not_asked_together_either() -> None:
    steps: list[int] = []
    found = asker(steps, {0: "SIGFPE"}).all({0: convolution(), 1: layernorm()})
    assert list(found) == [0]
    assert steps == [TOGETHER]


def test_the_whole_graph_is_a_step_too() -> None:
    steps: list[int] = []
    assert isinstance(asker(steps).parse(convolution()), Parsed)
    assert steps == [WHOLE]
    assert isinstance(asker(fatal={WHOLE: "SIGFPE"}).parse(convolution()), Refusal)


def test_what_has_no_kernel_is_found_among_others() -> None:
    found = asker().all({0: convolution(), 1: attention(), 2: attention(TensorProto.FLOAT16)})
    assert [(number, refusal.late) for number, refusal in found.items()] == [(1, True)]


@pytest.mark.parametrize(
    ("kind", "axes", "taken"),
    [
        (FLOAT, 2, True),
        (FLOAT, 0, True),
        (FLOAT, 8, True),
        (FLOAT, 9, False),
        (TensorProto.INT64, 1, True),
        (TensorProto.UINT8, 4, True),
        (TensorProto.BOOL, 1, True),
        (TensorProto.BFLOAT16, 1, True),
        (TensorProto.DOUBLE, 1, True),
        (TensorProto.INT16, 1, False),
        (TensorProto.UINT32, 1, False),
        (TensorProto.STRING, 1, False),
        (TensorProto.COMPLEX64, 1, False),
    ],
)
def test_the_parser_is_asked_which_inputs_it_takes(kind: int, axes: int, taken: bool) -> None:
    assert asker().takes(value("x", (1,) * axes, kind).type.tensor_type) is taken


def test_an_input_that_is_a_shape_needs_its_values() -> None:
    shape, index = value("s", (2,), INT64), value("i", (2,), INT64)
    steps: list[int] = []
    expand = one(node("Expand", ["x", "s"], ["y"]), value("x", (1, 1)), shape)
    gather = one(node("Gather", ["x", "i"], ["y"]), value("x", (4, 4)), index)
    assert asker(steps).needs_values(3, expand)
    assert not asker(steps).needs_values(4, gather)
    assert not asker(steps).needs_values(5, model([node("NonZero", ["i"], ["y"])], [index], [value("y", None, INT64)]))
    assert not asker(steps, {6: "SIGSEGV"}).needs_values(6, expand)
    assert steps == [3, 4, 5]
