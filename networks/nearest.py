"""Mutual nearest neighbours: a matcher of two sets of descriptors that has no weights.

For extractors without a matcher of their own: Lowe, "Distinctive Image Features from Scale-Invariant Keypoints", IJCV
2004, compares descriptors by distance; for descriptors of unit length the order is that of the cosine of their angle.
Where keypoints lie does not matter.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from enginewright.config import check
from enginewright.config.choices import MatcherOutput
from enginewright.config.models import MatcherModel
from enginewright.contract import Contract
from enginewright.contract.kinds import matcher_contract_of
from networks import Adapter, network
from networks.parts.assignment import mutual_matches, padding_bias
from networks.parts.vectors import unit

LEAST = 0.01
"""Cosines below this count as this: nothing so unlike matches, and its logarithm would be all rounding error."""


class Nearest(nn.Module):
    """Mutual nearest neighbours on interleaved pairs.

    Args:
        filter_threshold: cosine that a match must exceed, LEAST to 1.
        output: matches with their cosines, or the matrix of the cosines' logarithms.
    """

    def __init__(self, filter_threshold: float = 0.8, output: MatcherOutput = MatcherOutput.matches) -> None:
        super().__init__()
        self.filter_threshold, self.output = filter_threshold, output

    def forward(self, keypoints: Tensor, descriptors: Tensor) -> tuple[Tensor, ...]:
        """Return matches and mscores (B, K), or scores (B, K, K).

        `keypoints` (2B, K, 2) change nothing; `descriptors` are (2B, K, D), of any length. A zero descriptor is padding
        and never matches.
        """
        # Times 0: where keypoints lie does not matter, but a graph loses an input that nothing reads.
        scores = log_cosines(descriptors, padding_bias(descriptors) + keypoints.sum(dim=-1) * 0)
        return (scores,) if self.output is MatcherOutput.scores else mutual_matches(scores, self.filter_threshold)


def log_cosines(descriptors: Tensor, bias: Tensor) -> Tensor:
    """Return (B, K, K): the logarithm of each cosine between images 0 and 1 of each pair in `descriptors` (2B, K, D).

    The logarithm, since that is what a matcher's scores are: exp of them is the confidence. `bias` (2B, K) is added to
    all scores of a descriptor: it puts those of padding far below any other.
    """
    pairs = unit(descriptors, dim=-1).reshape(-1, 2, *descriptors.shape[1:])
    cosines = pairs[:, 0] @ pairs[:, 1].transpose(-1, -2)
    biases = bias.reshape(-1, 2, bias.shape[1])
    return torch.log(cosines.clamp_min(LEAST)) + biases[:, 0].unsqueeze(-1) + biases[:, 1].unsqueeze(-2)


@network("nearest")
class NearestAdapter(Adapter[MatcherModel]):
    """Mutual nearest neighbours for Enginewright, for any extractor."""

    def module(self, model: MatcherModel) -> nn.Module:
        """Return the matcher; there are no weights to load."""
        check.between("model.filter_threshold", model.filter_threshold, LEAST, 1)
        return Nearest(model.filter_threshold, model.output)

    def contract(self, model: MatcherModel) -> Contract:
        """Return the matcher's contract, for either output."""
        return matcher_contract_of(model)
