"""Rules on open axes: `export.dynamic` and `model.ranges` say the same, and the network takes every corner.

A breach is told while composing, with the nearest shape that fits: the corners are run by the swap stage only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod

from enginewright.config.choices import MatcherOutput, ModelKind
from enginewright.config.models import MOST_BATCH, ExtractorModel, MatcherModel, ModelConfig, OnnxModel
from enginewright.config.network import NetworkConfig
from enginewright.contract.shapes import TIED, ends
from enginewright.errors import ConfigError

OPEN = {ModelKind.extractor: ("batch", "height", "width"), ModelKind.matcher: ("batch", "keypoints")}
"""The axes that the graph of each kind can leave open. Those of other networks are known to their adapters only."""

MOST_BYTES = 1 << 30
"""What the samples at all corners may come to: they are kept in memory and in reference.npz."""


def check_shapes(name: str, network: NetworkConfig, networks: Mapping[str, NetworkConfig]) -> None:
    """Refuse ranges that have no effect, or a corner that the network cannot take.

    Raises:
        ConfigError: naming the key, and the nearest value that fits.
    """
    model = network.model
    _check_effect(name, model, network.export.dynamic)
    for axis in model.ranges:
        _check_axis(name, model, axis)
    if isinstance(model, ExtractorModel):
        _check_steps(name, model)
        _check_least(name, model)
    if isinstance(model, MatcherModel) and "keypoints" in model.ranges:
        _check_found(name, model, networks[network.extractor].model, network.extractor)
    _check_bytes(name, model)


def _check_effect(name: str, model: ModelConfig, dynamic: bool) -> None:
    if model.ranges and not dynamic:
        raise ConfigError(
            f"networks.{name}.model.ranges has no effect: its graph is static",
            expected="export.dynamic=true where there are ranges",
            got=f"networks.{name}.export.dynamic=false",
            cure=f"export.dynamic=true, or leave networks.{name}.model.ranges empty",
        )
    if dynamic and not model.ranges:
        axes = OPEN.get(model.kind, ("batch",))
        raise ConfigError(
            f"networks.{name}.export.dynamic has no effect: an axis without a range keeps its static size",
            expected=f"a range for one or more of {', '.join(axes)}",
            got=f"no range in networks.{name}.model.ranges",
            cure=f"networks.{name}.model.ranges.batch=[1,4], or networks.{name}.export.dynamic=false",
        )


def _check_axis(name: str, model: ModelConfig, axis: str) -> None:
    """Refuse an axis that the kind does not have, a range without the static size, and a batch above the limit."""
    key = f"networks.{name}.model.ranges"
    if axis not in OPEN.get(model.kind, (axis,)):
        raise ConfigError(
            f"{key} names an axis that this network cannot leave open",
            expected=" or ".join(OPEN[model.kind]),
            got=axis,
            cure=_instead(name, axis),
        )
    (low, high), size = model.ranges[axis], _static_size(model, axis)
    if size is not None and not low <= size <= high:
        raise ConfigError(
            f"{key}.{axis} leaves out the static size, for which the engine is tuned",
            expected=f"min <= {size} <= max",
            got=[low, high],
            cure=f"set {key}.{axis}={_pair(min(low, size), max(high, size))}, or model.{axis} between {low} and {high}",
        )
    if axis == "batch" and high > MOST_BATCH:
        raise ConfigError(
            f"{key}.batch is out of range",
            expected=f"1 to {MOST_BATCH}",
            got=high,
            cure=f"set {key}.batch={_pair(low, MOST_BATCH)}",
        )


def _static_size(model: ModelConfig, axis: str) -> int | None:
    """Return the size of an axis where the section says it; an ONNX file's are in the shapes of its inputs."""
    return None if isinstance(model, OnnxModel) else getattr(model, axis, None)


def _pair(low: int, high: int) -> str:
    """Return a range as a command line takes it."""
    return f"[{low},{high}]"


def _instead(name: str, axis: str) -> str:
    if axis in TIED:
        return f"give networks.{name}.model.ranges.{TIED[axis][0]}: {axis} follow it"
    if axis == "keypoints":
        return f"K is part of an extractor's graph: set networks.{name}.model.keypoints"
    return "leave it out: an axis without a range keeps its static size"


def _check_steps(name: str, model: ExtractorModel) -> None:
    for axis in ("height", "width"):
        pair, step = model.ranges.get(axis, []), model.multiple
        if any(size % step for size in pair):
            low, high = (max(step, round(size / step) * step) for size in pair)
            raise ConfigError(
                f"networks.{name}.model.ranges.{axis} does not fit the network",
                expected=f"multiples of {step}",
                got=list(pair),
                cure=f"set networks.{name}.model.ranges.{axis}={_pair(low, high)}",
            )


def _check_least(name: str, model: ExtractorModel) -> None:
    """Refuse a smallest image that K keypoints or the suppression window do not fit into."""
    least = {axis: model.ranges.get(axis, [getattr(model, axis)])[0] for axis in ("height", "width")}
    where = ", ".join(f"{axis}={size}" for axis, size in least.items())
    most = model.most_keypoints(**least)
    if model.keypoints > most > 0:
        raise ConfigError(
            f"networks.{name}.model.keypoints is more than the smallest image of its ranges has room for",
            expected=f"1 to {most} at {where}",
            got=model.keypoints,
            cure=f"set networks.{name}.model.keypoints={most}, or a larger least height or width in model.ranges",
        )
    try:
        replace(model, ranges={}, **least)
    except ConfigError as error:
        raise ConfigError(
            f"networks.{name} cannot take the smallest image of its ranges, {where}: {error.what}",
            expected=error.expected,
            got=error.got,
            cure=f"set a larger least height or width in networks.{name}.model.ranges",
        ) from error


def _check_found(name: str, model: MatcherModel, feeding: ModelConfig, extractor: str) -> None:
    """Refuse a K that the extractor cannot be asked for, at the image size that it has."""
    low, high = model.ranges["keypoints"]
    if not isinstance(feeding, ExtractorModel):
        return
    most = feeding.most_keypoints(feeding.height, feeding.width)
    if high > most:
        raise ConfigError(
            f"networks.{name}.model.ranges.keypoints is more than {extractor} can find",
            expected=f"1 to {most} in an image of height={feeding.height}, width={feeding.width}",
            got=[low, high],
            cure=f"set networks.{name}.model.ranges.keypoints={_pair(min(low, most), most)}",
        )


def _check_bytes(name: str, model: ModelConfig) -> None:
    total = sum(_bytes(model, sizes) for sizes in ends(model.ranges)) if model.ranges else 0
    if total > MOST_BYTES:
        raise ConfigError(
            f"the samples at the corners of networks.{name}.model.ranges would take too much memory",
            expected=f"at most {MOST_BYTES >> 20} MiB in all",
            got=f"{total >> 20} MiB",
            cure=f"narrow networks.{name}.model.ranges, batch first",
        )


def _bytes(model: ModelConfig, sizes: Mapping[str, int]) -> int:
    """Return the size of one sample at a corner, an estimate: images, or features and a score matrix, in float32."""
    found: dict[str, int] = vars(model) | dict(sizes)
    if isinstance(model, ExtractorModel):
        return 4 * 3 * prod(found[axis] for axis in ("batch", "height", "width"))
    if isinstance(model, MatcherModel):
        slots, scores = found["batch"] * found["keypoints"], model.output is MatcherOutput.scores
        return 4 * slots * (2 * (model.input_dim + 2) + scores * found["keypoints"])
    return 0
