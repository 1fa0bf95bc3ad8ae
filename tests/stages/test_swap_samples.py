"""The swap stage on real images: features, batches and the references of the published networks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from enginewright.artifacts import read_json
from enginewright.config.models import ModelConfig
from enginewright.config.sections import DataConfig
from enginewright.contract import Contract, Kind, Port
from enginewright.contract.shapes import opened
from enginewright.errors import CheckpointError, ConfigError
from enginewright.images import load_pairs
from enginewright.matching.normalise import normalise_keypoints
from enginewright.reference import load_reference
from enginewright.stage import Stage
from enginewright.swapping.sampling import extractor_features
from networks import Adapter
from stages.swap import SECTIONS, main, samples_of
from tests.models import disk_model, lightglue_model
from tests.stages.tiny_stage import checkpoint_of, contract_of, module_of, registered

DISK = disk_model(height=64, width=64, keypoints=32)
PHOTOGRAPHS = {"stereo": False, "photographs": ["astronaut", "brick", "coffee"]}
DATA = DataConfig(stereo=False)


class OtherAdapter(Adapter[ModelConfig]):
    """A network that neither extracts nor matches."""

    def module(self, model: ModelConfig) -> nn.Module:
        return nn.Identity()

    def contract(self, model: ModelConfig) -> Contract:
        return Contract(Kind.network, (Port("x", ("rows",)),), (Port("y", ("rows",)),), {"rows": 4})


@pytest.fixture(scope="module", autouse=True)
def _registered() -> Iterator[None]:
    with registered(other=OtherAdapter):
        yield


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoint_of(DISK, tmp_path_factory.mktemp("disk") / "checkpoint.safetensors")


@pytest.mark.parametrize("batch", [1, 4])
def test_features_are_those_of_every_image_alone(disk: Path, batch: int) -> None:
    pairs = load_pairs(DATA, 64, 64)
    features = extractor_features(replace(DISK, batch=batch), disk, pairs)
    assert features["keypoints"].shape == (6, 32, 2)
    assert features["descriptors"].shape == (6, 32, 128)
    module = module_of(DISK)
    for index, image in enumerate(image for pair in pairs for image in pair.images):
        tensor = torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255
        with torch.no_grad():
            keypoints, _, descriptors, _ = module(tensor)
        np.testing.assert_allclose(features["keypoints"][index], keypoints[0], atol=1e-4)
        np.testing.assert_allclose(features["descriptors"][index], descriptors[0], atol=1e-4)


def stage_of(network: str, disk: Path, folder: Path, batch: int = 1, **swap: object) -> Stage:
    extractor = {"adapter": "disk", "kind": "extractor", "height": 64, "width": 64, "keypoints": 32, "batch": batch}
    matcher = {"adapter": "lightglue", "kind": "matcher", "layernorms": 18, "keypoints": 32, "batch": batch}
    shared = {"data": PHOTOGRAPHS, "swap": swap, "extractor": "eyes"}
    return Stage(
        network=network,
        networks={
            "eyes": {"model": extractor, **shared},
            "hands": {"model": matcher, **shared},
            "other": {"model": {"adapter": "other"}, **shared},
        },
        sections=SECTIONS,
        inputs={"checkpoint": folder / "checkpoint.safetensors", "extractor_checkpoint": disk},
        outputs={"reference": folder / "out" / "reference.npz", "metrics": folder / "out" / "swap.json"},
    )


def test_main_makes_the_reference_of_an_extractor(disk: Path, tmp_path: Path) -> None:
    stage = stage_of("eyes", disk, tmp_path, batch=4, form="decomposed")
    checkpoint_of(DISK, stage.inputs["checkpoint"])
    main(stage)
    reference = load_reference(stage.outputs["reference"])
    assert reference.contract == opened(contract_of(replace(DISK, batch=4)), {})
    assert reference.inputs["image"].shape == (2, 4, 3, 64, 64)
    assert {name: array.shape for name, array in reference.outputs.items()} == {
        "keypoints": (2, 4, 32, 2),
        "scores": (2, 4, 32),
        "descriptors": (2, 4, 32, 128),
        "valid": (2, 4, 32),
    }
    first, second = reference.names
    assert first.count("+") == 3
    assert second.count("+") == 1
    np.testing.assert_array_equal(reference.inputs["image"][1, 1], reference.inputs["image"][1, 3])
    assert read_json(stage.outputs["metrics"]) == {"layers_swapped": 0, "max_abs_diff": 0.0}


def test_main_makes_the_reference_of_a_matcher_from_its_extractors_features(disk: Path, tmp_path: Path) -> None:
    stage, model = (
        stage_of("hands", disk, tmp_path, batch=2, form="decomposed"),
        lightglue_model(keypoints=32, batch=2),
    )
    checkpoint_of(model, stage.inputs["checkpoint"])
    main(stage)
    reference = load_reference(stage.outputs["reference"])
    assert reference.contract == opened(contract_of(model), {})
    pairs = load_pairs(DATA, 64, 64)
    features = extractor_features(DISK, disk, pairs)
    rows = [0, 1, 2, 3, 4, 5, 4, 5]
    placed = normalise_keypoints(features["keypoints"], 64, 64)[rows].reshape(2, 4, 32, 2)
    np.testing.assert_allclose(reference.inputs["keypoints"], placed, atol=1e-4)
    wanted = features["descriptors"][rows].reshape(2, 4, 32, 128)
    np.testing.assert_allclose(reference.inputs["descriptors"], wanted, atol=1e-4)
    assert reference.names == (f"{pairs[0].name}+{pairs[1].name}", pairs[2].name)
    assert reference.outputs["matches"].shape == (2, 2, 32)
    assert reference.outputs["matches"].dtype == np.int32
    metrics = read_json(stage.outputs["metrics"])
    assert metrics["layers_swapped"] == 18
    assert 0 < metrics["max_abs_diff"] < 1e-3
    assert sorted(path.name for path in stage.outputs["metrics"].parent.iterdir()) == ["reference.npz", "swap.json"]


def test_the_same_inputs_give_the_same_bytes(disk: Path, tmp_path: Path) -> None:
    stages = [stage_of("eyes", disk, tmp_path / name) for name in ("a", "b")]
    for stage in stages:
        checkpoint_of(DISK, stage.inputs["checkpoint"])
        main(stage)
    first, second = (stage.outputs["reference"].read_bytes() for stage in stages)
    assert first == second
    assert str(tmp_path).encode() not in first


def test_a_network_of_neither_kind_has_no_samples(disk: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"model\.inputs does not name the inputs") as caught:
        samples_of(stage_of("other", disk, tmp_path))
    assert caught.value.got == "none"


def test_a_refused_swap_leaves_earlier_outputs_as_they_are(disk: Path, tmp_path: Path) -> None:
    stage = stage_of("eyes", disk, tmp_path)
    checkpoint_of(DISK, stage.inputs["checkpoint"])
    main(stage)
    before = stage.outputs["reference"].read_bytes()
    stage.inputs["checkpoint"].write_bytes(b"broken")
    with pytest.raises(CheckpointError):
        main(stage)
    assert stage.outputs["reference"].read_bytes() == before
