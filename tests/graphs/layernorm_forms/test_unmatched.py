"""What looks like a LayerNorm and is read as none is told, and nothing else is."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from enginewright.graphs.layernorm_forms import fuse_layernorms
from tests.graphs.layernorm_forms.spelling import EPSILON, Nodes, Spelling
from tests.graphs.layernorm_forms.test_sizes import divided, last


def normalised(
    *, outside: bool = False, scaled: bool = False, twice: bool = False, root: str = "Sqrt", cast: bool = False
) -> onnx.ModelProto:
    """Return a normalisation with epsilon in an odd place: behind the root, or twice."""
    nodes = Nodes()
    mean = nodes.reduce("ReduceMean", "x", [-1])
    centred = nodes.add("Sub", "x", mean)
    square = nodes.add("Pow", centred, nodes.store(2.0))
    variance = nodes.reduce("ReduceMean", square, [-1])
    if not outside:
        variance = nodes.add("Add", nodes.add("Mul", variance, nodes.store(1.1)), nodes.store(EPSILON))
    deviation = nodes.add("Sqrt", variance) if root == "Sqrt" else nodes.add("Pow", variance, nodes.store(0.5))
    if outside:
        deviation = nodes.add("Add", deviation, nodes.store(EPSILON))
    above = nodes.add("Sub", "x", mean) if twice else centred
    if scaled:
        above = nodes.add("Mul", nodes.store(np.full(8, 1.5)), above)
    if cast:
        above = nodes.add("Cast", above, to=TensorProto.FLOAT)
    return nodes.model(nodes.add("Div", above, deviation, out="normal"))


@pytest.mark.parametrize("root", ["Sqrt", "Pow"])
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("twice", [False, True])
def test_an_epsilon_behind_the_root_is_told_with_the_node(root: str, scaled: bool, twice: bool) -> None:
    model = normalised(outside=True, root=root, scaled=scaled, twice=twice)
    rewrite = fuse_layernorms(model)
    adding = next(node for node in model.graph.node if node.op_type == "Add")
    assert rewrite.changed == 0
    assert rewrite.left == (
        f"normal: it looks like a LayerNorm, but Add {adding.name} is no step of one that is known",
    )


@pytest.mark.parametrize("cast", [False, True])
def test_a_variance_that_is_scaled_is_told(cast: bool) -> None:
    (reason,) = fuse_layernorms(normalised(cast=cast)).left
    assert "it looks like a LayerNorm, but Mul " in reason


def test_an_unbiased_variance_is_told() -> None:
    rewrite = fuse_layernorms(divided(last, biased=False))
    assert rewrite.changed == 0
    assert "it looks like a LayerNorm, but Div " in rewrite.left[0]


def test_a_mean_that_is_not_known_is_told_by_its_difference() -> None:
    nodes = Nodes()
    total = nodes.reduce("ReduceSum", "x", [-1])
    mean = nodes.add("Div", total, nodes.store(7.0))
    centred = nodes.add("Sub", "x", mean)
    variance = nodes.reduce("ReduceMean", nodes.add("Mul", centred, centred), [-1])
    (reason,) = fuse_layernorms(nodes.model(nodes.add("Div", centred, nodes.add("Sqrt", variance)))).left
    assert "it looks like a LayerNorm, but Sub " in reason


@pytest.mark.parametrize(
    "spelling",
    [
        Spelling(),
        Spelling(minus="twice"),
        Spelling(minus="negative", square="reversed"),
        Spelling(mean="sum_div", variance="clipped", root="half"),
        Spelling(scale="number", root="one_over", early=True),
        Spelling(offset=True, root="minus_half"),
    ],
    ids=str,
)
def test_what_is_recognised_is_not_told_of(spelling: Spelling) -> None:
    rewrite = fuse_layernorms(spelling.model())
    assert (rewrite.changed, rewrite.left) == (1, ())


def test_what_is_left_for_a_reason_is_told_once() -> None:
    nodes = Nodes()
    centred = nodes.add("Sub", "x", nodes.reduce("ReduceMean", "x", [1]))
    variance = nodes.reduce("ReduceMean", nodes.add("Mul", centred, centred), [1])
    (reason,) = fuse_layernorms(nodes.model(nodes.add("Div", centred, nodes.add("Sqrt", variance)))).left
    assert "axes" in reason


def test_root_mean_squares_and_softmaxes_are_nothing_like_it() -> None:
    nodes = Nodes()
    root = nodes.add("Sqrt", nodes.reduce("ReduceMean", nodes.add("Mul", "x", "x"), [-1]))
    normal = nodes.add("Div", "x", root)
    power = nodes.add("Exp", nodes.add("Sub", normal, nodes.reduce("ReduceMax", normal, [-1])))
    soft = nodes.add("Div", power, nodes.reduce("ReduceSum", power, [-1]))
    distance = nodes.add("Sub", soft, nodes.reduce("ReduceMean", soft, [-1]))
    rewrite = fuse_layernorms(nodes.model(nodes.add("Sqrt", nodes.add("Mul", distance, distance))))
    assert (rewrite.changed, rewrite.left) == (0, ())
