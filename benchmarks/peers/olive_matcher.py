"""What Olive is given: the module that the export stage exports, with the same weights, inputs and names.

Olive loads this file and calls its functions, in a clone of the pipeline.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import networks
from enginewright.config.network import NetworkConfig
from enginewright.config.params import read_networks
from enginewright.config.typed import typed_network
from enginewright.exporting.request import ExportRequest
from enginewright.weights.store import load_checkpoint

if TYPE_CHECKING:
    import torch
    from torch import nn

NETWORK = "disk_lightglue"


def _network() -> NetworkConfig:
    return typed_network(read_networks(Path("params.yaml"), Path("conf"))[NETWORK], NETWORK)


def _request() -> ExportRequest:
    found = _network()
    contract = networks.load(found.model.adapter).contract(found.model)
    return ExportRequest(contract, found.export.opset, dynamic=False)


def load(_path: str | None = None) -> nn.Module:
    """Return LightGlue with DISK's weights."""
    model = _network().model
    module: nn.Module = networks.load(model.adapter).module(model).eval()
    load_checkpoint(Path("weights") / NETWORK / "checkpoint.safetensors", module)
    return module


def inputs(_model: object = None) -> tuple[torch.Tensor, ...]:
    """Return the inputs that the export stage traces with."""
    return _request().example_inputs()


def io_config(_model: object = None) -> dict[str, Any]:
    """Return names and shapes of inputs and outputs."""
    request = _request()
    shapes = [list(tensor.shape) for tensor in request.example_inputs()]
    return {"input_names": request.input_names, "input_shapes": shapes, "output_names": request.output_names}
