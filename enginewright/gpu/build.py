"""Builds the typed graph of a variant and rehearses it, by the stages' own functions; nothing DVC tracks is touched."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from enginewright.artifacts import write_json
from enginewright.config.network import NetworkConfig
from enginewright.errors import EnginewrightError
from enginewright.gpu.kept import kept_matches
from enginewright.gpu.session import Session
from enginewright.gpu.variants import Variant
from enginewright.graphs.files import load_graph, save_graph
from enginewright.graphs.modules import kept_modules
from enginewright.graphs.provider import CPU
from enginewright.graphs.types import reduced_precision
from enginewright.reference import load_reference
from enginewright.stage.chain import configured, needed, write_exported, write_simplified

if TYPE_CHECKING:
    from enginewright.reference import Reference


_SIZES = ("height", "width", "keypoints")


def build(variant: Variant, folder: Path) -> dict[str, Any]:
    """Write NAME.onnx and NAME.json into `folder`, and return the latter: what was built, or why it was refused.

    Raises:
        ConfigError: if the network was not built before.
    """
    point = {"network": variant.network, "form": variant.form, "precision": variant.precision}
    facts: dict[str, Any] = point | {"modelopt": version("nvidia-modelopt")}
    try:
        config = configured(variant.network, variant.overrides)
        facts |= {"matcher_ratio": config.compare.matcher_ratio, **_built(variant, config, folder)}
    except EnginewrightError as refusal:
        facts |= {"status": "refused", "reason": str(refusal)}
    write_json(folder / f"{variant.name}.json", facts)
    return facts


def _built(variant: Variant, config: NetworkConfig, folder: Path) -> dict[str, Any]:
    from stages import cast

    exported = _exported(variant, config, folder)
    simplified = _simplified(exported, config)
    reference = load_reference(needed(variant.network, "reference.npz"))
    graph, metrics = cast.run(config.cast, simplified, reference, config.swap.form)
    typed = folder / f"{variant.name}.onnx"
    save_graph(typed, graph)
    facts = {"status": "built", "bytes": typed.stat().st_size, "cast": metrics}
    facts["evidence"] = counted_on(config, reference)
    return facts | _rehearsed(typed, exported, reference, config)


def counted_on(config: NetworkConfig, reference: Reference) -> dict[str, int]:
    """Return what the matches are counted on: pairs, size of the images in pixels, keypoints of each."""
    model = vars(configured(config.extractor, []).model)
    return {"pairs": len(reference)} | {key: model[key] for key in _SIZES if key in model}


def _exported(variant: Variant, config: NetworkConfig, folder: Path) -> Path:
    """Return the exported graph of the form, made once for all precisions."""
    path = folder / "exported" / f"{variant.network}-{variant.form}.onnx"
    if not path.is_file():
        write_exported(path, variant.network, config)
    return path


def _simplified(exported: Path, config: NetworkConfig) -> Path:
    path = exported.with_name(f"{exported.stem}-simplified.onnx")
    if not path.is_file():
        write_simplified(path, exported, config)
    return path


def _rehearsed(typed: Path, exported: Path, reference: Reference, config: NetworkConfig) -> dict[str, Any]:
    """Return the rehearsal's verdict on the ranges and the matches that it keeps; nothing for an fp32 graph."""
    from enginewright.rehearsing.gate import ranges_of, tensors_in, verdict_of
    from enginewright.rehearsing.rounding import rounded_file

    if reduced_precision(typed) is None:
        return {}
    tensors = tensors_in(load_graph(typed), kept_modules(load_graph(exported)), reference, config.compare)
    with rounded_file(typed) as path:
        kept = kept_matches(Session(path, CPU), reference)
    return {"ranges": verdict_of(tensors).as_metrics() | ranges_of(tensors), "rehearsed": kept}
