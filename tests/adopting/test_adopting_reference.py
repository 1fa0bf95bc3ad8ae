"""The reference of a file at its static shape and at the corners of its ranges, and the proof that rests on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from enginewright.adopting.proof import largest_difference, refuse_count, refuse_difference
from enginewright.config.choices import Form
from enginewright.config.sections import SwapConfig
from enginewright.contract.shapes import open_axes
from enginewright.errors import ConfigError, NetworkError
from enginewright.graphs.io import io_types
from enginewright.reference import Reference, load_reference, save_reference
from stages import adopt
from tests.adopting.files import WIDTH, options, text_inputs, transformer

RANGES = {"batch": [1, 3], "sequence": [4, 16]}


def adopted(ranges: dict[str, list[int]] | None = None) -> adopt.Adopted:
    given = options(text_inputs(batch=2, sequence=12), opset=18, ranges=ranges)
    return adopt.run(given, transformer().SerializeToString())


@pytest.fixture(scope="module")
def dynamic() -> adopt.Adopted:
    return adopted(RANGES)


def test_without_ranges_nothing_is_open() -> None:
    found = adopted()
    assert found.reference.corners == ()
    assert open_axes(found.reference.contract) == []
    assert not any("?" in text for text in io_types(found.graph))


def test_with_ranges_there_is_a_sample_at_each_corner(dynamic: adopt.Adopted) -> None:
    shapes = [shape.inputs["input_ids"].shape for shape in dynamic.reference.shapes]
    assert shapes == [(4, 2, 12), (1, 1, 4), (1, 1, 16), (1, 3, 4), (1, 3, 16)]
    for shape in dynamic.reference.shapes:
        batch, sequence = shape.inputs["input_ids"].shape[1:]
        assert shape.outputs["features"].shape[1:] == (batch, sequence, WIDTH)
        assert [shape.contract.shape(port)[0] for port in shape.contract.ports] == [batch] * 4


def test_outputs_whose_size_follows_stay_open_and_others_do_not(dynamic: adopt.Adopted) -> None:
    features, likeliest = dynamic.reference.contract.outputs
    assert features.dynamic == ("features[0]", "features[1]")
    assert likeliest.dynamic == ("likeliest[0]", "likeliest[1]")
    assert io_types(dynamic.graph)[2] == f"features float32 (?, ?, {WIDTH})"


def test_the_graph_names_its_open_axes_as_the_ranges_do(dynamic: adopt.Adopted) -> None:
    dims = dynamic.graph.graph.input[0].type.tensor_type.shape.dim
    assert [dim.dim_param for dim in dims] == list(RANGES)


def test_one_range_leaves_one_axis_open() -> None:
    found = adopted({"batch": [1, 4]})
    assert io_types(found.graph)[0] == "input_ids int64 (?, 12)"


def test_the_reference_survives_its_file(dynamic: adopt.Adopted, tmp_path: Path) -> None:
    save_reference(tmp_path / "reference.npz", dynamic.reference)
    again = load_reference(tmp_path / "reference.npz")
    assert again.contract == dynamic.reference.contract
    for one, other in zip(again.shapes, dynamic.reference.shapes, strict=True):
        assert one.contract.sizes == other.contract.sizes
        np.testing.assert_array_equal(one.outputs["features"], other.outputs["features"])


@pytest.mark.parametrize("ranges", [{"batch": [3, 4]}, {"sequence": [1, 8]}])
def test_a_range_without_the_size_in_the_configuration_is_refused(ranges: dict[str, list[int]]) -> None:
    with pytest.raises(ConfigError, match=r"leaves out the size in model\.inputs"):
        adopted(ranges)


def test_a_range_of_an_axis_that_the_file_fixes_is_refused() -> None:
    with pytest.raises(ConfigError, match="cannot leave open") as caught:
        adopted({"width": [1, 4]})
    assert caught.value.expected == ["batch", "sequence"]


def test_the_difference_counts_every_shape_and_no_index(dynamic: adopt.Adopted) -> None:
    graph = dynamic.graph.SerializeToString()
    assert largest_difference(graph, dynamic.reference) < 1e-5
    last = dynamic.reference.corners[-1]
    moved = last.outputs | {"features": last.outputs["features"] + 1, "likeliest": last.outputs["likeliest"] + 7}
    corner = Reference(last.inputs, moved, last.names, last.contract)
    static = dynamic.reference
    changed = Reference(static.inputs, static.outputs, static.names, static.contract, (corner,))
    assert largest_difference(graph, changed) == pytest.approx(1, abs=1e-4)


def test_a_nan_is_a_breach() -> None:
    with pytest.raises(NetworkError, match="at opset 18 with the LayerNorm form native computes something else"):
        refuse_difference(float("nan"), SwapConfig(Form.native), 18)
    refuse_difference(1e-3, SwapConfig(Form.native, max_abs=1e-3), 18)
    with pytest.raises(NetworkError) as caught:
        refuse_difference(1.1e-3, SwapConfig(Form.native, max_abs=1e-3), 18)
    assert caught.value.got == "0.0011"


def test_a_count_of_zero_counts_none() -> None:
    refuse_count(5, 0)
    refuse_count(5, 5)
    with pytest.raises(NetworkError):
        refuse_count(0, 5)


def test_the_original_is_run_and_not_the_prepared_graph(dynamic: adopt.Adopted) -> None:
    """The file in the tests is spelled out: what the reference came from has no operator."""
    assert not any(node.op_type == "LayerNormalization" for node in transformer().graph.node)
    assert any(node.op_type == "LayerNormalization" for node in dynamic.graph.graph.node)
    onnx.checker.check_model(dynamic.graph, full_check=True)
