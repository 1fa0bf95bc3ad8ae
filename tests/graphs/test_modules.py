"""Module paths of nodes, from both exporters, through everything that later tools do to a graph."""

from __future__ import annotations

import onnx
import pytest
import torch
from onnx import helper
from torch import Tensor, nn

from enginewright.config.choices import Exporter
from enginewright.contract import Contract, Kind, Port
from enginewright.exporting import exporter
from enginewright.exporting.request import ExportRequest
from enginewright.graphs.clean import strip_notes
from enginewright.graphs.modules import keep_modules, kept_modules, module_paths, nearest_modules
from tests.graphs.small import model_of, value

CONTRACT = Contract(
    Kind.network,
    (Port("x", ("batch", "width")),),
    (Port("y", ("batch", "width")),),
    {"batch": 1, "width": 4},
)


class Block(nn.Module):
    """x plus a sequence of it."""

    def __init__(self) -> None:
        super().__init__()
        self.ffn = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        return x + self.ffn(x)  # type: ignore[no-any-return]


class Net(nn.Module):
    """Two blocks in a list: blocks.0.ffn.1 is the path of a LayerNorm."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block() for _ in range(2))

    def forward(self, x: Tensor) -> tuple[Tensor]:
        for block in self.blocks:
            x = block(x)
        return (x,)


@pytest.mark.parametrize("kind", list(Exporter))
def test_both_exporters_say_which_module_a_node_comes_from(kind: Exporter) -> None:
    torch.manual_seed(0)
    model = exporter(kind)(Net().eval(), ExportRequest(CONTRACT, 18, dynamic=False))
    paths = module_paths(model)
    of = {node.op_type: [] for node in model.graph.node}  # type: ignore[var-annotated]
    for node in model.graph.node:
        of[node.op_type].append(paths.get(node.name, ""))
    assert of["LayerNormalization"] == ["blocks.0.ffn.1", "blocks.1.ffn.1"]
    assert of["Tanh"] == ["blocks.0.ffn.2", "blocks.1.ffn.2"]


def test_they_are_kept_in_the_model_and_nothing_else_is() -> None:
    model = model_of([helper.make_node("Relu", ["x"], ["y"], "r")], [value("x", (1, 4))], [value("y", (1, 4))])
    model.metadata_props.add(key="path", value="/somewhere")
    strip_notes(model)
    keep_modules(model, {"r": "blocks.0"})
    assert [entry.key for entry in model.metadata_props] == ["enginewright.modules"]
    assert kept_modules(model) == {"r": "blocks.0"}
    keep_modules(model, {})
    assert not model.metadata_props
    assert kept_modules(model) == {}
    onnx.checker.check_model(model)


@pytest.mark.parametrize("text", ["no json", "[1]", '{"r": 1}', ""])
def test_an_entry_that_somebody_else_wrote_says_nothing(text: str) -> None:
    model = model_of([helper.make_node("Relu", ["x"], ["y"], "r")], [value("x", (1, 4))], [value("y", (1, 4))])
    model.metadata_props.add(key="enginewright.modules", value=text)
    assert kept_modules(model) == {}


def test_they_stay_when_notes_are_taken_out() -> None:
    model = model_of([helper.make_node("Relu", ["x"], ["y"], "r")], [value("x", (1, 4))], [value("y", (1, 4))])
    keep_modules(model, {"r": "blocks.0"})
    model.graph.node[0].doc_string = "/somewhere"
    strip_notes(model)
    assert (kept_modules(model), model.graph.node[0].doc_string) == ({"r": "blocks.0"}, "")


@pytest.mark.parametrize("scopes", ["no list", "{}", "[1", "[]"])
def test_scopes_that_are_none_say_nothing(scopes: str) -> None:
    node = helper.make_node("Relu", ["x"], ["y"], "r")
    node.metadata_props.add(key="pkg.torch.onnx.name_scopes", value=scopes)
    assert module_paths(model_of([node], [value("x", (1, 4))], [value("y", (1, 4))])) == {}


def test_a_node_without_a_path_has_that_of_the_nearest_before_it() -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["a"], "first"),
        helper.make_node("Cast", ["a"], ["b"], "made_by_a_tool", to=1),
        helper.make_node("Add", ["b", "x"], ["y"], "last"),
    ]
    model = model_of(nodes, [value("x", (1, 4))], [value("y", (1, 4))])
    assert nearest_modules(model, {"first": "head"}) == dict.fromkeys(("first", "made_by_a_tool", "last"), "head")
    assert nearest_modules(model, {"last": "tail"}) == {"first": "", "made_by_a_tool": "", "last": "tail"}
