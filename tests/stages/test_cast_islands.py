"""fp32 islands of LayerNorm: found by what they compute, kept by the cast, and missed where a cast drops them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto

from enginewright.casting.autocast import cast_mixed
from enginewright.config.choices import Form, Keep
from enginewright.config.sections import CastConfig, SimplifyConfig
from enginewright.errors import GraphError
from enginewright.graphs.files import load_graph
from enginewright.graphs.layernorm_forms.count import decomposed_nodes
from enginewright.graphs.types import tensor_types
from enginewright.reference import Reference
from stages import simplify
from stages.cast import run
from tests.graphs.small import write
from tests.stages.cast_graphs import exported
from tests.stages.test_cast import FP16, NODES


@pytest.mark.parametrize("simplified", [False, True])
def test_every_node_of_an_island_computes_in_fp32_and_nothing_else_does(
    simplified: bool, decomposed: Path, reference: Reference, tmp_path: Path
) -> None:
    path = decomposed
    if simplified:
        path = write(tmp_path / "simplified.onnx", simplify.run(SimplifyConfig(keep=Keep.simplified), decomposed)[0])
    graph, _ = run(FP16, path, reference, Form.island)
    types, found = tensor_types(graph), decomposed_nodes(graph)
    assert [len(nodes) for nodes in found] == [NODES, NODES]
    names = {node.name for nodes in found for node in nodes}
    for node in graph.graph.node:
        kinds = {types[name] for name in (*node.input, *node.output)} & {TensorProto.FLOAT, TensorProto.FLOAT16}
        if node.op_type != "Cast" and kinds:
            assert kinds == {TensorProto.FLOAT if node.name in names else TensorProto.FLOAT16}, node.name


@pytest.mark.parametrize("form", [Form.native, Form.scaled])
def test_no_island_to_be_found_is_blamed_on_the_graph_before(form: Form, folder: Path, reference: Reference) -> None:
    with pytest.raises(GraphError, match="the cast stage finds no LayerNorm to keep in fp32") as caught:
        run(FP16, exported(folder, form), reference, Form.island)
    assert (caught.value.expected, caught.value.got) == ("decomposed LayerNorms, of 2 layers", 0)


def test_a_network_without_layernorms_has_no_islands(decomposed: Path, reference: Reference) -> None:
    none = replace(reference, contract=replace(reference.contract, layernorms=0))
    assert run(FP16, decomposed, none, Form.island)[1]["fp32_nodes"] == 0


def dropping_islands(
    model: onnx.ModelProto, config: CastConfig, reference: Reference, _: Sequence[str]
) -> onnx.ModelProto:
    """Cast as if nobody had asked for islands."""
    return cast_mixed(model, config, reference, [])


def test_a_cast_that_drops_the_islands_is_refused(
    decomposed: Path, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("enginewright.casting.autocast.cast_mixed", dropping_islands)
    with pytest.raises(GraphError, match="nodes that must stay fp32 compute in a reduced type") as caught:
        run(FP16, decomposed, reference, Form.island)
    assert isinstance(caught.value.got, list)
    assert len(caught.value.got) == NODES


@pytest.mark.parametrize("form", [Form.island, Form.scaled])
def test_a_cast_that_fuses_them_is_refused(
    form: Form, folder: Path, native: Path, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = exported(folder, form)
    fused = cast_mixed(load_graph(native), FP16, reference, [])
    monkeypatch.setattr("enginewright.casting.autocast.cast_mixed", lambda *_: fused)
    with pytest.raises(GraphError, match="ModelOpt changed the LayerNorm form") as caught:
        run(FP16, path, reference, form)
    assert caught.value.got == "2 operators, 0 decomposed, 0 scaled"
