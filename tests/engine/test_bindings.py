from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tensorrt_rtx as trt

from enginewright.engine.bindings import Binding, check_bindings, inputs_of, outputs_of
from enginewright.errors import GraphError
from tests.engine.graphs import BATCH, INDEX, ROWS, SCORES, WIDTH, X, Y, normalised_top

LOGGER = trt.Logger(trt.Logger.ERROR)


@pytest.fixture
def parsed(tmp_path: Path) -> Any:
    """Return a function from a graph's options to its network, parsed by the real parser."""
    alive: list[Any] = []

    def parse(**options: Any) -> Any:
        builder = trt.Builder(LOGGER)
        network = builder.create_network(0)
        parser = trt.OnnxParser(network, LOGGER)
        assert parser.parse(normalised_top(tmp_path / "graph.onnx", **options).read_bytes())
        alive.extend([builder, network, parser])
        return network

    return parse


def test_inputs_and_outputs_have_the_names_types_and_shapes_of_the_graph(parsed: Any) -> None:
    network = parsed()
    assert inputs_of(network) == (X,)
    assert outputs_of(network) == (SCORES, INDEX, Y)


def test_dynamic_axes_have_the_names_of_the_graph(parsed: Any) -> None:
    network = parsed(dynamic=True)
    assert inputs_of(network) == (Binding("x", "float32", ("batch", "rows", WIDTH)),)
    assert outputs_of(network)[0] == Binding("scores", "float32", (-1, 8))


def test_types_are_numpy_names(parsed: Any) -> None:
    network = parsed()
    network.mark_output(network.get_layer(0).get_output(0))
    half = parsed(half=True)
    cast = next(half.get_layer(i) for i in range(half.num_layers) if half.get_layer(i).type == trt.LayerType.CAST)
    half.mark_output(cast.get_output(0))
    assert outputs_of(half)[-1].dtype == "float16"
    assert {binding.dtype for binding in outputs_of(network)} == {"float32", "int32"}


def test_a_binding_survives_json() -> None:
    assert Binding.from_json({"name": "x", "dtype": "float32", "shape": ["batch", 3]}) == Binding(
        "x", "float32", ("batch", 3)
    )


def test_equal_bindings_pass_in_any_order() -> None:
    check_bindings("output", (Y, SCORES, INDEX), (SCORES, INDEX, Y))


def test_dynamic_axes_fit_any_size() -> None:
    check_bindings("input", (replace(X, shape=("batch", -1, WIDTH)),), (X,))


@pytest.mark.parametrize("found", [(SCORES,), (SCORES, INDEX, Y, X), (SCORES, INDEX, replace(Y, name="z"))])
def test_other_names_are_refused(found: tuple[Binding, ...]) -> None:
    with pytest.raises(GraphError, match="other outputs than the contract") as caught:
        check_bindings("output", found, (SCORES, INDEX, Y))
    assert caught.value.expected == ["index", "scores", "y"]
    assert caught.value.got == sorted(binding.name for binding in found)


@pytest.mark.parametrize("dtype", ["float16", "int64"])
def test_other_types_are_refused(dtype: str) -> None:
    with pytest.raises(GraphError, match="the output index of the typed graph has the wrong type") as caught:
        check_bindings("output", (replace(INDEX, dtype=dtype),), (INDEX,))
    assert "int32" in str(caught.value)
    assert caught.value.got == dtype


@pytest.mark.parametrize(
    "shape", [(BATCH, ROWS), (BATCH, ROWS + 1, WIDTH), ("batch", ROWS, 1), (1, BATCH, ROWS, WIDTH)]
)
def test_other_shapes_are_refused(shape: tuple[int | str, ...]) -> None:
    with pytest.raises(GraphError, match="does not have the shape of the reference") as caught:
        check_bindings("input", (replace(X, shape=shape),), (X,))
    assert caught.value.expected == [BATCH, ROWS, WIDTH]
    assert caught.value.got == list(shape)
