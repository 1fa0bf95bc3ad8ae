"""The graph of a configured network, exported with arbitrary weights: no checkpoint is fetched."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from enginewright.config.composed import plain
from enginewright.config.models import MergedModel, OnnxModel
from enginewright.config.network import AXES, NetworkConfig, check_name
from enginewright.config.typed import typed, typed_network
from enginewright.stage.by_hand import composed_for

if TYPE_CHECKING:
    import onnx
    from torch import nn

    from enginewright.contract import Contract


def network_configs(name: str, overrides: list[str]) -> dict[str, NetworkConfig]:
    """Return the configuration of a network with Hydra overrides, and of those that it is made of or fed by.

    Raises:
        ConfigError: for a network or a value that does not fit.
    """
    check_name(name)
    networks = composed_for(name, overrides)["networks"]
    return {network: typed_network(values, network) for network, values in networks.items()}


def exported(name: str, configs: Mapping[str, NetworkConfig]) -> onnx.ModelProto:
    """Return the graph that simplify would get, but with the weights that a torch module starts with.

    Raises:
        GraphError, NetworkError: as the stages do that make it.
    """
    model = configs[name].model
    if isinstance(model, OnnxModel):
        return _adopted(name, configs[name], model)
    if isinstance(model, MergedModel):
        return _merged(configs[name].extractor, model.matcher, configs)
    return _exported(configs[name])


def _exported(config: NetworkConfig) -> onnx.ModelProto:
    import networks
    from enginewright.weights.state import fit
    from enginewright.weights.store import write_checkpoint
    from stages import export

    adapter = networks.load(config.model.adapter)
    module = adapter.module(config.model)
    _try(module, adapter.contract(config.model))
    with tempfile.TemporaryDirectory(prefix="enginewright-") as folder:
        checkpoint = Path(folder) / "arbitrary.safetensors"
        write_checkpoint(checkpoint, fit(module.state_dict(), module))  # a copy of each: some modules share weights
        return export.run(config.model, config.swap.form, config.export, checkpoint)


def _try(module: nn.Module, contract: Contract) -> None:
    """Run the module once: an exporter takes outputs, such as lists, that the swap stage will refuse."""
    from enginewright.exporting.request import ExportRequest
    from enginewright.swapping.run_module import run_module

    inputs = ExportRequest(contract, opset=0, dynamic=False).example_inputs()
    arrays = {port.name: tensor.numpy()[None] for port, tensor in zip(contract.inputs, inputs, strict=True)}
    run_module(module.eval(), arrays, contract)


def _adopted(name: str, config: NetworkConfig, model: OnnxModel) -> onnx.ModelProto:
    """Return an ONNX file's graph: the file itself has to be fetched, as it is all that there is."""
    from enginewright.checkpoint.cache import cache_folder
    from enginewright.checkpoint.sources import fetch
    from stages import adopt

    options = adopt.Options(model, config.data, config.swap, config.export)
    return adopt.run(options, fetch(config.checkpoint, cache_folder()), f"the ONNX file of {name}").graph


def _merged(extractor: str, matcher: str, configs: Mapping[str, NetworkConfig]) -> onnx.ModelProto:
    import networks
    from enginewright.merging.contract import merged_contract
    from enginewright.merging.graph import merged_graph

    parts = [configs[name] for name in (extractor, matcher)]
    first, second = (networks.load(part.model.adapter).contract(part.model) for part in parts)
    extractor_graph, matcher_graph = map(_exported, parts)
    return merged_graph(extractor_graph, matcher_graph, merged_contract(first, second))


def sections(overrides: list[str]) -> dict[str, Any]:
    """Return the sections that every network starts from, by the names of conf/: builder, precision, simplify ...

    Raises:
        ConfigError: for a value that does not fit.
    """
    found = plain(overrides)
    return {axis: typed(cls, found[axis], axis) for axis, (_, cls) in AXES.items()}
