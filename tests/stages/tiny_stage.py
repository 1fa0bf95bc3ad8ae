"""What the stages read and write for the tiny network, and the published ones at small sizes, with random weights."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

import enginewright
import networks
from enginewright.config.choices import Form
from enginewright.config.models import MatcherModel, ModelConfig
from enginewright.contract import Contract
from enginewright.graphs.files import graph_bytes
from enginewright.graphs.walk import all_messages
from enginewright.reference import Arrays, Reference
from enginewright.swapping.run_module import run_module
from enginewright.weights.store import write_checkpoint
from networks.layernorm import swap_layernorms
from networks.lightglue import LightGlue, LightGlueAdapter
from tests.stages.tiny import TinyAdapter

ROOT = Path(enginewright.__file__).parents[1]


class ShallowAdapter(LightGlueAdapter):
    """LightGlue of one narrow layer."""

    def module(self, model: MatcherModel) -> nn.Module:
        """Return the module."""
        arguments = (model.input_dim, model.filter_threshold, model.output, model.mask_padding)
        return LightGlue(*arguments, layers=1, width=32, heads=2)

    def contract(self, model: MatcherModel) -> Contract:
        """Return LightGlue's contract with the LayerNorm layers of one layer."""
        return dataclasses.replace(super().contract(model), layernorms=2)


@contextmanager
def registered(**adapters: Any) -> Iterator[None]:
    """Register adapters by name while the block runs, `tiny` and `shallow` always."""
    added = {"tiny": TinyAdapter, "shallow": ShallowAdapter, **adapters}
    before = {name: adapter for name, adapter in networks._REGISTRY.items() if name in added}
    for name, adapter in added.items():
        networks.network(name)(adapter)
    try:
        yield
    finally:
        for name in added:
            del networks._REGISTRY[name]
        networks._REGISTRY.update(before)


def module_of(model: ModelConfig) -> nn.Module:
    """Return a network's module with random weights, the same every time, every parameter other than its default."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = networks.load(model.adapter).module(model).eval()
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    return module


def swapped_module(model: ModelConfig, form: Form) -> nn.Module:
    """Return `module_of` with its LayerNorm layers in `form`."""
    module = module_of(model)
    swap_layernorms(module, form)
    return module


def checkpoint_of(model: ModelConfig, path: Path) -> Path:
    """Store the weights of `module_of` as the checkpoint stage does, and return their path."""
    write_checkpoint(path, module_of(model).state_dict())
    return path


def contract_of(model: ModelConfig) -> Contract:
    """Return a network's contract."""
    return networks.load(model.adapter).contract(model)


def inputs_of(contract: Contract, samples: int = 3) -> Arrays:
    """Return normally distributed inputs (S, *shape in the graph)."""
    random = np.random.default_rng(7)
    return {
        port.name: random.standard_normal((samples, *contract.shape(port))).astype(port.dtype)
        for port in contract.inputs
    }


def reference_of(model: ModelConfig, samples: int = 3) -> Reference:
    """Return the reference of `module_of` on `inputs_of`."""
    contract = contract_of(model)
    inputs = inputs_of(contract, samples)
    names = tuple(f"sample/{index}" for index in range(samples))
    return Reference(inputs, run_module(module_of(model), inputs, contract), names, contract)


def run_graph(graph: onnx.ModelProto, inputs: Mapping[str, Any]) -> Arrays:
    """Return the outputs of a graph in ONNX Runtime, by name."""
    session = onnxruntime.InferenceSession(graph_bytes(graph), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(inputs)), strict=True))


def run_torch(module: nn.Module, inputs: Mapping[str, Any], contract: Contract) -> Arrays:
    """Return the outputs of a module on one graph input of any size, by name."""
    with torch.no_grad():
        found = module(*(torch.from_numpy(inputs[port.name]) for port in contract.inputs))
    return {port.name: tensor.numpy() for port, tensor in zip(contract.outputs, found, strict=True)}


def assert_close(first: Arrays, second: Arrays, atol: float = 1e-5) -> None:
    """Fail unless two graph results agree in names, types, shapes and, within `atol`, values."""
    assert first.keys() == second.keys()
    for name, expected in first.items():
        assert (expected.dtype, expected.shape) == (second[name].dtype, second[name].shape), name
        np.testing.assert_allclose(second[name], expected, rtol=0, atol=atol, err_msg=name)


def assert_no_traces(graph: onnx.ModelProto) -> None:
    """Fail if anything in the graph says where, from what or by what it was written."""
    data = graph_bytes(graph)
    for text in (str(ROOT), sys.prefix, str(Path.home()) + "/", "site-packages", ".py", "File "):
        assert text.encode() not in data, text
    for item in all_messages(graph):
        names = item.DESCRIPTOR.fields_by_name
        assert not ("doc_string" in names and item.doc_string), item.doc_string
        kept = {entry.key for entry in item.metadata_props} if "metadata_props" in names else set()
        assert kept <= ({"enginewright.modules"} if isinstance(item, onnx.ModelProto) else set()), kept
