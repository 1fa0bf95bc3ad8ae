"""Operators that ONNX Runtime has not in bfloat16, computed in float32 between two casts.

Its CUDA provider lacks a few (Greater, for example, in 1.31.1), and without them no bf16 graph would run at all. A
comparison of bfloat16 values is the same in float32; anything else is computed in float32 and rounded once, as the
kernels that there are do it. What was replaced is told beside the result.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

from enginewright.artifacts import write_bytes
from enginewright.errors import RequirementError
from enginewright.gpu.session import Session
from enginewright.graphs.files import graph_bytes
from enginewright.graphs.types import tensor_types

_MISSING = re.compile(r"\b([A-Z]\w*)(?:\(\d+\))? node with name")
"""How ONNX Runtime names the operator that it has no kernel for: `Greater(13) node with name`, or without version."""


@contextmanager
def runnable(graph: Path, provider: str) -> Iterator[tuple[Path, list[str]]]:
    """Yield a graph that the provider has kernels for, and the operators that are computed in float32 for it.

    Raises:
        RequirementError: if the provider cannot start here, or lacks a kernel that float32 cannot stand in for.
    """
    replaced: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="runnable-") as folder:
        path, other = graph, Path(folder) / graph.name
        while missing := _lacking(path, provider):
            path = other
            replaced.add(_responsible(missing, graph, path, replaced, provider))
            _write(path, graph, replaced)
        yield path, sorted(replaced)


def _responsible(missing: str, graph: Path, scratch: Path, replaced: set[str], provider: str) -> str:
    """Return the operator of the graph that needs the missing one: itself, or one that ONNX defines as a function."""
    operators = _in_bfloat16(onnx.load(graph)) - replaced
    if missing in operators:
        return missing
    for operator in sorted(filter(_is_function, operators)):
        _write(scratch, graph, replaced | {operator})
        if _lacking(scratch, provider) != missing:
            return operator
    raise RequirementError(f"ONNX Runtime's {provider} has no kernel for {missing} of {graph.name}")


def _write(path: Path, graph: Path, operators: set[str]) -> None:
    write_bytes(path, graph_bytes(in_float32(onnx.load(graph), operators)))


def _in_bfloat16(model: onnx.ModelProto) -> set[str]:
    types = tensor_types(model)
    return {
        node.op_type
        for node in model.graph.node
        if any(types.get(name) == TensorProto.BFLOAT16 for name in (*node.input, *node.output))
    }


def _is_function(operator: str) -> bool:
    schema: Any = onnx.defs.get_schema(operator)  # its stub lacks both attributes
    return bool(schema.has_function or schema.has_context_dependent_function)


def _lacking(graph: Path, provider: str) -> str | None:
    """Return the first operator that the provider has no kernel for, None where the graph loads."""
    try:
        Session(graph, provider)
    except RequirementError as error:
        if named := _MISSING.search(str(error.__cause__)):
            return named.group(1)
        raise
    return None


def in_float32(model: onnx.ModelProto, operators: set[str]) -> onnx.ModelProto:
    """Return the model with every bfloat16 node of these operators in float32 between casts, outputs cast back."""
    types = tensor_types(model)
    nodes = [step for node in model.graph.node for step in _steps(node, operators, types)]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def _steps(node: onnx.NodeProto, operators: set[str], types: dict[str, int]) -> Iterator[onnx.NodeProto]:
    if node.op_type not in operators:
        yield node
        return
    for index, name in enumerate(node.input):
        if types.get(name) == TensorProto.BFLOAT16:
            node.input[index] = f"{node.name}/{index}/float32"
            yield _cast(name, node.input[index], TensorProto.FLOAT)
    back = [(index, name) for index, name in enumerate(node.output) if types.get(name) == TensorProto.BFLOAT16]
    for _, name in back:
        node.output[[*node.output].index(name)] = f"{name}/float32"
    yield node
    for _, name in back:
        yield _cast(f"{name}/float32", name, TensorProto.BFLOAT16)


def _cast(source: str, target: str, kind: int) -> onnx.NodeProto:
    return helper.make_node("Cast", [source], [target], f"{target}/cast", to=kind)
