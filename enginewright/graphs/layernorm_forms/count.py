"""How many LayerNorms of each form a graph has, found by what they compute, and which nodes the decomposed ones are."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import onnx

from enginewright.graphs.layernorm_forms.candidates import chains
from enginewright.graphs.layernorm_forms.operators import OPERATOR, layernorm_ops
from enginewright.graphs.layernorm_forms.reading import Reading
from enginewright.graphs.layernorm_forms.rewrite import copied
from enginewright.graphs.layernorm_forms.scaled import scaled_layernorms, scaled_nodes
from enginewright.graphs.layernorm_forms.scope import Scope, scopes


@dataclass(frozen=True)
class Forms:
    """Numbers of LayerNorms. decomposed: any normalisation by mean and variance that is spelled out counts."""

    operators: int
    decomposed: int
    scaled: int

    def __add__(self, other: Forms) -> Forms:
        return Forms(*(one + more for one, more in zip(astuple(self), astuple(other), strict=True)))

    def __str__(self) -> str:
        return f"{self.operators} operators, {self.decomposed} decomposed, {self.scaled} scaled"

    def metrics(self) -> dict[str, int]:
        """Return the counts under the names that metrics have."""
        return {
            "layernorm_ops": self.operators,
            "layernorm_decomposed": self.decomposed,
            "layernorm_scaled": self.scaled,
        }


def forms_of(model: onnx.ModelProto) -> Forms:
    """Return the LayerNorms of a model by form: subgraphs and functions included, what nothing reads left out.

    Unlike `decomposed_layernorms` this counts a decomposed one with casts inside, or over any axes.
    """
    found = scopes(copied(model))
    decomposed = sum(len(chains(scope, Reading(scope))) for scope in found)
    return Forms(layernorm_ops(model), decomposed, sum(scaled_layernorms(scope) for scope in found))


def decomposed_nodes(model: onnx.ModelProto) -> list[list[onnx.NodeProto]]:
    """Return the nodes of each decomposed LayerNorm of the main graph, from mean to bias; casts are not among them."""
    scope = scopes(model)[0]
    found = [sorted(candidate.term.nodes) for candidate in chains(scope, Reading(scope))]
    return [_without_casts(scope, indices) for indices in found]


def layernorm_nodes(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """Return the nodes of the main graph that compute LayerNorms, of any form; casts are not among them."""
    operators = [node for node in model.graph.node if node.op_type == OPERATOR]
    scaled = [node for nodes in scaled_nodes(scopes(model)[0]) for node in nodes if node.op_type != "Cast"]
    return [*operators, *(node for nodes in decomposed_nodes(model) for node in nodes), *scaled]


def _without_casts(scope: Scope, indices: list[int]) -> list[onnx.NodeProto]:
    nodes = [scope.graph.node[index] for index in indices]
    return [node for node in nodes if node.op_type != "Cast"]
