"""What is quantised is counted on the graph, and what is not what was asked for is refused."""

from __future__ import annotations

import onnx
import pytest

from enginewright.casting.products import (
    LEAST_SHARE,
    check_float,
    check_products,
    check_ranges,
    check_scales,
    quantised_nodes,
)
from enginewright.errors import GraphError
from tests.casting.qdq import quantised
from tests.graphs.small import scaled


def test_a_node_is_quantised_if_all_its_data_are() -> None:
    model = quantised()
    assert quantised_nodes(model) == ["first"]
    model.graph.node[4].input[1] = "weight"
    assert quantised_nodes(model) == []
    assert quantised_nodes(scaled()) == []


def test_half_of_the_products_is_enough_and_less_than_a_quarter_is_not() -> None:
    model = quantised()
    check_products(model, [])
    for index in range(3):
        model.graph.node.append(
            onnx.helper.make_node("MatMul", ["relu", "weight"], [f"m{index}"], name=f"more_{index}")
        )
    with pytest.raises(GraphError, match="too few products are quantised") as caught:
        check_products(model, [])
    assert caught.value.got == 1
    assert f"{LEAST_SHARE:.0%} of 5 nodes" in str(caught.value.expected)
    check_products(model, ["more_.*"])


def test_a_graph_without_a_quantised_product_is_refused_whatever_was_left_out() -> None:
    with pytest.raises(GraphError, match="too few products"):
        check_products(quantised(), ["first", "second"])
    with pytest.raises(GraphError, match="too few products"):
        check_products(scaled(), [])


def test_nodes_that_were_to_be_left_alone_are_proven_to_be() -> None:
    check_float(quantised(), ["second", "relu"])
    with pytest.raises(GraphError, match=r"nodes of precision.float_nodes are quantised") as caught:
        check_float(quantised(), ["second", "fir.*"])
    assert (caught.value.expected, caught.value.got) == ("fir.*", ["first"])
    with pytest.raises(GraphError, match=r"precision.float_nodes matches no node"):
        check_float(quantised(), ["third"])


@pytest.mark.parametrize("scale", [0.0, -0.5, float("nan"), float("inf")])
def test_a_scale_that_no_range_can_have_led_to_is_refused(scale: float) -> None:
    check_scales(quantised())
    with pytest.raises(GraphError, match="a quantised tensor has no usable scale") as caught:
        check_scales(quantised(scale=scale))
    assert isinstance(caught.value.got, dict)
    assert list(caught.value.got) == ["x"]
    with pytest.raises(GraphError, match="no usable scale"):
        check_scales(quantised(weight_scale=scale))


def test_a_scale_that_is_computed_is_refused() -> None:
    model = quantised()
    model.graph.initializer.remove(next(found for found in model.graph.initializer if found.name == "x_scale"))
    with pytest.raises(GraphError, match="no usable scale"):
        check_scales(model)


@pytest.mark.parametrize(("dtype", "unseen"), [("int8", 1.0), ("float8", 448 / 127)])
def test_an_activation_that_was_zero_throughout_is_refused(dtype: str, unseen: float) -> None:
    check_ranges(quantised(dtype=dtype))
    check_ranges(quantised(dtype=dtype, weight_scale=unseen))
    with pytest.raises(GraphError, match="calibration saw only zeros") as caught:
        check_ranges(quantised(dtype=dtype, scale=unseen))
    assert caught.value.got == ["x"]
