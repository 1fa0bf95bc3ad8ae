"""The graph contracts of the two kinds of local feature networks. Tensor names are fixed: users bind by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enginewright.config.choices import MatcherOutput
from enginewright.contract import Contract, Kind, Port, Rule

if TYPE_CHECKING:
    from enginewright.config.models import ExtractorModel, MatcherModel


def extractor_contract(  # noqa: PLR0913 - the sizes of a graph, by keyword
    *,
    height: int,
    width: int,
    keypoints: int,
    dimension: int,
    batch: int = 1,
    channels: int = 3,
    layernorms: int = 0,
    fp32_nodes: tuple[str, ...] = (),
) -> Contract:
    """Return the contract of an extractor, whose K is part of the graph and cannot stay open.

    In: `image` (B, C, H, W) float32 in 0..1. Out: `keypoints` (B, K, 2) float32, x y in pixels of that image; `scores`
    (B, K); `descriptors` (B, K, D) of unit length; `valid` (B, K) int32, 1 for a keypoint and 0 for padding.
    fp32_nodes: regular expressions of node names that stay fp32 at every precision.
    """
    slots = ("batch", "keypoints")
    sizes = {"batch": batch, "channels": channels, "height": height, "width": width}
    return Contract(
        kind=Kind.extractor,
        inputs=(Port("image", ("batch", "channels", "height", "width"), dynamic=("batch", "height", "width")),),
        outputs=(
            Port("keypoints", (*slots, "xy"), dynamic=("batch",), rule=Rule.aligned),
            Port("scores", slots, dynamic=("batch",), rule=Rule.aligned),
            Port("descriptors", (*slots, "dimension"), dynamic=("batch",), rule=Rule.aligned),
            Port("valid", slots, dynamic=("batch",), dtype="int32", rule=Rule.aligned),
        ),
        sizes=sizes | {"keypoints": keypoints, "xy": 2, "dimension": dimension},
        layernorms=layernorms,
        fp32_nodes=fp32_nodes,
    )


def extractor_contract_of(
    model: ExtractorModel, dimension: int, channels: int = 3, fp32_nodes: tuple[str, ...] = ()
) -> Contract:
    """Return the contract of an extractor with the sizes of its `model` section; the rest is the network's own."""
    return extractor_contract(
        batch=model.batch,
        height=model.height,
        width=model.width,
        keypoints=model.keypoints,
        dimension=dimension,
        channels=channels,
        layernorms=model.layernorms,
        fp32_nodes=fp32_nodes,
    )


def matcher_contract(
    *, keypoints: int, dimension: int, batch: int = 1, layernorms: int = 0, scores: bool = False
) -> Contract:
    """Return the contract of a matcher of B pairs, images 0 and 1 of each pair interleaved.

    In: `keypoints` (2B, K, 2), normalised (centre, half the longer side), and `descriptors` (2B, K, D). Out: `matches`
    (B, K) int32, index into image 1 or -1, and `mscores` (B, K); with `scores` the log assignment `scores` (B, K, K).
    """
    images, slots = ("images", "keypoints"), ("batch", "keypoints")
    matches = (
        Port("matches", slots, dynamic=slots, dtype="int32", rule=Rule.equal),
        Port("mscores", slots, dynamic=slots),
    )
    return Contract(
        kind=Kind.matcher,
        inputs=(
            Port("keypoints", (*images, "xy"), dynamic=images),
            Port("descriptors", (*images, "dimension"), dynamic=images),
        ),
        outputs=(Port("scores", ("batch", "keypoints", "keypoints"), dynamic=slots),) if scores else matches,
        sizes={"batch": batch, "images": 2 * batch, "keypoints": keypoints, "xy": 2, "dimension": dimension},
        layernorms=layernorms,
    )


def matcher_contract_of(model: MatcherModel) -> Contract:
    """Return the contract of a matcher with the sizes of its `model` section, for either output."""
    return matcher_contract(
        batch=model.batch,
        keypoints=model.keypoints,
        dimension=model.input_dim,
        layernorms=model.layernorms,
        scores=model.output is MatcherOutput.scores,
    )
