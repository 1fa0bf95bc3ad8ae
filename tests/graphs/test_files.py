"""ONNX files: what is refused when they are read, and that equal models are equal files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto

from enginewright.errors import GraphError
from enginewright.graphs.files import check_graph, graph_bytes, load_graph, read_graph, save_graph
from enginewright.graphs.walk import all_tensors
from tests.graphs.small import nested, scaled, sparse, tensor, value, write

Edit = Callable[[onnx.ModelProto], object]


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    path = tmp_path / "graph.onnx"
    save_graph(path, nested())
    return path


def test_a_saved_graph_is_read_back_equal(whole: Path) -> None:
    assert load_graph(whole) == nested()
    assert whole.read_bytes() == graph_bytes(nested())
    assert [path.name for path in whole.parent.iterdir()] == ["graph.onnx"]


def test_equal_models_give_equal_bytes_in_whatever_order_they_were_filled() -> None:
    first, second = scaled(), onnx.ModelProto()
    second.graph.CopyFrom(first.graph)
    second.ir_version = first.ir_version
    second.opset_import.extend(first.opset_import)
    assert graph_bytes(first) == graph_bytes(second)
    assert graph_bytes(scaled(2.0)) != graph_bytes(scaled(3.0))


@pytest.mark.parametrize("content", [b"", b"\x00", b"not a graph", b"\xff" * 100, bytes(range(256)), b"PK\x03\x04"])
def test_garbage_is_no_model(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "exported.onnx"
    path.write_bytes(content)
    with pytest.raises(GraphError, match=r"exported\.onnx is no ONNX model") as caught:
        load_graph(path)
    assert caught.value.cure == "build it again with dvc repro"
    with pytest.raises(GraphError) as caught:
        read_graph(path, "name an ONNX file")
    assert caught.value.cure == "name an ONNX file"


def test_a_graph_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    data = graph_bytes(scaled())
    path = tmp_path / "cut.onnx"
    for length in range(len(data)):
        path.write_bytes(data[:length])
        assert _refused(path), length


def _refused(path: Path) -> bool:
    try:
        load_graph(path)
    except GraphError:
        return True
    return False


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_no_bytes_end_in_another_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "fuzz.onnx"
    path.write_bytes(data)
    if not _refused(path):
        assert load_graph(path).graph.node


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(min_value=0), bits=st.integers(1, 255))
def test_a_flipped_byte_is_refused_or_still_a_graph(tmp_path: Path, position: int, bits: int) -> None:
    data = bytearray(graph_bytes(nested()))
    data[position % len(data)] ^= bits
    path = tmp_path / "flipped.onnx"
    path.write_bytes(bytes(data))
    if not _refused(path):
        assert load_graph(path) != nested()


def _external(found: onnx.TensorProto) -> None:
    found.data_location = TensorProto.EXTERNAL
    found.external_data.add(key="location", value="weights.bin")


def _move(name: str) -> Edit:
    def edit(model: onnx.ModelProto) -> None:
        _external(next(found for found in all_tensors(model) if found.name == name))

    return edit


def _move_sparse(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.append(sparse("few"))
    _external(model.graph.sparse_initializer[0].values)


PLACES = {
    "initializer": ("sign", _move("sign")),
    "initializer of a subgraph": ("chosen_else_stored", _move("chosen_else_stored")),
    "constant of a subgraph": ("chosen_then_constant", _move("chosen_then_constant")),
    "constant of a function": ("yes", _move("yes")),
    "subgraph of a function": ("b_else_stored", _move("b_else_stored")),
    "sparse initializer": ("few", _move_sparse),
}


@pytest.mark.parametrize("place", PLACES)
def test_external_data_is_refused_wherever_it_lies(tmp_path: Path, place: str) -> None:
    (name, edit), model = PLACES[place], nested()
    edit(model)
    path = write(tmp_path / "graph.onnx", model)
    for refused in (lambda: load_graph(path), lambda: save_graph(tmp_path / "again.onnx", model)):
        with pytest.raises(GraphError, match=rf"keeps the tensor {name} in another file") as caught:
            refused()
        assert "save_as_external_data=False" in str(caught.value)
    assert not (tmp_path / "again.onnx").exists()


def test_external_data_that_onnx_itself_wrote_is_refused(tmp_path: Path) -> None:
    model = scaled()
    model.graph.initializer[0].CopyFrom(tensor("factor", np.ones((1, 4))))
    path = tmp_path / "graph.onnx"
    onnx.save(model, path, save_as_external_data=True, size_threshold=0)
    assert len(list(tmp_path.iterdir())) == 2
    with pytest.raises(GraphError, match="keeps the tensor factor in another file"):
        load_graph(path)


def _wrong_operator(model: onnx.ModelProto) -> None:
    model.graph.node[0].op_type = "NoSuchOperator"


def _dangling(model: onnx.ModelProto) -> None:
    model.graph.node[0].input[0] = "nowhere"


def _wrong_type(model: onnx.ModelProto) -> None:
    model.graph.output[0].CopyFrom(value("y", (1, 4), TensorProto.INT64))


def _wrong_shape(model: onnx.ModelProto) -> None:
    model.graph.output[0].CopyFrom(value("y", (1, 5)))


@pytest.mark.parametrize("breakage", [_wrong_operator, _dangling, _wrong_type, _wrong_shape])
def test_the_full_check_of_onnx_runs_before_anything_is_written(tmp_path: Path, breakage: Edit) -> None:
    model = scaled()
    check_graph(model, "sound")
    breakage(model)
    path = tmp_path / "graph.onnx"
    with pytest.raises(GraphError, match=r"graph\.onnx does not pass the ONNX checker: ."):
        save_graph(path, model)
    assert not list(tmp_path.iterdir())


def test_a_refused_graph_leaves_the_earlier_one_as_it_was(whole: Path) -> None:
    before, model = whole.read_bytes(), scaled()
    _dangling(model)
    with pytest.raises(GraphError):
        save_graph(whole, model)
    assert whole.read_bytes() == before
