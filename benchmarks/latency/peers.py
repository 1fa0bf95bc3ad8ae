"""The torch modules that the graphs were exported from, in a type of their own; float32 goes in and comes out."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from torch import Tensor, nn

import networks.lightglue
from benchmarks.latency.contestant import EXTRACTORS, MATCHER
from networks.aliked import Aliked
from networks.disk import Disk
from networks.lightglue import LightGlue
from networks.parts.assignment import padding_bias
from networks.parts.soft_detection import SoftDetector

INPUTS = {MATCHER: ("keypoints", "descriptors")} | dict.fromkeys(EXTRACTORS, ("image",))
OUTPUTS = {MATCHER: ("matches", "mscores")} | dict.fromkeys(EXTRACTORS, ("keypoints", "scores", "descriptors", "valid"))

Weights = dict[str, Tensor]


def peer(network: str, weights: Weights, kind: torch.dtype, keypoints: int, masked: bool, fused: bool) -> nn.Module:  # noqa: PLR0913, PLR0917
    """Return the network of these weights, computing in `kind`.

    masked: leave out padding, as the matcher's graphs do by default. fused: torch's own attention instead of the
    module's, which is written out in products and a softmax.
    """
    if network in EXTRACTORS:
        return {"disk": _disk, "aliked": _aliked}[network](weights, kind, keypoints)
    setattr(networks.lightglue, "padding_bias", typed_bias)  # noqa: B010 - the module imports it, and does not export it
    if fused:
        networks.lightglue.attend = attended
    return Matcher(_matcher(weights, masked), kind).eval()


class Matcher(nn.Module):
    """LightGlue in a type of its own."""

    def __init__(self, matcher: LightGlue, kind: torch.dtype) -> None:
        super().__init__()
        self.matcher, self.kind = matcher.to(kind), kind

    def forward(self, keypoints: Tensor, descriptors: Tensor) -> tuple[Tensor, Tensor]:
        """Return matches and mscores."""
        matches, scores = self.matcher(keypoints.to(self.kind), descriptors.to(self.kind))
        return matches, scores.float()


def typed_bias(descriptors: Tensor) -> Tensor:
    """Return what `padding_bias` returns in the type of the descriptors: in half precision nothing takes float32."""
    return padding_bias(descriptors).to(descriptors.dtype)


def attended(queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None) -> Tensor:
    """Return what `networks.lightglue.attend` returns, by torch's own fused attention."""
    return F.scaled_dot_product_attention(queries, keys, values, attn_mask=bias, scale=1.0)


def _matcher(weights: Weights, masked: bool) -> LightGlue:
    """Return the matcher that these weights fit."""
    width = weights["layers.0.self_attn.Wqkv.weight"].shape[1]
    dimension = weights["input_proj.weight"].shape[1] if "input_proj.weight" in weights else width
    layers = sum(key.endswith("Wqkv.weight") for key in weights)
    matcher = LightGlue(dimension, mask_padding=masked, layers=layers, width=width)
    matcher.load_state_dict(weights)
    return matcher


class Maps(nn.Module):
    """DISK's U-Net in a type of its own; what finds keypoints in its maps stays float32, as the pipeline's casts do."""

    def __init__(self, unet: nn.Module, kind: torch.dtype) -> None:
        super().__init__()
        self.unet, self.kind = unet.to(kind), kind

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return the maps and their bias in float32."""
        maps, bias = self.unet(image.to(self.kind))
        return maps.float(), bias.float()


def _disk(weights: Weights, kind: torch.dtype, keypoints: int) -> nn.Module:
    disk = Disk(keypoints).eval()
    disk.load_state_dict(weights)
    setattr(disk, "unet", Maps(disk.unet, kind))  # noqa: B010 - no U-Net by type, but from image to maps as one
    return disk


class TypedAliked(Aliked):
    """ALIKED whose convolutions and products are done in `kind`, as the pipeline's casts do; all else is in float32."""

    kind = torch.float32

    def maps(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return what `Aliked.maps` returns."""
        with autocast(image, self.kind):
            features, scores = super().maps(image)
        return features.float(), scores.float()


class TypedHead(nn.Module):
    """ALIKED's descriptor head in the same way."""

    def __init__(self, head: nn.Module, kind: torch.dtype) -> None:
        super().__init__()
        self.head, self.kind = head, kind

    def forward(self, maps: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Return descriptors."""
        with autocast(maps, self.kind):
            descriptors: Tensor = self.head(maps, x, y)
        return descriptors.float()


def autocast(like: Tensor, kind: torch.dtype) -> torch.autocast:
    """Return torch's autocast to `kind` on the device of a tensor; of float32, none."""
    return torch.autocast(like.device.type, dtype=kind, enabled=kind != torch.float32)


def _aliked(weights: Weights, kind: torch.dtype, keypoints: int) -> nn.Module:
    setattr(torch, "sym_max", max)  # noqa: B010 - sizes are numbers here, and torch.compile takes no other of the two
    samples = len(weights["desc_head.agg_weights"])
    aliked = TypedAliked(SoftDetector(keypoints), samples).eval()
    aliked.load_state_dict(weights)
    aliked.kind = kind
    setattr(aliked, "desc_head", TypedHead(aliked.desc_head, kind))  # noqa: B010 - by type it is no DescriptorHead
    return aliked
