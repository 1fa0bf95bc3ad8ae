"""swap: every LayerNorm in the configured form, proven; and the reference that later stages compare with.

The reference holds the original network's inputs and outputs on real images, so that no later stage imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

import networks
from enginewright.artifacts import write_json
from enginewright.config.choices import Form
from enginewright.config.models import ModelConfig
from enginewright.config.sections import DataConfig, SwapConfig
from enginewright.contract import Kind
from enginewright.errors import NetworkError
from enginewright.images.load import load_pairs
from enginewright.images.pair import Pair
from enginewright.progress import progress
from enginewright.reference import Arrays, Reference, save_reference
from enginewright.samples import extractor_samples, matcher_samples
from enginewright.stage import Stage, enter

if TYPE_CHECKING:
    from torch import nn

SECTIONS = ("model", "extractor.model", "data", "swap")
_ALIGN_PX = 0.5
"""Two keypoints nearer than this are the same one."""


def run(
    model: ModelConfig, config: SwapConfig, checkpoint: Path, samples: Arrays, names: tuple[str, ...]
) -> tuple[Reference, dict[str, Any]]:
    """Return the reference of the original network on `samples`, and the metrics of swap.json.

    Raises:
        NetworkError: if not all of the contract's LayerNorm layers were swapped, the state dict changed, or an output
            moved by more than `swap.max_abs`.
    """
    from enginewright.swapping.proof import check_layers, check_state, largest_difference
    from enginewright.swapping.run_module import run_module
    from networks.layernorm import count_layernorms, swap_layernorms

    contract = networks.load(model.adapter).contract(model)
    original, other = (loaded(model, checkpoint) for _ in range(2))
    found, swapped = count_layernorms(other), swap_layernorms(other, config.form)
    check_layers(found, swapped, contract, config.form)
    check_state(original, other)
    reference = Reference(samples, run_module(original, samples, contract), names, contract)
    difference = 0.0
    if config.form is not Form.native:
        outputs = run_module(other, samples, contract)
        difference = largest_difference(reference.outputs, outputs, contract, _ALIGN_PX)
    if not difference <= config.max_abs:
        raise NetworkError(
            f"the LayerNorm form {config.form.name} changes the network's outputs",
            expected=f"at most {config.max_abs:g} (layernorm.max_abs)",
            got=f"{difference:g}",
            cure="layernorm=native",
        )
    return reference, {"layers_swapped": swapped, "max_abs_diff": difference}


def loaded(model: ModelConfig, checkpoint: Path) -> nn.Module:
    """Return a network's module with its stored weights, ready to run."""
    from enginewright.weights.store import load_checkpoint

    module = networks.load(model.adapter).module(model).eval()
    load_checkpoint(checkpoint, module)
    return module


def extractor_features(model: ModelConfig, checkpoint: Path, pairs: Sequence[Pair]) -> Arrays:
    """Return `keypoints` (2N, K, 2), pixels, and `descriptors` (2N, K, D) of the images of N pairs."""
    from enginewright.swapping.run_module import run_module

    contract = networks.load(model.adapter).contract(model)
    samples, _ = extractor_samples(pairs, contract.sizes["channels"], contract.sizes["batch"])
    outputs = run_module(loaded(model, checkpoint), samples, contract)
    rows = {name: outputs[name] for name in ("keypoints", "descriptors")}
    return {name: array.reshape(-1, *array.shape[2:])[: 2 * len(pairs)] for name, array in rows.items()}


def samples_of(stage: Stage) -> tuple[Arrays, tuple[str, ...]]:
    """Return the samples for the stage's network, by its kind: images for an extractor, features for a matcher.

    Raises:
        NetworkError: for a kind that has no samples yet.
    """
    model, feeding = stage.section(ModelConfig), stage.extractor_model()
    sizes = networks.load(feeding.adapter).contract(feeding).sizes
    pairs = load_pairs(stage.section(DataConfig), sizes["height"], sizes["width"])
    contract = networks.load(model.adapter).contract(model)
    if contract.kind is Kind.extractor:
        return extractor_samples(pairs, contract.sizes["channels"], contract.sizes["batch"])
    if contract.kind is Kind.matcher:
        features = extractor_features(feeding, stage.inputs["extractor_checkpoint"], pairs)
        keypoints, descriptors = (
            cast("np.typing.NDArray[np.float32]", features[n]) for n in ("keypoints", "descriptors")
        )
        return matcher_samples(pairs, keypoints, descriptors, contract.sizes["images"] // 2)
    raise NetworkError("a network of this kind has no samples", expected="extractor or matcher", got=contract.kind.name)


def main(stage: Stage) -> None:
    """Swap and prove, then write the reference and the metrics."""
    with progress(f"swap {stage.network}"):
        samples, names = samples_of(stage)
        reference, metrics = run(
            stage.section(ModelConfig), stage.section(SwapConfig), stage.inputs["checkpoint"], samples, names
        )
    save_reference(stage.outputs["reference"], reference)
    write_json(stage.outputs["metrics"], metrics)


if __name__ == "__main__":
    enter(main, SECTIONS)
