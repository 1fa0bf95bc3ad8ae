from __future__ import annotations

import pytest
import torch
from torch import Tensor

from networks.parts.deformable import DeformableConv2d, limited, sample_at, taps
from tests.networks.published_aliked import deform_conv2d


def layer(channels: int, out: int, strength: float = 1.0) -> DeformableConv2d:
    """Return a layer with random weights; its offsets are `strength` times those of a fresh convolution."""
    torch.manual_seed(1)
    module = DeformableConv2d(channels, out).eval()
    with torch.no_grad():
        module.offset_conv.weight.mul_(strength)
        module.offset_conv.bias.mul_(strength)  # type: ignore[union-attr]
    return module


def by_the_operator(module: DeformableConv2d, x: Tensor) -> Tensor:
    """Return what ONNX Runtime's DeformConv makes of the same weights and offsets."""
    limit = max(x.shape[-2:]) / 4.0
    offsets = module.offset_conv(x).clamp(-limit, limit)
    weight = module.regular_conv.weight
    return deform_conv2d(input=x, weight=weight, offset=offsets, bias=None, padding=(1, 1), mask=None)


@pytest.mark.parametrize("shape", [(1, 4, 9, 9), (2, 3, 5, 12), (1, 3, 12, 5), (1, 2, 1, 6), (1, 2, 1, 1)])
@pytest.mark.parametrize("strength", [0.0, 1.0, 10.0])
def test_it_is_the_deformable_convolution_of_the_operator(shape: tuple[int, ...], strength: float) -> None:
    """With small offsets, none, and offsets that leave the map; on maps down to a pixel."""
    module = layer(shape[1], 5, strength)
    x = 3 * torch.randn(shape, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        torch.testing.assert_close(module(x), by_the_operator(module, x), atol=1e-4, rtol=1e-4)


def test_without_offsets_it_is_a_convolution() -> None:
    module = layer(4, 6, strength=0.0)
    x = torch.randn(2, 4, 7, 8)
    with torch.inference_mode():
        expected = torch.nn.functional.conv2d(x, module.regular_conv.weight, padding=1)
        torch.testing.assert_close(module(x), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("height", "width", "limit"), [(4, 8, 2.0), (12, 8, 3.0), (1, 2, 0.5)])
def test_offsets_reach_a_quarter_of_the_longer_side(height: int, width: int, limit: float) -> None:
    offsets = torch.tensor([-100.0, -limit, 0.25, limit, 100.0])
    found = limited(offsets, torch.zeros(1, 1, height, width))
    assert found.tolist() == [-limit, -limit, 0.25, limit, limit]


def test_offsets_of_a_batch_are_each_images_own() -> None:
    module, x = layer(3, 4, strength=5.0), torch.randn(3, 3, 6, 9)
    with torch.inference_mode():
        torch.testing.assert_close(module(x), torch.cat([module(image[None]) for image in x]))


def test_samples_lie_between_pixels_and_are_zero_outside() -> None:
    maps = torch.arange(12.0).reshape(1, 1, 3, 4)
    x, y = torch.tensor([[[1.0, 1.5, 3.0, 3.5, -1.0, 9.0]]]), torch.tensor([[[2.0, 0.5, 2.0, 2.0, 0.0, 9.0]]])
    found = sample_at(maps, x, y)
    torch.testing.assert_close(found, torch.tensor([[[[9.0, 3.5, 11.0, 5.5, 0.0, 0.0]]]]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("side", [1, 2, 33, 1024])
def test_the_nearest_sample_at_a_pixel_is_that_pixel_exactly(side: int) -> None:
    maps = torch.rand(1, 2, 1, side)
    x = torch.arange(side, dtype=torch.float32).reshape(1, 1, side)
    assert torch.equal(sample_at(maps, x, torch.zeros_like(x), mode="nearest"), maps)


def test_taps_lie_beside_each_other_pixel_by_pixel() -> None:
    assert taps(3, -1, torch.zeros(1)).tolist() == [-1, 0, 1, 0, 1, 2, 1, 2, 3]
