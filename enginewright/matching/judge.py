"""The verdict on an artifact's matching, by the limits of the match section."""

from __future__ import annotations

from enginewright.config.sections import MatchConfig
from enginewright.matching.measure import Comparison
from enginewright.verdicts import PASSED, Verdict, failed


def judge(comparison: Comparison, limits: MatchConfig) -> Verdict:
    """Return passed, or failed with every limit that is breached. No match at all is a failure, never a pass."""
    breaches = [*_empty(comparison), *_breaches(comparison, limits)]
    return failed("; ".join(breaches)) if breaches else PASSED


def _empty(comparison: Comparison) -> list[str]:
    found = []
    if comparison.original == 0:
        found.append("the original finds no match on any pair, so nothing can be compared: choose other pairs")
    elif comparison.matches == 0:
        found.append(f"no match at all, where the original finds {comparison.original}")
    if comparison.not_finite:
        found.append(f"{comparison.not_finite} values of its keypoints, descriptors or confidences are NaN or Inf")
    return found


def _breaches(comparison: Comparison, limits: MatchConfig) -> list[str]:
    ratio, found = comparison.common_ratio, []
    if comparison.original and ratio < limits.common_ratio:
        kept = f"{comparison.common} of {comparison.original} matches kept"
        found.append(f"{kept}, a share of {ratio:.4f} where {limits.common_ratio:g} is asked")
    if comparison.precision_3px_loss > limits.precision_3px_loss:
        lost = f"{comparison.precision_3px_loss:.4f} of the matches right within 3 px"
        found.append(f"a share of {lost} is lost, {limits.precision_3px_loss:g} is allowed")
    if comparison.missing > limits.missing * comparison.keypoints:
        lost = f"{comparison.missing} of {comparison.keypoints} keypoints have no counterpart"
        found.append(f"{lost}, a share of {limits.missing:g} is allowed")
    far = float(comparison.distances.max(initial=0.0))
    if not far <= limits.keypoint_px:  # NaN breaches every limit
        found.append(f"a keypoint moved by {far:.3g} px where {limits.keypoint_px:g} is allowed")
    near = float(comparison.cosines.min(initial=1.0))
    if not near >= limits.descriptor_cosine:
        found.append(f"a descriptor has a cosine of {near:.6f} where {limits.descriptor_cosine:g} is asked")
    return found
