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

from enginewright.config.choices import Exporter, MatcherOutput
from enginewright.config.models import MatcherModel
from enginewright.config.sections import ExportConfig
from enginewright.contract import Contract
from enginewright.contract.kinds import matcher_contract_of
from enginewright.errors import ConfigError
from networks import Adapter, network
from networks.parts.assignment import Assignment, mutual_matches, padding_bias
from networks.parts.folded import Operators, Products, folded
from networks.parts.pairs import swap_images

LAYERS = 9
WIDTH = 256
HEADS = 4


class PositionalEncoding(nn.Module):
    """Learnable Fourier features of the keypoints: the angles that rotate queries and keys."""

    def __init__(self, head: int) -> None:
        super().__init__()
        self.Wr = nn.Linear(2, head // 2, bias=False)

    def forward(self, keypoints: Tensor) -> tuple[Tensor, Tensor]:
        """Return cosines (N, 1, K, 1, head / 2) and sines (N, 1, K, 2, head / 2) of keypoints (N, K, 2).

        The two rows of sines have the signs that they have in a rotation: minus, plus.
        """
        angles = self.Wr(keypoints)[:, None, :, None, :]
        sines = torch.sin(angles)
        return torch.cos(angles), torch.cat((-sines, sines), dim=-2)


def attend(queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None) -> Tensor:
    """Return the messages (N, heads, K, head) of scaled queries, keys and values of that shape.

    `bias` (N, 1, 1, K) is added to each key's logit. Written out, because opset 23 has an Attention operator that
    TensorRT-RTX cannot build in fp32, and because both exporters write this form in the same few nodes.
    """
    logits = queries @ keys.transpose(-1, -2)
    return torch.softmax(logits if bias is None else logits + bias, dim=-1) @ values


class Block(nn.Module):
    """What both kinds of attention share: the split into heads, and the update of descriptors `x` (N, K, width)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.width, self.heads, self.head = width, heads, width // heads
        self.scale = self.head**-0.5
        self.ffn = nn.Sequential(
            nn.Linear(2 * width, 2 * width), nn.LayerNorm(2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def split(self, x: Tensor) -> Tensor:
        """Return (N, heads, K, head) of `x` (N, K, width)."""
        return x.reshape(-1, x.shape[1], self.heads, self.head).transpose(1, 2)

    def join(self, x: Tensor) -> Tensor:
        """Return (N, K, width) of `x` (N, heads, K, head)."""
        return x.transpose(1, 2).reshape(-1, x.shape[2], self.width)

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
        projected = self.Wqkv(x).reshape(-1, x.shape[1], self.heads, self.head, 3)
        both = self._rotated(projected[..., :2], *angles)
        values = projected[..., 2].transpose(1, 2)
        messages = attend(both[0] * self.scale, both[1], values, bias)
        return self.update(x, self.out_proj(self.join(messages)))

    def _rotated(self, both: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
        """Rotate queries and keys (N, K, heads, head, 2) at once; return them as (2, N, heads, K, head).

        Neighbouring channels form a plane. They leave with all first components before all second ones: queries
        and keys alike, so their products are those of the published order, and nothing has to be interleaved again.
        """
        count = both.shape[1]
        planes = both.reshape(-1, count, self.heads, self.head // 2, 2, 2).permute(5, 0, 2, 1, 4, 3)
        rotated = planes * cosines + planes.flip(-2) * sines
        return rotated.reshape(2, -1, self.heads, count, self.head)


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
        messages = attend(self.split(shared), self.split(keys), self.split(values), bias)
        return self.update(x, self.to_out(self.join(messages)))


class Layer(nn.Module):
    """One layer: self attention, then cross attention."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.self_attn = SelfBlock(width, heads)
        self.cross_attn = CrossBlock(width, heads)

    def forward(self, x: Tensor, angles: tuple[Tensor, Tensor], own: Tensor | None, other: Tensor | None) -> Tensor:
        """Return the updated descriptors."""
        updated: Tensor = self.cross_attn(self.self_attn(x, angles, own), other)
        return updated


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
        found = self.assignment(x, bias)
        scores, mirrored = found if isinstance(found, tuple) else (found, None)
        if self.output is MatcherOutput.scores:
            return (scores,)
        return mutual_matches(scores, self.filter_threshold, mirrored)


_LAYER = re.compile(r"(self_attn|cross_attn)\.(\d+)\.|transformers\.(\d+)\.")
_LAST = f"log_assignment.{LAYERS - 1}."
_UNUSED = re.compile(r"token_confidence\.|confidence_thresholds$|log_assignment\.\d+\.")


def _place(found: re.Match[str]) -> str:
    block, layer, nested = found.groups()
    return f"layers.{nested}." if block is None else f"layers.{layer}.{block}."


GRAPHS = ("published", "folded", "fused")
"""What `model.options.graph` can be: the operators of the publication, fewer of them, or attention as one operator."""

OPERATORS_OPSET = 23
"""The first opset with Attention and RotaryEmbedding."""


def graph_of(model: MatcherModel) -> str:
    """Return how the graph is to be written, from `model.options`.

    Raises:
        ConfigError: if `graph` is none of GRAPHS, or another option is set.
    """
    graph = model.options.get("graph", GRAPHS[0])
    if not set(model.options) <= {"graph"} or graph not in GRAPHS:
        raise ConfigError(
            "model.options do not fit LightGlue",
            expected=f"graph, one of {', '.join(GRAPHS)}",
            got=dict(model.options),
            cure="model.options: {graph: published}",
        )
    return str(graph)


@network("lightglue")
class LightGlueAdapter(Adapter[MatcherModel]):
    """LightGlue for Enginewright, for any extractor whose descriptors it was trained on."""

    def module(self, model: MatcherModel) -> nn.Module:
        """Return LightGlue at its published size."""
        graph_of(model)
        return LightGlue(model.input_dim, model.filter_threshold, model.output, model.mask_padding)

    def exported(self, module: nn.Module, model: MatcherModel, export: ExportConfig) -> nn.Module:
        """Return the module in the operators that `model.options.graph` asks for.

        Raises:
            ConfigError: if exporter or opset cannot write them.
        """
        graph = graph_of(model)
        if graph == "fused" and (export.opset < OPERATORS_OPSET or export.exporter is not Exporter.dynamo):
            raise ConfigError(
                "Attention and RotaryEmbedding, which model.options.graph=fused asks for, cannot be written",
                expected=f"export.opset={OPERATORS_OPSET} or later and export=dynamo",
                got=f"export.opset={export.opset}, export={export.exporter.name}",
                cure="both of them, or model.options.graph=folded",
            )
        if graph == "published":
            return module
        assert isinstance(module, LightGlue)  # noqa: S101 - it is what `module` returns
        return folded(module, Operators() if graph == "fused" else Products())

    def rename(self, key: str) -> str | None:
        """Return our key for a published one, of either generation (`self_attn.0.`, `transformers.0.self_attn.`).

        Left out: what only the adaptive network uses, and the scalar `r`, which nothing uses.
        """
        if key.startswith(_LAST) and key != f"{_LAST}r":
            return key.replace(_LAST, "assignment.")
        return None if _UNUSED.match(key) else _LAYER.sub(_place, key, count=1)

    def contract(self, model: MatcherModel) -> Contract:
        """Return the matcher's contract, for either output."""
        return matcher_contract_of(model)
