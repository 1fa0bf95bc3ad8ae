"""torch's own spellings, by both exporters: nn.LayerNorm below its operator's opset, and LayerNorm written by hand."""

from __future__ import annotations

import io
import warnings
from typing import Any, cast

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from enginewright.exporting.older import to_17
from enginewright.graphs.layernorm import layernorm_ops
from enginewright.graphs.layernorm_forms import decompose_layernorms, decomposed_layernorms, fuse_layernorms
from tests.graphs.layernorm_forms.spelling import SHAPE, apart, sample


class ByVar(nn.Module):
    """The biased variance of torch.var."""

    def forward(self, x: Tensor) -> Tensor:
        mean, variance = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, unbiased=False)
        return (x - mean) / torch.sqrt(variance + 1e-5)


class ByPower(nn.Module):
    """The annotated transformer's way, with a power of a half."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(1, 2, SHAPE[-1]))

    def forward(self, x: Tensor) -> Tensor:
        centred = x - x.mean(-1, keepdim=True)
        return self.weight * (centred * torch.rsqrt((centred**2).mean(-1, keepdim=True) + 1e-5))


class ByMoments(nn.Module):
    """E[x^2] - E[x]^2."""

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean(-1, keepdim=True)
        variance = (x * x).mean(-1, keepdim=True) - mean * mean
        return (x - mean) * (variance + 1e-5) ** -0.5


class Unbiased(nn.Module):
    """No LayerNorm: the unbiased deviation, with epsilon outside."""

    def forward(self, x: Tensor) -> Tensor:
        return (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + 1e-5)


def exported(module: nn.Module, opset: int, dynamo: bool = False) -> onnx.ModelProto:
    x = torch.from_numpy(sample())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if dynamo:
            program = torch.onnx.export(
                module.eval(), (x,), dynamo=True, opset_version=opset, input_names=["x"], verbose=False
            )
            assert program is not None
            return program.model_proto
        buffer = io.BytesIO()
        torch.onnx.export(
            module.eval(), (x,), cast("Any", buffer), dynamo=False, opset_version=opset, input_names=["x"]
        )
    return onnx.load_model_from_string(buffer.getvalue())


def with_weights(norm: nn.LayerNorm) -> nn.LayerNorm:
    torch.manual_seed(0)
    for parameter in norm.parameters():
        nn.init.normal_(parameter)
    return norm


@pytest.mark.parametrize(
    "norm",
    [nn.LayerNorm(8), nn.LayerNorm((4, 8), eps=1e-12), nn.LayerNorm(8, elementwise_affine=False)],
    ids=str,
)
def test_the_layer_of_torch_at_opset_16_becomes_an_operator_at_17(norm: nn.LayerNorm) -> None:
    model = exported(with_weights(norm), 16)
    assert (layernorm_ops(model), decomposed_layernorms(model)) == (0, 1)
    newer = onnx.version_converter.convert_version(model, 17)
    fused = fuse_layernorms(newer)
    assert (fused.changed, fused.left) == (1, ())
    assert apart(model, fused.model, sample()) < 1e-5


@pytest.mark.parametrize("opset", [17, 20])
def test_the_layer_of_torch_as_an_operator_is_spelled_out(opset: int) -> None:
    model = exported(with_weights(nn.LayerNorm(8)), opset)
    assert layernorm_ops(model) == 1
    spelled = decompose_layernorms(model)
    assert spelled.changed == 1
    assert apart(model, spelled.model, sample()) < 1e-5


@pytest.mark.parametrize("module", [ByVar(), ByPower(), ByMoments()], ids=lambda module: type(module).__name__)
@pytest.mark.parametrize("opset", [17, 20])
def test_a_layernorm_written_by_hand_is_recognised_from_the_tracing_exporter(module: nn.Module, opset: int) -> None:
    model = exported(module, opset)
    fused = fuse_layernorms(model)
    assert (fused.changed, fused.left) == (1, ())
    assert apart(model, fused.model, sample()) < 1e-5


@pytest.mark.parametrize("module", [ByVar(), ByPower(), ByMoments()], ids=lambda module: type(module).__name__)
def test_and_from_the_dynamo_exporter(module: nn.Module) -> None:
    model = exported(module, 18, dynamo=True)
    for version in (model, to_17(model)):
        fused = fuse_layernorms(version)
        assert (fused.changed, fused.left) == (1, ())
        assert apart(model, fused.model, sample()) < 1e-5


@pytest.mark.parametrize("opset", [17, 20])
def test_an_unbiased_deviation_is_not_taken_for_one(opset: int) -> None:
    model = exported(Unbiased(), opset)
    assert fuse_layernorms(model).changed == 0


class Block(nn.Module):
    """A transformer block: normalise, attend, add; normalise, project, add."""

    def __init__(self) -> None:
        super().__init__()
        self.norms = nn.ModuleList(with_weights(nn.LayerNorm(8)) for _ in range(2))
        self.project = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norms[0](x)
        x = x + torch.softmax(y @ y.transpose(-1, -2), dim=-1) @ y
        return x + torch.relu(self.project(self.norms[1](x)))


@pytest.mark.parametrize("blocks", [1, 3])
def test_a_transformer_has_two_a_block(blocks: int) -> None:
    model = exported(nn.Sequential(*(Block() for _ in range(blocks))), 16)
    fused = fuse_layernorms(onnx.version_converter.convert_version(model, 17))
    assert (fused.changed, fused.left) == (2 * blocks, ())
    assert apart(model, fused.model, sample()) < 1e-5
    assert decompose_layernorms(fused.model).changed == 2 * blocks


def test_the_sample_has_a_mean_and_a_variance_worth_normalising() -> None:
    x = sample()
    assert np.abs(x.mean(-1)).max() > 0.5
    assert x.var(-1).max() > 2
