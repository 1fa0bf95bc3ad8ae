"""LightGlue, a matcher of two sets of keypoints, at its full depth and width.

Lindenberger, Sarlin, Pollefeys, "LightGlue: Local Feature Matching at Light Speed", ICCV 2023. The adaptive depth and
width of the paper change shapes while running, which an engine cannot: all nine layers run on all keypoints, as the
original does with both confidences at -1. Images 0 and 1 of each pair are interleaved in the batch, so that self
attention and every projection run once for both.
"""

from __future__ import annotations

import re

import torch
from torch import Tensor, nn

from enginewright.config.choices import MatcherOutput
from enginewright.config.models import LightGlueModel
from enginewright.contract import Contract, Kind, Rule
from enginewright.contract import Tensor as Port
from networks import Adapter, network

LAYERS = 9
WIDTH = 256
HEADS = 4

MASKED = -1e4
"""Added to what must not be attended to or matched: exp of it is 0, and fp16 can hold it, which -Inf's sums cannot."""


class PositionalEncoding(nn.Module):
    """Learnable Fourier features of the keypoints: the angles that rotate queries and keys."""

    def __init__(self, head: int) -> None:
        super().__init__()
        self.Wr = nn.Linear(2, head // 2, bias=False)

    def forward(self, keypoints: Tensor) -> tuple[Tensor, Tensor]:
        """Return cosines and sines (N, 1, K, head / 2) of keypoints (N, K, 2)."""
        angles = self.Wr(keypoints).unsqueeze(1)
        return torch.cos(angles), torch.sin(angles)


def attend(queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None) -> Tensor:
    """Return the messages (N, K, heads * head) of scaled queries, keys and values (N, heads, K, head).

    `bias` (N, 1, 1, K) is added to each key's logit. Written out, because opset 23 has an Attention operator that
    TensorRT-RTX cannot build in fp32, and because both exporters write this form in the same few nodes.
    """
    logits = queries @ keys.transpose(-1, -2)
    weights = torch.softmax(logits if bias is None else logits + bias, dim=-1)
    return (weights @ values).transpose(1, 2).flatten(2)


def swap_images(x: Tensor) -> Tensor:
    """Exchange images 0 and 1 of each pair in `x` (2B, ...)."""
    return x.unflatten(0, (-1, 2)).flip(1).flatten(0, 1)


class Block(nn.Module):
    """What both kinds of attention share: the update of descriptors `x` (N, K, width) by their messages."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.scale = heads, (width // heads) ** -0.5
        self.ffn = nn.Sequential(
            nn.Linear(2 * width, 2 * width), nn.LayerNorm(2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def update(self, x: Tensor, messages: Tensor) -> Tensor:
        """Return the descriptors after the residual step."""
        step: Tensor = self.ffn(torch.cat((x, messages), dim=-1))
        return x + step


class SelfBlock(Block):
    """Attention among the keypoints of one image, rotated by their positions."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__(width, heads)
        self.Wqkv = nn.Linear(width, 3 * width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor, angles: tuple[Tensor, Tensor], bias: Tensor | None) -> Tensor:
        """Return the updated descriptors."""
        projected = self.Wqkv(x).unflatten(-1, (self.heads, -1, 3))
        queries, keys = self._rotated(projected[..., :2], *angles)
        values = projected[..., 2].transpose(1, 2)
        return self.update(x, self.out_proj(attend(queries * self.scale, keys, values, bias)))

    def _rotated(self, both: Tensor, cosine: Tensor, sine: Tensor) -> tuple[Tensor, Tensor]:
        """Rotate queries and keys (N, K, heads, head, 2) at once; return each as (N, heads, K, head).

        Neighbouring channels form a plane. They leave with all first components before all second ones: queries
        and keys alike, so their products are those of the published order, and nothing has to be interleaved again.
        """
        planes = both.unflatten(3, (-1, 2)).permute(4, 5, 0, 2, 1, 3)
        first, second = planes.unbind(0)
        rotated = torch.cat((first * cosine - second * sine, second * cosine + first * sine), dim=-1)
        queries, keys = rotated.unbind(0)
        return queries, keys


class CrossBlock(Block):
    """Attention from the keypoints of each image to those of the other one of its pair."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__(width, heads)
        self.to_qk = nn.Linear(width, width)
        self.to_v = nn.Linear(width, width)
        self.to_out = nn.Linear(width, width)

    def forward(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """Return the updated descriptors. `bias` is that of the other image's keypoints."""
        # The same projection serves as query here and as key for the other image: half of the scale each.
        shared = self.to_qk(x) * self.scale**0.5
        keys, values = swap_images(shared), swap_images(self.to_v(x))
        messages = attend(self._split(shared), self._split(keys), self._split(values), bias)
        return self.update(x, self.to_out(messages))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class Layer(nn.Module):
    """One layer: self attention, then cross attention."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.self_attn = SelfBlock(width, heads)
        self.cross_attn = CrossBlock(width, heads)

    def forward(
        self, x: Tensor, angles: tuple[Tensor, Tensor], own: Tensor | None, other: Tensor | None
    ) -> Tensor:
        """Return the updated descriptors."""
        updated: Tensor = self.cross_attn(self.self_attn(x, angles, own), other)
        return updated


def log_sigmoid(x: Tensor) -> Tensor:
    """Return log(sigmoid(x)) without ever taking the logarithm of 0, as an exported `F.logsigmoid` may."""
    return x.clamp_max(0.0) - torch.log1p(torch.exp(-x.abs()))


class Assignment(nn.Module):
    """The log assignment matrix from the last layer's descriptors."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = width**-0.25
        self.matchability = nn.Linear(width, 1)
        self.final_proj = nn.Linear(width, width)

    def forward(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """Return scores (B, K, K) of descriptors `x` (2B, K, width): rows are keypoints of image 0.

        `bias` (2B, K) is MASKED for padding: it drops out of both softmaxes, and its scores end below MASKED.
        """
        first, second = _pair(self.final_proj(x) * self.scale)
        similarity = first @ second.transpose(-1, -2)
        certainty = log_sigmoid(self.matchability(x).squeeze(-1))
        if bias is not None:
            rows, columns = _pair(bias)
            similarity = similarity + rows.unsqueeze(-1) + columns.unsqueeze(-2)
            certainty = certainty + bias
        rows, columns = _pair(certainty)
        both = similarity.log_softmax(dim=2) + similarity.log_softmax(dim=1)
        return both + rows.unsqueeze(-1) + columns.unsqueeze(-2)


def _pair(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the two (B, ...) of an interleaved (2B, ...)."""
    first, second = x.unflatten(0, (-1, 2)).unbind(1)
    return first, second


def mutual_matches(scores: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Return matches (B, K) int32 and their confidence (B, K), from log assignments (B, K, K).

    A match is the best column of a row whose best row it is, with a probability above `threshold`; -1: none. The
    confidence is that of mutual pairs, also below the threshold, and 0 elsewhere.
    """
    best, column = scores.max(dim=2)
    row = scores.argmax(dim=1).gather(1, column)
    mutual = row == torch.arange(scores.shape[1], device=scores.device)
    confidence = torch.where(mutual, best.exp(), 0.0)
    matches = torch.where(confidence > threshold, column.to(torch.int32), -1)
    return matches, confidence


class LightGlue(nn.Module):
    """LightGlue on interleaved pairs.

    Args:
        input_dim: D, channels of the descriptors that come in.
        filter_threshold: probability that a match must exceed.
        output: matches with confidences, or the log assignment matrix.
        mask_padding: take a slot whose descriptor is zero for padding, and compute as if it were not there.
        layers, width, heads: sizes of the transformer; the defaults are the published ones.
    """

    def __init__(  # noqa: PLR0913 (the sizes of a transformer)
        self,
        input_dim: int,
        filter_threshold: float = 0.1,
        output: MatcherOutput = MatcherOutput.matches,
        mask_padding: bool = True,
        *,
        layers: int = LAYERS,
        width: int = WIDTH,
        heads: int = HEADS,
    ) -> None:
        super().__init__()
        self.filter_threshold, self.output, self.mask_padding = filter_threshold, output, mask_padding
        self.input_proj = nn.Identity() if input_dim == width else nn.Linear(input_dim, width)
        self.posenc = PositionalEncoding(width // heads)
        self.layers = nn.ModuleList(Layer(width, heads) for _ in range(layers))
        self.assignment = Assignment(width)

    def forward(self, keypoints: Tensor, descriptors: Tensor) -> tuple[Tensor, ...]:
        """Return matches and mscores (B, K), or scores (B, K, K).

        `keypoints` (2B, K, 2) are normalised by centre and half the longer side; `descriptors` are (2B, K, D).
        """
        bias = padding_bias(descriptors) if self.mask_padding else None
        own = None if bias is None else bias[:, None, None, :]
        other = None if own is None else swap_images(own)
        angles = self.posenc(keypoints)
        x = self.input_proj(descriptors)
        for layer in self.layers:
            x = layer(x, angles, own, other)
        scores: Tensor = self.assignment(x, bias)
        if self.output is MatcherOutput.scores:
            return (scores,)
        return mutual_matches(scores, self.filter_threshold)


def padding_bias(descriptors: Tensor) -> Tensor:
    """Return (N, K): MASKED where a descriptor (N, K, D) is zero throughout, else 0."""
    return torch.where(descriptors.abs().amax(dim=-1) > 0, 0.0, MASKED)


_LAYER = re.compile(r"(self_attn|cross_attn)\.(\d+)\.|transformers\.(\d+)\.")
_LAST = f"log_assignment.{LAYERS - 1}."
_UNUSED = re.compile(r"token_confidence\.|confidence_thresholds$|log_assignment\.\d+\.")


def _place(found: re.Match[str]) -> str:
    block, layer, nested = found.groups()
    return f"layers.{nested}." if block is None else f"layers.{layer}.{block}."


@network("lightglue")
class LightGlueAdapter(Adapter[LightGlueModel]):
    """LightGlue for Enginewright, for any extractor whose descriptors it was trained on."""

    def module(self, model: LightGlueModel) -> nn.Module:
        """Return LightGlue at its published size."""
        return LightGlue(model.input_dim, model.filter_threshold, model.output, model.mask_padding)

    def rename(self, key: str) -> str | None:
        """Return our key for a published one, of either generation (`self_attn.0.`, `transformers.0.self_attn.`).

        Left out: what only the adaptive network uses, and the scalar `r`, which nothing uses.
        """
        if key.startswith(_LAST) and key != f"{_LAST}r":
            return key.replace(_LAST, "assignment.")
        return None if _UNUSED.match(key) else _LAYER.sub(_place, key, count=1)

    def contract(self, model: LightGlueModel) -> Contract:
        """Return the matcher's contract, for either output."""
        images, slots = ("images", "keypoints"), ("batch", "keypoints")
        if model.output is MatcherOutput.scores:
            outputs = (Port("scores", ("batch", "keypoints", "keypoints"), dynamic=slots),)
        else:
            outputs = (
                Port("matches", slots, dynamic=slots, dtype="int32", rule=Rule.equal),
                Port("mscores", slots, dynamic=slots),
            )
        return Contract(
            kind=Kind.matcher,
            inputs=(
                Port("keypoints", (*images, "xy"), dynamic=images),
                Port("descriptors", (*images, "dimension"), dynamic=images),
            ),
            outputs=outputs,
            layernorms=2 * LAYERS,
        )
