"""swap: every LayerNorm in the configured form, proven; and the reference that later stages compare with.

The reference holds the original network's inputs and outputs on real images, so that no later stage imports torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import networks
from enginewright.artifacts import write_json
from enginewright.config.choices import Form
from enginewright.config.models import ModelConfig
from enginewright.config.sections import DataConfig, SwapConfig
from enginewright.contract import Contract
from enginewright.contract.shapes import corners, opened
from enginewright.errors import NetworkError
from enginewright.progress import progress
from enginewright.reference import Arrays, Reference, save_reference
from enginewright.samples import Samples
from enginewright.stage import Stage, enter
from enginewright.swapping.sampling import Sampler, at_sizes, sampler_of

SECTIONS = ("model", "extractor.model", "data", "swap")
_ALIGN_PX = 0.5
"""Two keypoints nearer than this are the same one."""


def run(  # noqa: PLR0913 - a network, its weights, and what it is run on
    model: ModelConfig,
    config: SwapConfig,
    checkpoint: Path,
    samples: Arrays,
    names: tuple[str, ...],
    *,
    at_corners: Sequence[Samples] = (),
) -> tuple[Reference, dict[str, Any]]:
    """Return the reference of the original network on `samples`, and the metrics of swap.json.

    at_corners: samples at each corner of `model.ranges`, in the order of `enginewright.contract.shapes.corners`.

    Raises:
        NetworkError: if not all of the contract's LayerNorm layers were swapped, the state dict changed, or an output
            moved by more than `swap.max_abs`.
    """
    from enginewright.swapping.proof import check_layers, check_state, largest_difference
    from enginewright.swapping.run_module import loaded, run_module
    from networks.layernorm import count_layernorms, swap_layernorms

    contract = contract_of(model)
    original, other = (loaded(model, checkpoint) for _ in range(2))
    found, swapped = count_layernorms(other), swap_layernorms(other, config.form)
    check_layers(found, swapped, contract, config.form)
    check_state(original, other)
    reference = Reference(samples, run_module(original, samples, contract), names, contract)
    difference = 0.0
    if config.form is not Form.native:
        outputs = run_module(other, samples, contract)
        difference = largest_difference(reference.outputs, outputs, contract, _ALIGN_PX)
    _refuse_difference(difference, config)
    at_every = tuple(_corner_references(model, checkpoint, at_corners))
    return replace(reference, corners=at_every), {"layers_swapped": swapped, "max_abs_diff": difference}


def _refuse_difference(difference: float, config: SwapConfig) -> None:
    if not difference <= config.max_abs:
        raise NetworkError(
            f"the LayerNorm form {config.form.name} changes the network's outputs",
            expected=f"at most {config.max_abs:g} (layernorm.max_abs)",
            got=f"{difference:g}",
            cure="layernorm=native",
        )


def contract_of(model: ModelConfig) -> Contract:
    """Return the network's contract, in which the axes of `model.ranges` are open and no others."""
    return opened(networks.load(model.adapter).contract(model), model.ranges)


def _corner_references(model: ModelConfig, checkpoint: Path, at_corners: Sequence[Samples]) -> Iterator[Reference]:
    """Yield the original at each corner, made for that size: a size that it keeps is another one there."""
    from enginewright.swapping.run_module import loaded, run_module

    for contract, (inputs, names) in zip(corners(contract_of(model), model.ranges), at_corners, strict=True):
        module = loaded(at_sizes(model, {axis: contract.sizes[axis] for axis in model.ranges}), checkpoint)
        yield Reference(inputs, run_module(module, inputs, contract), names, contract)


def sampler(stage: Stage) -> Sampler:
    """Return where the samples of the stage's network come from.

    Raises:
        NetworkError: for a kind that has no samples yet.
    """
    model, data = stage.section(ModelConfig), stage.section(DataConfig)
    kind, feeding = contract_of(model).kind, stage.extractor_model()
    return sampler_of(kind, model, data, feeding, stage.inputs["extractor_checkpoint"])


def samples_of(stage: Stage) -> tuple[Samples, list[Samples]]:
    """Return the samples of the network at its static shape, of every pair, and one at each corner of its ranges."""
    model, source = stage.section(ModelConfig), sampler(stage)
    contract = contract_of(model)
    samples = source.at(contract)
    # The largest batch comes last: what it needs of an extractor is enough for the others.
    at_corners = [source.at(corner, most=1) for corner in reversed(corners(contract, model.ranges))]
    return samples, at_corners[::-1]


def main(stage: Stage) -> None:
    """Swap and prove, then write the reference and the metrics."""
    with progress(f"swap {stage.network}"):
        samples, at_corners = samples_of(stage)
        model, config = stage.section(ModelConfig), stage.section(SwapConfig)
        reference, metrics = run(model, config, stage.inputs["checkpoint"], *samples, at_corners=at_corners)
    save_reference(stage.outputs["reference"], reference)
    write_json(stage.outputs["metrics"], metrics)


if __name__ == "__main__":
    enter(main, SECTIONS)
