"""Every exporter takes part by itself and through every simplifier, and the pipeline's graphs beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from benchmarks.graphs import contestants as made
from benchmarks.graphs.contestants import EXTRACTOR, MATCHER, TOOLS, contestants


def graph_with_a_detour() -> onnx.ModelProto:
    """Return x + 0, and what no simplifier leaves there."""
    value = helper.make_tensor_value_info
    nodes = [
        helper.make_node("Identity", ["x"], ["same"]),
        helper.make_node("Transpose", ["same"], ["turned"], perm=[1, 0]),
        helper.make_node("Transpose", ["turned"], ["back"], perm=[1, 0]),
        helper.make_node("Relu", ["back"], ["y"]),
    ]
    ends = [value("x", TensorProto.FLOAT, (2, 3))], [value("y", TensorProto.FLOAT, (2, 3))]
    return helper.make_model(
        helper.make_graph(nodes, "g", *ends), opset_imports=[helper.make_opsetid("", 20)], ir_version=10
    )


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let every export give the same small graph, and return the folder."""

    def write(path: Path, *_: object) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        onnx.save(graph_with_a_detour(), path)

    monkeypatch.setattr(made, "write_exported", write)
    monkeypatch.setattr(made, "write_simplified", write)
    monkeypatch.setattr(made, "needed", lambda network, file: tmp_path / network / file)
    return tmp_path / "graphs"


@pytest.mark.parametrize(("network", "ours"), [(EXTRACTOR, 1), (MATCHER, 3)])
def test_all_take_part_once(network: str, ours: int, there: Path) -> None:
    found = list(contestants(network, there))
    assert len({graph.name for graph in found}) == len(found) == ours + 2 * (1 + len(TOOLS))
    assert sum(graph.ours for graph in found) == ours
    assert all(graph.path.is_file() for graph in found if graph.name != "pipeline")


@pytest.mark.parametrize("tool", TOOLS)
def test_a_simplifier_simplifies_and_keeps_the_function(tool: str) -> None:
    model = TOOLS[tool](graph_with_a_detour())
    assert [node.op_type for node in model.graph.node] == ["Relu"]
    x = np.array([[-1, 2, 3], [4, -5, 6]], np.float32)
    (y,) = ReferenceEvaluator(model).run(None, {"x": x})
    np.testing.assert_array_equal(y, np.maximum(x, 0))
