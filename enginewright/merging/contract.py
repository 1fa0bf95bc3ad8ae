"""The contract of a merged graph, from those of its extractor and its matcher."""

from __future__ import annotations

import re

from enginewright.contract import Contract, Kind, Port, Rule
from enginewright.errors import NetworkError

EXTRACTOR, NORMALISE, MATCHER = "extractor/", "normalise/", "matcher/"
"""What the names of a merged graph's nodes begin with, by the part that they come from."""

_FLAGS = re.compile(r"\(\?([aiLmsux]+)\)(.*)", re.DOTALL)


def merged_contract(extractor: Contract, matcher: Contract) -> Contract:
    """Return the contract of the merged graph, which is static.

    In: `image` (2B, C, H, W), images 0 and 1 of each pair interleaved. Out: `keypoints` (2B, K, 2) float32, x y in
    pixels; `valid` (2B, K) int32, 0 for padding, where the extractor has it; `matches` (B, K) int32, index into image 1
    or -1; `mscores` (B, K).

    Raises:
        NetworkError: if the two do not fit together.
    """
    _check(extractor, matcher)
    images, slots = ("images", "keypoints"), ("batch", "keypoints")
    has_valid = any(port.name == "valid" for port in extractor.outputs)
    return Contract(
        kind=Kind.network,
        inputs=(Port("image", ("images", "channels", "height", "width")),),
        outputs=(
            Port("keypoints", (*images, "xy"), rule=Rule.aligned),
            *([Port("valid", images, dtype="int32", rule=Rule.aligned)] if has_valid else []),
            Port("matches", slots, dtype="int32", rule=Rule.linked),
            Port("mscores", slots, rule=Rule.aligned),
        ),
        sizes={**extractor.sizes, "batch": matcher.sizes["batch"], "images": matcher.sizes["images"]},
        layernorms=extractor.layernorms + matcher.layernorms,
        fp32_nodes=(
            *(scoped(EXTRACTOR, pattern) for pattern in extractor.fp32_nodes),
            *(scoped(MATCHER, pattern) for pattern in matcher.fp32_nodes),
            f"{NORMALISE}.*",
        ),
    )


def scoped(prefix: str, pattern: str) -> str:
    """Return the regular expression for names that `pattern` matches after `prefix`.

    Flags such as (?i) stand only at the beginning of an expression, so they are moved to a group of their own.
    """
    found = _FLAGS.fullmatch(pattern)
    return f"{prefix}(?{found[1]}:{found[2]})" if found else f"{prefix}(?:{pattern})"


def _check(extractor: Contract, matcher: Contract) -> None:
    if [port.name for port in matcher.outputs] != ["matches", "mscores"]:
        raise NetworkError(
            "the matcher ends in scores and not in matches",
            expected="outputs matches and mscores",
            got=[port.name for port in matcher.outputs],
            cure="model.output=matches for the matcher",
        )
    wanted = {name: matcher.sizes[name] for name in ("keypoints", "dimension")} | {"batch": matcher.sizes["images"]}
    found = {name: extractor.sizes[name] for name in wanted}
    if wanted != found:
        raise NetworkError(
            "extractor and matcher do not fit into one graph",
            expected=f"an extractor with {wanted}: two images for each pair",
            got=found,
            cure="set the extractor's model.batch to twice the matcher's",
        )
