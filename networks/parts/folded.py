"""LightGlue in fewer operators: the function of `networks/lightglue.py` and of its weights, exact but for rounding.

- The residual stream leaves out its constant part. x = r + c, where c is the sum of the biases added so far; whoever
  reads x adds W c to its own bias, so a residual step is one product and one sum.
- The values' bias passes through attention unchanged, since its weights sum to 1: it joins the bias that follows.
- The projection of the messages and the half of the feed-forward's first product that reads them are one matrix.
- Channels of queries and keys are ordered with all first components of the rotated planes before all second ones, and
  the logits' scale is in their weights.

With `Operators`, attention and rotation are one operator each: ONNX's own Attention and RotaryEmbedding, of opset 23.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from networks.parts.assignment import Assignment, MirroredAssignment
from networks.parts.pairs import swap_images

if TYPE_CHECKING:
    from networks.lightglue import Block, CrossBlock, LightGlue, SelfBlock

Affine = tuple[Tensor, Tensor]
"""A product's matrix (out, in) and its bias (out), in float64."""


class Products:
    """Attention and rotation written out in products, a softmax and sums."""

    def rotated(self, x: Tensor, cosines: Tensor, sines: Tensor, heads: int) -> Tensor:
        """Rotate heads of `x` (N, K, heads * head) by cosines and sines (N, K, head / 2)."""
        halves = x.reshape(-1, x.shape[1], heads, 2, cosines.shape[-1])
        turned = halves.flip(3) * torch.stack((-sines, sines), dim=2).unsqueeze(2)
        return (halves * cosines[:, :, None, None, :] + turned).reshape(x.shape)

    def attended(self, queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None, heads: int) -> Tensor:
        """Return the messages (N, K, width) of scaled queries, keys and values of that shape; bias: (N, 1, 1, K)."""
        queries, keys, values = (self._split(x, heads) for x in (queries, keys, values))
        logits = queries @ keys.transpose(-1, -2)
        messages = torch.softmax(logits if bias is None else logits + bias, dim=-1) @ values
        return messages.transpose(1, 2).reshape(-1, messages.shape[2], heads * messages.shape[3])

    @staticmethod
    def _split(x: Tensor, heads: int) -> Tensor:
        return x.reshape(-1, x.shape[1], heads, x.shape[2] // heads).transpose(1, 2)


class Operators(Products):
    """Attention and rotation as one operator each."""

    def rotated(self, x: Tensor, cosines: Tensor, sines: Tensor, heads: int) -> Tensor:
        """Rotate heads of `x` (N, K, heads * head) by cosines and sines (N, K, head / 2)."""
        found: Tensor = torch.onnx.ops.rotary_embedding(x, cosines, sines, num_heads=heads)
        return found

    def attended(self, queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None, heads: int) -> Tensor:
        """Return the messages (N, K, width) of scaled queries, keys and values of that shape; bias: (N, 1, 1, K)."""
        mask = None if bias is None else bias.expand(-1, 1, queries.shape[1], -1)
        found: Tensor = torch.onnx.ops.attention(
            queries, keys, values, mask, q_num_heads=heads, kv_num_heads=heads, scale=1.0
        )[0]
        return found


class FoldedBlock(nn.Module):
    """What both kinds of attention share: the update of the residual stream `x` (N, K, width)."""

    def __init__(self, block: Block, project: nn.Linear, left_out: Tensor, values: Affine, operators: Products) -> None:
        super().__init__()
        self.heads, self.operators = block.heads, operators
        self.values = _linear(values[0])
        own, before, messages = _feed(block, project, left_out, _reading(values, left_out))
        self.own, self.messages = _linear(own, before), _linear(messages)
        _, norm, activation, last = block.ffn
        self.ffn = nn.Sequential(nn.Identity(), norm, activation, _linear(_affine(last)[0]))

    def update(self, x: Tensor, messages: Tensor) -> Tensor:
        """Return the residual stream after this block."""
        step: Tensor = self.ffn(self.own(x) + self.messages(messages))
        return x + step


class FoldedSelf(FoldedBlock):
    """Attention among the keypoints of one image."""

    def __init__(self, block: SelfBlock, left_out: Tensor, operators: Products) -> None:
        both, values = _rotatable(block)
        super().__init__(block, block.out_proj, left_out, values, operators)
        self.both = _linear(both[0], _reading(both, left_out))

    def forward(self, x: Tensor, angles: tuple[Tensor, Tensor], bias: Tensor | None) -> Tensor:
        """Return the updated residual stream; angles: those of `Angles`."""
        both = self.operators.rotated(self.both(x), *angles, 2 * self.heads)
        queries, keys = torch.split(both, x.shape[-1], dim=-1)
        return self.update(x, self.operators.attended(queries, keys, self.values(x), bias, self.heads))


class FoldedCross(FoldedBlock):
    """Attention from the keypoints of each image to those of the other one of its pair."""

    def __init__(self, block: CrossBlock, left_out: Tensor, operators: Products) -> None:
        super().__init__(block, block.to_out, left_out, _affine(block.to_v), operators)
        # The same projection is query here and key for the other image: half of the scale each.
        matrix, bias = (part * block.scale**0.5 for part in _affine(block.to_qk))
        self.shared = _linear(matrix, _reading((matrix, bias), left_out))

    def forward(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """Return the updated residual stream. `bias` is that of the other image's keypoints."""
        shared = self.shared(x)
        keys, values = swap_images(shared), swap_images(self.values(x))
        return self.update(x, self.operators.attended(shared, keys, values, bias, self.heads))


class Angles(nn.Module):
    """Cosines and sines of the angles that rotate queries and keys."""

    def __init__(self, turns: nn.Linear) -> None:
        super().__init__()
        self.Wr = turns

    def forward(self, keypoints: Tensor) -> tuple[Tensor, Tensor]:
        """Return cosines and sines (N, K, head / 2) of keypoints (N, K, 2)."""
        angles = self.Wr(keypoints)
        return torch.cos(angles), torch.sin(angles)


@torch.no_grad()
def folded(matcher: LightGlue, operators: Products) -> LightGlue:
    """Return a matcher that gives what `matcher` gives, with its weights multiplied and summed up beforehand."""
    found = copy.deepcopy(matcher)
    setattr(found, "posenc", Angles(found.posenc.Wr))  # noqa: B010 - of another type, as are the layers that read it
    found.input_proj, left_out = _entry(found)
    for layer in found.layers:
        for name, block in (("self_attn", FoldedSelf), ("cross_attn", FoldedCross)):
            published = getattr(layer, name)
            setattr(layer, name, block(published, left_out, operators))
            left_out = left_out + published.ffn[-1].bias.double()
    found.assignment = _mirrored(found.assignment, left_out)
    return found


def _entry(matcher: LightGlue) -> tuple[nn.Identity | nn.Linear, Tensor]:
    """Return the input projection without its bias, and that bias."""
    project = matcher.input_proj
    if not isinstance(project, nn.Linear):
        return project, torch.zeros(matcher.assignment.final_proj.in_features, dtype=torch.float64)
    matrix, bias = _affine(project)
    return _linear(matrix), bias


def _mirrored(assignment: Assignment, left_out: Tensor) -> MirroredAssignment:
    found = MirroredAssignment(assignment.final_proj.in_features)
    for name, scale in (("final_proj", assignment.scale), ("matchability", 1.0)):
        affine = _affine(getattr(assignment, name))
        setattr(found, name, _linear(affine[0] * scale, _reading(affine, left_out) * scale))
    return found


def _rotatable(block: SelfBlock) -> tuple[Affine, Affine]:
    """Return the product of queries and keys, side by side, in the order that rotations want; and that of values."""
    parts = block.Wqkv.weight.double().reshape(block.heads, block.head, 3, block.width)
    biases = block.Wqkv.bias.double().reshape(block.heads, block.head, 3)
    order = torch.cat((torch.arange(0, block.head, 2), torch.arange(1, block.head, 2)))
    scales = (block.scale, 1.0)
    matrix = [parts[:, order, part].reshape(block.width, -1) * scale for part, scale in enumerate(scales)]
    bias = [biases[:, order, part].reshape(-1) * scale for part, scale in enumerate(scales)]
    values = parts[:, :, 2].reshape(block.width, -1), biases[:, :, 2].reshape(-1)
    return (torch.cat(matrix), torch.cat(bias)), values


def _feed(block: Block, project: nn.Linear, left_out: Tensor, constant: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the feed-forward's first product in two: matrix and bias of what reads the residual stream, and the
    matrix of what reads the messages.

    constant: what the messages leave out before `project`.
    """
    first, bias = _affine(block.ffn[0])
    own, theirs = first[:, : block.width], first[:, block.width :]
    projection = _affine(project)
    return own, own @ left_out + theirs @ _reading(projection, constant) + bias, theirs @ projection[0]


def _affine(linear: nn.Module) -> Affine:
    """Return matrix and bias of a Linear in float64, so that folding rounds once."""
    assert isinstance(linear, nn.Linear)  # noqa: S101 - the types of a Sequential's layers are not known
    return linear.weight.double(), linear.bias.double()


def _reading(affine: Affine, left_out: Tensor) -> Tensor:
    """Return the bias with which the matrix gives for r what `affine` gives for r + left_out."""
    matrix, bias = affine
    return matrix @ left_out + bias


def _linear(matrix: Tensor, bias: Tensor | None = None) -> nn.Linear:
    linear = nn.Linear(matrix.shape[1], matrix.shape[0], bias=bias is not None)
    linear.weight = nn.Parameter(matrix.float())
    if bias is not None:
        linear.bias = nn.Parameter(bias.float())
    return linear
