"""Builds the typed graph of a variant and rehearses it, by the stages' own functions, without touching what DVC tracks.

Checkpoint and reference are those of the last `dvc repro` of the network: no variant changes them.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from enginewright.artifacts import write_json
from enginewright.config.network import NetworkConfig
from enginewright.config.typed import typed_network
from enginewright.errors import ConfigError, EnginewrightError
from enginewright.gpu.kept import kept_matches
from enginewright.gpu.variants import Variant
from enginewright.graphs.files import load_graph, save_graph
from enginewright.graphs.modules import kept_modules
from enginewright.graphs.provider import CPU
from enginewright.graphs.types import reduced_precision
from enginewright.reference import load_reference

if TYPE_CHECKING:
    from enginewright.reference import Reference

WEIGHTS = Path("weights")


def build(variant: Variant, folder: Path) -> dict[str, Any]:
    """Write NAME.onnx and NAME.json into `folder`, and return the latter: what was built, or why it was refused.

    Raises:
        ConfigError: if the network was not built before.
    """
    point = {"network": variant.network, "form": variant.form, "precision": variant.precision}
    facts: dict[str, Any] = point | {"modelopt": version("nvidia-modelopt")}
    try:
        config = _configured(variant)
        facts |= {"matcher_ratio": config.compare.matcher_ratio, **_built(variant, config, folder)}
    except EnginewrightError as refusal:
        facts |= {"status": "refused", "reason": str(refusal)}
    write_json(folder / f"{variant.name}.json", facts)
    return facts


def _configured(variant: Variant) -> NetworkConfig:
    from enginewright.stage.by_hand import composed_for

    return typed_network(composed_for(variant.network, variant.overrides)["networks"][variant.network], variant.network)


def _built(variant: Variant, config: NetworkConfig, folder: Path) -> dict[str, Any]:
    from stages import cast

    exported = _exported(variant, config, folder)
    simplified = _simplified(exported, config)
    reference = load_reference(needed(variant.network, "reference.npz"))
    graph, metrics = cast.run(config.cast, simplified, reference, config.swap.form)
    typed = folder / f"{variant.name}.onnx"
    save_graph(typed, graph)
    facts = {"status": "built", "bytes": typed.stat().st_size, "cast": metrics}
    return facts | _rehearsed(typed, exported, reference, config)


def _exported(variant: Variant, config: NetworkConfig, folder: Path) -> Path:
    """Return the exported graph of the form, made once for all precisions."""
    from stages import export

    path = folder / "exported" / f"{variant.network}-{variant.form}.onnx"
    if not path.is_file():
        checkpoint = needed(variant.network, "checkpoint.safetensors")
        save_graph(path, export.run(config.model, config.swap.form, config.export, checkpoint))
    return path


def _simplified(exported: Path, config: NetworkConfig) -> Path:
    from stages import simplify

    path = exported.with_name(f"{exported.stem}-simplified.onnx")
    if not path.is_file():
        save_graph(path, simplify.run(config.simplify, exported)[0])
    return path


def _rehearsed(typed: Path, exported: Path, reference: Reference, config: NetworkConfig) -> dict[str, Any]:
    """Return the rehearsal's verdict on the ranges and the matches that it keeps; nothing for an fp32 graph."""
    from enginewright.rehearsing.gate import ranges_of, tensors_in, verdict_of
    from enginewright.rehearsing.rounding import rounded_file

    if reduced_precision(typed) is None:
        return {}
    tensors = tensors_in(load_graph(typed), kept_modules(load_graph(exported)), reference, config.compare)
    with rounded_file(typed) as path:
        kept = kept_matches(path, reference, CPU)
    return {"ranges": verdict_of(tensors).as_metrics() | ranges_of(tensors), "rehearsed": kept}


def needed(network: str, file: str) -> Path:
    """Return a file that the pipeline made of the network.

    Raises:
        ConfigError: if it is not there.
    """
    path = WEIGHTS / network / file
    if not path.is_file():
        cure = f"dvc exp run -S 'network=[{network}]', with its extractor if it is a matcher"
        raise ConfigError(
            f"{network} was not built here", expected=f"{network}'s {file}", got="no such file", cure=cure
        )
    return path
