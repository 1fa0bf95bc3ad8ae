"""Fetch the published weights of a network, prove them, and store them under the module's own names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import networks
from enginewright.checkpoint.cache import cache_folder
from enginewright.checkpoint.sources import fetch
from enginewright.checkpoint.weightless import no_tensors
from enginewright.config.choices import Source
from enginewright.config.models import ModelConfig
from enginewright.config.sections import CheckpointConfig
from enginewright.stage import Stage, enter
from enginewright.weights.read import read_tensors
from enginewright.weights.state import adapt
from enginewright.weights.store import write_checkpoint

if TYPE_CHECKING:
    from torch import Tensor

SECTIONS = ("model", "checkpoint")


def run(
    model: ModelConfig, checkpoint: CheckpointConfig, adapter: networks.Adapter[Any], cache: Path
) -> dict[str, Tensor]:
    """Return the published weights, under the module's names and in its types, after every check.

    Raises:
        CheckpointError: if the file cannot be had, has another digest, holds more than tensors, or does not fit; if
            the source is `none` and the module has weights.
    """
    if checkpoint.source is Source.none:
        return no_tensors(adapter.module(model))
    data = fetch(checkpoint, cache)
    tensors = read_tensors(data, checkpoint.state_dict)
    return adapt(tensors, adapter.rename, adapter.module(model))


def main(stage: Stage) -> None:
    """Write nothing before everything was checked, so that a refusal leaves earlier outputs as they are."""
    model = stage.section(ModelConfig)
    tensors = run(model, stage.section(CheckpointConfig), networks.load(model.adapter), cache_folder())
    write_checkpoint(stage.outputs["checkpoint"], tensors)


if __name__ == "__main__":
    enter(main, SECTIONS, foreign="the checkpoint")
