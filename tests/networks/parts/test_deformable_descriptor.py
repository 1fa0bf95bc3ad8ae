from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from torch import Tensor

from networks.parts.deformable_descriptor import DescriptorHead

CHANNELS, SAMPLES = 6, 4


@pytest.fixture(scope="module")
def head() -> DescriptorHead:
    """Return a head whose offsets are large enough to leave a small map."""
    torch.manual_seed(5)
    module = DescriptorHead(CHANNELS, SAMPLES).eval()
    with torch.no_grad():
        module.state_dict()["offset_conv.0.weight"].mul_(8)
    return module


def bilinear(maps: Tensor, x: float, y: float) -> Tensor:
    """Return (C,) of `maps` (C, H, W) between four pixels, those outside being zero."""
    left, top = int(x // 1), int(y // 1)
    found = torch.zeros(maps.shape[0])
    for column, row in ((left, top), (left + 1, top), (left, top + 1), (left + 1, top + 1)):
        if 0 <= column < maps.shape[2] and 0 <= row < maps.shape[1]:
            found += maps[:, row, column] * (1 - abs(x - column)) * (1 - abs(y - row))
    return found


def plain(head: DescriptorHead, maps: Tensor, x: float, y: float) -> Tensor:
    """Return one descriptor, computed for its keypoint alone and sample by sample."""
    height, width = maps.shape[1:]
    column, row = (min(max(int(at) - 1, 0), size - 4) for at, size in ((x, width), (y, height)))
    patch = maps[None, :, row : row + 3, column : column + 3]
    limit = max(height, width) / 4
    offsets = head.offset_conv(patch).clamp(-limit, limit).flatten()
    total = torch.zeros(CHANNELS)
    for index in range(SAMPLES):
        right, down = float(offsets[index]), float(offsets[SAMPLES + index])
        sample = bilinear(maps, x + right, y + down)
        total += F.selu(head.sf_conv.weight[:, :, 0, 0] @ sample) @ head.agg_weights[index]
    return F.normalize(total, dim=0)


@pytest.mark.parametrize(("height", "width"), [(10, 17), (17, 10)])
def test_descriptors_are_those_of_each_keypoint_alone(head: DescriptorHead, height: int, width: int) -> None:
    """Keypoints between pixels, on one, and up to the border, where the kernel spares the last pixel."""
    maps = torch.randn(2, CHANNELS, height, width, generator=torch.Generator().manual_seed(6))
    x = torch.tensor([[0.0, 3.25, 4.0, width - 1.0, width - 1.5], [1.5, width - 2.0, 0.75, 5.9, 2.0]])
    y = torch.tensor([[0.0, 6.5, 7.0, height - 1.0, 0.5], [height - 3.0, 4.75, height - 1.5, 1.0, 2.0]])
    with torch.inference_mode():
        found = head(maps, x, y)
        for image in range(2):
            alone = [plain(head, maps[image], float(a), float(b)) for a, b in zip(x[image], y[image], strict=True)]
            torch.testing.assert_close(found[image], torch.stack(alone), atol=1e-4, rtol=1e-4)


def test_descriptors_have_unit_length(head: DescriptorHead) -> None:
    maps = torch.randn(1, CHANNELS, 12, 12)
    with torch.inference_mode():
        found = head(maps, 11 * torch.rand(1, 50), 11 * torch.rand(1, 50))
    torch.testing.assert_close(found.norm(dim=-1), torch.ones(1, 50))


def test_its_state_dict_has_the_published_names_and_shapes() -> None:
    shapes = {key: tuple(tensor.shape) for key, tensor in DescriptorHead(128, 16).state_dict().items()}
    assert shapes == {
        "agg_weights": (16, 128, 128),
        "offset_conv.0.weight": (32, 128, 3, 3),
        "offset_conv.0.bias": (32,),
        "offset_conv.2.weight": (32, 32, 1, 1),
        "offset_conv.2.bias": (32,),
        "sf_conv.weight": (128, 128, 1, 1),
    }
