"""Takes out of a graph what depends on where the project lies, and names its nodes and its open axes."""

from __future__ import annotations

import onnx

from enginewright.contract import Contract, Port
from enginewright.graphs.modules import keep_modules, kept_modules
from enginewright.graphs.walk import all_messages

_NOTES = ("doc_string", "metadata_props")


def strip_notes(model: onnx.ModelProto) -> None:
    """Clear documentation strings and metadata of the model and of everything in it.

    The dynamo exporter writes absolute paths and source lines there: a moved checkout would change every hash. What
    `keep_modules` wrote stays: it has none.
    """
    modules = kept_modules(model)
    for item in all_messages(model):
        for name in _NOTES:
            if name in item.DESCRIPTOR.fields_by_name:
                item.ClearField(name)
    keep_modules(model, modules)


def name_nodes(model: onnx.ModelProto) -> None:
    """Give each node of the main graph a name of its own, by what it makes: one without, or with that of another node.

    Precision is assigned to nodes by name.
    """
    taken = {node.name for node in model.graph.node}
    seen = {""}
    for node in model.graph.node:
        if node.name in seen:
            node.name = _free(f"{node.op_type}/{next(iter(node.output), '')}", taken)
            taken.add(node.name)
        seen.add(node.name)


def _free(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name


def name_axes(model: onnx.ModelProto, contract: Contract) -> None:
    """Give the axes of inputs and outputs that an exporter left open the names of the contract, or its sizes.

    Exporters invent names such as s77; profiles are configured by the contract's. With one axis open the TorchScript
    exporter also loses sizes that have nothing to do with it: those that the contract fixes are written back.
    """
    ports = {port.name: port for port in contract.ports}
    for value in (*model.graph.input, *model.graph.output):
        if value.name in ports:
            _name(value.type.tensor_type.shape, ports[value.name], contract)


def _name(shape: onnx.TensorShapeProto, port: Port, contract: Contract) -> None:
    for dimension, axis in zip(shape.dim, port.axes, strict=False):  # another rank is for `check_io` to refuse
        if dimension.HasField("dim_value"):
            continue
        if axis in port.dynamic:
            dimension.dim_param = axis
        else:
            dimension.dim_value = contract.sizes[axis]
