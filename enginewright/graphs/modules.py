"""Which torch module each node of an exported graph comes from, kept in the graph beside its nodes.

Exporters say it in ways that later tools lose (a node's metadata) or that are no path (a node's name). So export reads
it and keeps it as one entry of the model's metadata, which holds no path of a machine.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping

import onnx

_KEY = "enginewright.modules"
_SCOPES = "pkg.torch.onnx.name_scopes"
"""Where the dynamo exporter writes the modules around a node, outermost first, and last the node itself."""


def module_paths(model: onnx.ModelProto) -> dict[str, str]:
    """Return {node name: path of its module, as in the state dict} for the nodes that an exporter says it of."""
    return {node.name: path for node in model.graph.node if (path := _path(node))}


def _path(node: onnx.NodeProto) -> str:
    scopes = next((entry.value for entry in node.metadata_props if entry.key == _SCOPES), None)
    if scopes is None:
        return _of_name(node.name)
    return next((scope for scope in reversed(_listed(scopes)[:-1]) if scope), "")


def _listed(text: str) -> list[str]:
    try:
        found = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return []
    return [str(scope) for scope in found] if isinstance(found, list) else []


def _of_name(name: str) -> str:
    """Return the path in a name of the TorchScript exporter: of /blocks.0/ffn/ffn.1/Mul it is blocks.0.ffn.1.

    A child of a container is written behind it with the container's name before its own.
    """
    steps: list[str] = []
    for step in name.strip("/").split("/")[:-1] if name.startswith("/") else []:
        if steps and step.startswith(f"{steps[-1]}."):
            steps.pop()
        steps.append(step)
    return ".".join(steps)


def keep_modules(model: onnx.ModelProto, paths: Mapping[str, str]) -> None:
    """Write the paths into the model's metadata, in the place of what is there."""
    del model.metadata_props[:]
    if paths:
        model.metadata_props.add(key=_KEY, value=json.dumps(dict(sorted(paths.items())), separators=(",", ":")))


def kept_modules(model: onnx.ModelProto) -> dict[str, str]:
    """Return what `keep_modules` wrote; nothing for a graph that never was a torch module."""
    text = next((entry.value for entry in model.metadata_props if entry.key == _KEY), "{}")
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    named = isinstance(found, dict) and all(isinstance(path, str) for path in found.values())
    return found if named else {}


def nearest_modules(model: onnx.ModelProto, paths: Mapping[str, str]) -> dict[str, str]:
    """Return a path for every node: its own or, where a tool renamed or made it, that of the nearest one before it."""
    makers = {name: node.name for node in model.graph.node for name in node.output}
    found: dict[str, str] = {}
    for node in model.graph.node:
        before = (found.get(makers.get(name, ""), "") for name in _inputs(node))
        found[node.name] = paths.get(node.name) or next((path for path in before if path), "")
    return found


def _inputs(node: onnx.NodeProto) -> Iterator[str]:
    yield from (name for name in node.input if name)
