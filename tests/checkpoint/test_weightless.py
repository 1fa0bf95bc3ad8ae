"""The source `none`: an empty checkpoint that every later stage can load, and only for a module without weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import networks
from enginewright.checkpoint.weightless import no_tensors
from enginewright.config.choices import Source
from enginewright.config.models import MatcherModel
from enginewright.config.sections import CheckpointConfig
from enginewright.errors import CheckpointError
from enginewright.stage import Stage
from enginewright.weights.read import read_tensors
from enginewright.weights.store import load_checkpoint, write_checkpoint
from stages.checkpoint import SECTIONS, main, run

NONE = CheckpointConfig(Source.none)


class Counted(nn.Module):
    """A module whose only tensor is a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(1))


def test_a_module_without_tensors_has_none() -> None:
    assert no_tensors(nn.Sequential(nn.ReLU(), nn.Flatten())) == {}


def test_a_module_with_weights_is_refused_by_their_names() -> None:
    with pytest.raises(CheckpointError) as caught:
        no_tensors(nn.Sequential(*(nn.Linear(2, 2) for _ in range(6))))
    text = str(caught.value)
    assert "checkpoint.source=none, but Sequential has weights" in text
    assert "0.bias, 0.weight" in text
    assert "and 4 more" in text
    assert "checkpoint.source=wheel" in text


def test_a_buffer_counts_as_a_weight() -> None:
    with pytest.raises(CheckpointError, match="got: seen"):
        no_tensors(Counted())


def test_the_empty_checkpoint_is_a_sound_file_that_loads(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    write_checkpoint(path, {})
    assert load_file(path) == {}
    assert read_tensors(path.read_bytes()) == {}
    load_checkpoint(path, nn.ReLU())
    with pytest.raises(CheckpointError, match="missing weight"):
        load_checkpoint(path, nn.Linear(2, 2))


def test_the_stage_fetches_nothing(tmp_path: Path) -> None:
    model = MatcherModel(adapter="nearest", filter_threshold=0.8)
    assert run(model, NONE, networks.load("nearest"), tmp_path / "cache") == {}
    assert not (tmp_path / "cache").exists()


def stage_for(folder: Path, adapter: str) -> Stage:
    """Return the stage of a matcher without weights, over an output of an earlier run."""
    (folder / "checkpoint.safetensors").write_bytes(b"earlier")
    model = {"adapter": adapter, "kind": "matcher", "filter_threshold": 0.8}
    values = {"pairs": {"model": model, "checkpoint": {"source": "none"}}}
    return Stage("pairs", values, SECTIONS, {}, {"checkpoint": folder / "checkpoint.safetensors"})


def test_the_stage_stores_the_empty_checkpoint(tmp_path: Path) -> None:
    main(stage_for(tmp_path, "nearest"))
    assert load_file(tmp_path / "checkpoint.safetensors") == {}


def test_the_stage_refuses_a_network_that_has_weights(tmp_path: Path) -> None:
    stage = stage_for(tmp_path, "lightglue")
    with pytest.raises(CheckpointError, match="LightGlue has weights"):
        main(stage)
    assert stage.outputs["checkpoint"].read_bytes() == b"earlier"
