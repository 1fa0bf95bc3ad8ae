"""From a matcher's last descriptors to matches: the log assignment matrix, and the mutual best of its rows and columns.

Lindenberger, Sarlin, Pollefeys, "LightGlue: Local Feature Matching at Light Speed", ICCV 2023, section 3.3. Padding
leaves no trace in the answer: it drops out of both softmaxes and can never be matched.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from networks.parts.pairs import of_pairs

MASKED = -1e4
"""Added to what must not be attended to or matched: exp of it is 0, and fp16 can hold it, which -Inf's sums cannot."""


def padding_bias(descriptors: Tensor) -> Tensor:
    """Return (N, K): MASKED where a descriptor (N, K, D) is zero throughout, else 0."""
    return torch.where(descriptors.abs().sum(dim=-1) > 0, 0.0, MASKED)


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
        first, second = of_pairs(self.final_proj(x) * self.scale)
        similarity = first @ second.transpose(-1, -2)
        certainty = log_sigmoid(self.matchability(x).squeeze(-1))
        if bias is not None:
            rows, columns = of_pairs(bias)
            similarity = similarity + rows.unsqueeze(-1) + columns.unsqueeze(-2)
            certainty = certainty + bias
        rows, columns = of_pairs(certainty)
        both = similarity.log_softmax(dim=2) + similarity.log_softmax(dim=1)
        return both + rows.unsqueeze(-1) + columns.unsqueeze(-2)


class MirroredAssignment(Assignment):
    """The log assignment matrix, and what says the best row of each column by its own rows.

    Runtimes find the largest value of a row many times faster than that of a column, and one product more is little.
    The scale is in the weights of `final_proj`.
    """

    def forward(self, x: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Return scores (B, K, K) as `Assignment` does, and (B, K, K) whose rows are keypoints of image 1.

        In each row of the second the largest stands where it does in that column of the scores; what is the same for
        a whole row is left out.
        """
        first, second = of_pairs(self.final_proj(x))
        similarity, mirrored = first @ second.transpose(-1, -2), second @ first.transpose(-1, -2)
        certainty = log_sigmoid(self.matchability(x).squeeze(-1))
        if bias is not None:
            rows, columns = of_pairs(bias)
            similarity = similarity + rows.unsqueeze(-1) + columns.unsqueeze(-2)
            mirrored = mirrored + columns.unsqueeze(-1) + rows.unsqueeze(-2)
            certainty = certainty + bias
        forth, back = similarity.log_softmax(dim=-1), mirrored.log_softmax(dim=-1)
        rows, columns = of_pairs(certainty)
        scores = forth + back.transpose(-1, -2) + rows.unsqueeze(-1) + columns.unsqueeze(-2)
        return scores, back + forth.transpose(-1, -2) + rows.unsqueeze(-2)


def mutual_matches(scores: Tensor, threshold: float, mirrored: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return matches (B, K) int32 and their confidence (B, K), from log assignments (B, K, K).

    A match is the best column of a row whose best row it is, with a probability above `threshold`; -1: none. The
    confidence is that of mutual pairs, also below the threshold, and 0 elsewhere. mirrored: of `MirroredAssignment`.
    """
    column = scores.argmax(dim=2)
    best = scores.gather(2, column.unsqueeze(-1)).squeeze(-1)
    rows = scores.argmax(dim=1) if mirrored is None else mirrored.argmax(dim=2)
    row = rows.gather(1, column)
    mutual = row == torch.arange(scores.shape[1], device=scores.device)
    confidence = torch.where(mutual, best.exp(), 0.0)
    matches = torch.where(confidence > threshold, column.to(torch.int32), -1)
    return matches, confidence
