"""Networks with open axes through swap, export and compare, and one whose graph keeps the size it was traced at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from enginewright.config.choices import Exporter, Form
from enginewright.config.models import ExtractorModel, MatcherModel, ModelConfig
from enginewright.config.sections import CompareConfig, ExportConfig, SwapConfig
from enginewright.contract.shapes import at, corners, label
from enginewright.errors import ConfigError, NetworkError
from enginewright.graphs.files import save_graph
from enginewright.reference import Reference, load_reference
from enginewright.samples import Samples
from enginewright.stage import Stage
from networks.disk import Disk, DiskAdapter
from stages import compare, export, swap
from tests.models import disk_model
from tests.stages.tiny import Tiny, TinyAdapter, TinyModel
from tests.stages.tiny_stage import checkpoint_of, contract_of, inputs_of, module_of, registered, run_torch

PHOTOGRAPHS = {"stereo": False, "photographs": ["astronaut", "brick"]}
DISK_RANGES = {"batch": [1, 3], "height": [48, 96], "width": [64, 112]}
DISK = disk_model(height=64, width=96, keypoints=32, ranges=DISK_RANGES)
MATCHER = MatcherModel(adapter="shallow", layernorms=2, keypoints=32, ranges={"batch": [1, 2], "keypoints": [8, 48]})
TINY = TinyModel(batch=2, ranges={"batch": [1, 3], "rows": [2, 9]})


class TracedDisk(Disk):
    """DISK whose pixels are right at the width that it was traced at only."""

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        points, scores, descriptors, valid = super().forward(image)
        return points * int(image.shape[-1]) / image.shape[-1], scores, descriptors, valid


class TracedDiskAdapter(DiskAdapter):
    def module(self, model: ExtractorModel) -> nn.Module:
        return TracedDisk(model.keypoints, model.window, model.threshold)


class Count(Tiny):
    """The tiny network, its rows divided by how many there were when it was traced."""

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        y, best = super().forward(x)
        return y / int(x.shape[1]), best


class CountAdapter(TinyAdapter):
    def module(self, model: TinyModel) -> nn.Module:
        return Count(extra=False)


class SizedAdapter(TinyAdapter):
    """A module that is made for one batch: the original at a corner is the one made for it."""

    def module(self, model: TinyModel) -> nn.Module:
        made = Tiny(extra=False)
        made.register_buffer("made_for", torch.tensor(float(model.batch)), persistent=False)
        made.register_forward_hook(lambda module, _, found: (found[0] * module.made_for, found[1]))
        return made


@pytest.fixture(scope="module", autouse=True)
def _registered() -> Iterator[None]:
    with registered(traced=TracedDiskAdapter, count=CountAdapter, sized=SizedAdapter):
        yield


def stage_of(network: str, folder: Path) -> Stage:
    """Return the swap stage of DISK (eyes) or the matcher (hands), weights made."""
    checkpoints = {"eyes": checkpoint_of(DISK, folder / "eyes.safetensors")}
    checkpoints["hands"] = checkpoint_of(MATCHER, folder / "hands.safetensors")
    shared = {"data": PHOTOGRAPHS, "swap": {}, "extractor": "eyes"}
    sections = {"eyes": (DISK, "extractor"), "hands": (MATCHER, "matcher")}
    return Stage(
        network=network,
        networks={name: {"model": _plain(model, kind), **shared} for name, (model, kind) in sections.items()},
        sections=swap.SECTIONS,
        inputs={"checkpoint": checkpoints[network], "extractor_checkpoint": checkpoints["eyes"]},
        outputs={"reference": folder / f"{network}.npz", "metrics": folder / f"{network}.json"},
    )


def _plain(model: ModelConfig, kind: str) -> dict[str, Any]:
    values = {name: value for name, value in vars(model).items() if name not in ("kind", "output")}
    return values | {"kind": kind}


@pytest.fixture(scope="module")
def stages(_registered: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stage]:
    """Return the swap stage of either network, after it ran: it takes seconds."""
    found = {name: stage_of(name, tmp_path_factory.mktemp(name)) for name in ("eyes", "hands")}
    for stage in found.values():
        swap.main(stage)
    return found


def tiny_reference(model: TinyModel, checkpoint: Path) -> Reference:
    contract = swap.contract_of(model)
    at_corners = [Samples(inputs_of(corner, 1), ("one",)) for corner in corners(contract, model.ranges)]
    return swap.run(model, SwapConfig(), checkpoint, inputs_of(contract, 2), ("a", "b"), at_corners=at_corners)[0]


def compared(model: ModelConfig, checkpoint: Path, reference: Reference) -> dict[str, Any]:
    """Return compare.json of the exported graph. By tracing, which is where sizes become constants."""
    path = checkpoint.with_name(f"{model.adapter}.onnx")
    config = ExportConfig(Exporter.torchscript, 17, dynamic=True)
    save_graph(path, export.run(model, Form.native, config, checkpoint))
    return compare.run(CompareConfig(), reference, {"exported": path})[0]


@pytest.mark.parametrize(("network", "count"), [("eyes", 8), ("hands", 4)])
def test_swap_keeps_one_real_sample_of_the_original_at_every_corner(
    network: str, count: int, stages: dict[str, Stage]
) -> None:
    stage, model = stages[network], {"eyes": DISK, "hands": MATCHER}[network]
    reference = load_reference(stage.outputs["reference"])
    assert len(reference) == {"eyes": 4, "hands": 2}[network]
    assert len(reference.corners) == count
    assert [corner.contract for corner in reference.corners] == corners(swap.contract_of(model), model.ranges)
    module = module_of(model)
    for corner in reference.corners:
        ((name, inputs, outputs),) = corner.samples()
        assert name.startswith("astronaut")
        for port in corner.contract.ports:
            assert (inputs | outputs)[port.name].shape == corner.contract.shape(port)
        wanted = run_torch(module, inputs, corner.contract)
        first = corner.contract.outputs[0].name
        np.testing.assert_allclose(wanted[first], outputs[first], atol=1e-4)
    assert stage.outputs["reference"].stat().st_size < 4e6


def test_disk_agrees_with_the_original_at_every_corner(stages: dict[str, Stage]) -> None:
    stage = stages["eyes"]
    reference = load_reference(stage.outputs["reference"])
    metrics = compared(DISK, stage.inputs["checkpoint"], reference)
    assert (metrics["verdict"], metrics["reason"]) == ("passed", "")
    assert metrics["exported"]["keypoints"]["missing"] == 0


def test_a_width_kept_from_tracing_fails_at_the_corners_of_other_widths(stages: dict[str, Stage]) -> None:
    """At the static shape, and at other heights, the same graph agrees with the original."""
    stage, model = stages["eyes"], replace(DISK, adapter="traced")
    reference = load_reference(stage.outputs["reference"])
    metrics = compared(model, stage.inputs["checkpoint"], reference)
    assert metrics["verdict"] == "failed"
    assert metrics["reason"].startswith("exported")
    first = corners(swap.contract_of(DISK), DISK_RANGES)[0]
    assert f"at {label(first)}; it fails too at" in metrics["reason"]
    assert "width=96" not in metrics["reason"]
    static = compared(model, stage.inputs["checkpoint"], replace(reference, corners=()))
    assert static["verdict"] == "passed", "which is why the static shape alone proves nothing"


def test_a_matcher_agrees_with_the_original_at_every_corner(stages: dict[str, Stage]) -> None:
    stage = stages["hands"]
    reference = load_reference(stage.outputs["reference"])
    metrics = compared(MATCHER, stage.inputs["checkpoint"], reference)
    assert (metrics["verdict"], metrics["reason"]) == ("passed", "")


def test_any_network_is_compared_at_its_corners(tmp_path: Path) -> None:
    checkpoint = checkpoint_of(TINY, tmp_path / "tiny.safetensors")
    reference = tiny_reference(TINY, checkpoint)
    assert [label(shape.contract) for shape in reference.shapes] == [
        "batch=2, rows=6",
        "batch=1, rows=2",
        "batch=1, rows=9",
        "batch=3, rows=2",
        "batch=3, rows=9",
    ]
    assert compared(TINY, checkpoint, reference)["verdict"] == "passed"


def test_a_count_kept_from_tracing_is_told_with_its_corner(tmp_path: Path) -> None:
    model = replace(TINY, adapter="count")
    checkpoint = checkpoint_of(model, tmp_path / "count.safetensors")
    metrics = compared(model, checkpoint, tiny_reference(model, checkpoint))
    assert metrics["verdict"] == "failed"
    assert "exported.y.max_abs is" in metrics["reason"]
    assert "at batch=1, rows=2; it fails too at batch=1, rows=9" in metrics["reason"]


def test_the_original_at_a_corner_is_the_one_that_is_made_for_it(tmp_path: Path) -> None:
    """A size that the module itself keeps would be wrong on both sides, and agree, if it were made once."""
    model = replace(TINY, adapter="sized", ranges={"batch": [1, 3]})
    checkpoint = checkpoint_of(model, tmp_path / "sized.safetensors")
    plain, sized = tiny_reference(replace(model, adapter="tiny"), checkpoint), tiny_reference(model, checkpoint)
    for first, second, batch in zip(plain.shapes, sized.shapes, (2, 1, 3), strict=True):
        np.testing.assert_allclose(batch * first.outputs["y"], second.outputs["y"], rtol=1e-5)
    assert compared(model, checkpoint, sized)["verdict"] == "failed"


def test_only_ranged_axes_are_open_in_the_reference(tmp_path: Path) -> None:
    model = replace(TINY, ranges={"rows": [6, 9]})
    reference = tiny_reference(model, checkpoint_of(TINY, tmp_path / "tiny.safetensors"))
    assert [port.dynamic for port in reference.contract.ports] == [("rows",)] * 3
    assert [label(corner.contract) for corner in reference.corners] == ["rows=9"]


def test_a_range_of_an_axis_that_the_network_lacks_is_refused_before_anything_runs(tmp_path: Path) -> None:
    model = replace(TINY, ranges={"columns": [1, 2]})
    with pytest.raises(ConfigError, match="names an axis that the network cannot leave open"):
        swap.run(model, SwapConfig(), tmp_path / "absent", {}, ())


def test_a_corner_whose_outputs_do_not_follow_its_inputs_is_an_error(tmp_path: Path) -> None:
    checkpoint = checkpoint_of(TINY, tmp_path / "tiny.safetensors")
    contract = swap.contract_of(TINY)
    other = [Samples(inputs_of(at(contract, {"rows": 5}), 1), ("one",)) for _ in corners(contract, TINY.ranges)]
    with pytest.raises(NetworkError, match="the module breaks its contract's outputs"):
        swap.run(TINY, SwapConfig(), checkpoint, inputs_of(contract, 1), ("a",), at_corners=other)


def test_no_corner_may_be_left_out(tmp_path: Path) -> None:
    checkpoint, contract = checkpoint_of(TINY, tmp_path / "tiny.safetensors"), contract_of(TINY)
    with pytest.raises(ValueError, match="zip"):
        swap.run(TINY, SwapConfig(), checkpoint, inputs_of(contract, 1), ("a",))
