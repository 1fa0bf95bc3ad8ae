"""The SuperPoint family through every stage, without internet: published files are made here and served from here.

Nothing of the configuration is changed but where the checkpoints lie and what they hold, and the size of the run.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from tests.e2e.served import served
from tests.e2e.workspace import DOWNLOADS, Workspace, ran
from tests.networks.made_superpoint import made_lightglue, made_superpoint

PAIRED = {"superpoint_lightglue": "superpoint", "superpoint_open_nearest": "superpoint_open"}
"""Each matcher and the extractor that feeds it."""

NETWORKS = ("superpoint", "superpoint_lightglue", "superpoint_open", "superpoint_open_nearest")
GRAPHS = ("exported", "simplified", "typed")
SMALL = ("export=torchscript", "data.stereo=false", "data.photographs=[brick]")
SIZES = ("height=128", "width=160", "keypoints=64")
DIGEST = "52b6708629640ca883673b5d5c097c4ddad37d8048b33f09c8ca0d69db12c40e"
"""Of the published superpoint_v1.pth, as the configuration pins it."""


def sized(*extractors: str) -> list[str]:
    """Return the overrides that make a run small."""
    return [*SMALL, *(f"networks.{name}.model.{size}" for name in extractors for size in SIZES)]


@dataclass(frozen=True)
class Run:
    """A checkout in which the pipeline ran, its download cache, the stages that ran, and the files asked for."""

    space: Workspace
    cache: Path
    stages: list[str]
    asked: list[str]


def saved(state: dict[str, Tensor]) -> bytes:
    """Return a state dict as a published .pth file."""
    stream = io.BytesIO()
    torch.save(state, stream)
    return stream.getvalue()


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return the run of both pairs: 160 x 128 pixels, K = 64."""
    space = Workspace.copied_to(tmp_path_factory.mktemp("superpoint") / "checkout")
    cache = private_cache(space.path / ".cache" / "private")
    published = {"superpoint": "superpoint_v1.pth", "superpoint_lightglue": "superpoint_lightglue.pth"}
    files = {"superpoint_v1.pth": saved(made_superpoint()), "superpoint_lightglue.pth": saved(made_lightglue())}
    with served(files) as server:
        places = [
            override
            for network, file in published.items()
            for override in (
                f"networks.{network}.checkpoint.url={server.address}/{file}",
                f"networks.{network}.checkpoint.sha256={hashlib.sha256(files[file]).hexdigest()}",
            )
        ]
        chosen = f"network=[{','.join(NETWORKS)}]"
        space.run("python", "-m", "enginewright.config.compose", chosen, *sized(*PAIRED.values()), *places)
        found = space.run("dvc", "repro", ENGINEWRIGHT_CACHE=str(cache))
        return Run(space, cache, ran(found), server.asked)


def private_cache(folder: Path) -> Path:
    """Return a download cache that holds no made checkpoint yet, and shares the wheels of the common one."""
    folder.mkdir(parents=True)
    (DOWNLOADS / "wheels").mkdir(parents=True, exist_ok=True)
    (folder / "wheels").symlink_to(DOWNLOADS / "wheels")
    return folder


def test_every_stage_ran_for_every_network(family: Run) -> None:
    stages = ("checkpoint", "swap", "export", "simplify", "cast", "compare", "build")
    wanted = {f"{stage}@{network}" for stage in stages for network in NETWORKS}
    wanted |= {f"match@{matcher}" for matcher in PAIRED}
    assert wanted <= set(family.stages)


def test_each_published_file_was_downloaded_once(family: Run) -> None:
    assert sorted(family.asked) == ["superpoint_lightglue.pth", "superpoint_v1.pth"]


def test_the_checkpoints_hold_what_was_served(family: Run) -> None:
    stored = load_file(family.space.path / "weights/superpoint/checkpoint.safetensors")
    made = made_superpoint()
    assert stored.keys() == made.keys()
    assert all(torch.equal(stored[name], made[name]) for name in made)
    matcher = load_file(family.space.path / "weights/superpoint_lightglue/checkpoint.safetensors")
    assert torch.equal(matcher["posenc.Wr.weight"], made_lightglue()["posenc.Wr.weight"])
    assert not any(name.startswith("input_proj") for name in matcher)


def test_the_network_without_weights_has_an_empty_checkpoint(family: Run) -> None:
    assert load_file(family.space.path / "weights/superpoint_open_nearest/checkpoint.safetensors") == {}


@pytest.mark.parametrize("network", NETWORKS)
def test_every_graph_is_as_the_original_and_built(family: Run, network: str) -> None:
    compare = family.space.json(f"metrics/{network}/compare.json")
    assert compare["verdict"] == "passed"
    assert compare["verdicts"] == dict.fromkeys(GRAPHS, "passed")
    build = family.space.json(f"metrics/{network}/build.json")
    assert build["layers"] > 5
    assert family.space.json(f"weights/{network}/engine.json")["status"] in ("graph_proven", "proven")
    assert (family.space.path / f"weights/{network}/engine.plan").stat().st_size > 1000
    for name in ("swap", "export", "simplify", "cast"):
        assert family.space.json(f"metrics/{network}/{name}.json")


@pytest.mark.parametrize("matcher", PAIRED)
def test_all_matches_are_in_common_with_the_original(family: Run, matcher: str) -> None:
    found = family.space.json(f"metrics/{matcher}/match.json")
    assert found["original"]["matches"] >= 10
    for graph in GRAPHS:
        assert found[graph]["verdict"] == "passed"
        assert found[graph]["matches"] == found[graph]["common"] == found["original"]["matches"]
        assert found[graph]["common_ratio"] == 1.0
        assert found[graph]["keypoint_px_max"] == 0.0


def test_only_the_matcher_with_layernorm_layers_has_some(family: Run) -> None:
    found = {name: family.space.json(f"metrics/{name}/export.json")["layernorm_ops"] for name in NETWORKS}
    assert found == {name: 18 if name == "superpoint_lightglue" else 0 for name in NETWORKS}


def test_the_report_shows_all_of_them(family: Run) -> None:
    page = (family.space.path / "report/index.html").read_text(encoding="utf-8")
    assert all(name in page for name in NETWORKS)


def test_another_file_behind_the_address_is_refused_and_not_kept(family: Run) -> None:
    checkpoint = "weights/superpoint/checkpoint.safetensors"
    before = family.space.digests(checkpoint)
    with served({"superpoint_v1.pth": saved(made_superpoint(seed=1))}) as server:
        url = f"networks.superpoint.checkpoint.url={server.address}/superpoint_v1.pth"
        family.space.run(
            "python", "-m", "enginewright.config.compose", "network=[superpoint]", *sized("superpoint"), url
        )
        found = family.space.run(
            "dvc", "repro", "checkpoint@superpoint", check=False, ENGINEWRIGHT_CACHE=str(family.cache)
        )
    assert found.returncode != 0
    assert server.asked == ["superpoint_v1.pth"]
    assert f"expected: sha256 {DIGEST}" in found.stderr
    assert not (family.cache / "files" / DIGEST).exists()
    assert family.space.digests(checkpoint) in ({}, before), "DVC takes an output away before its stage runs"
