from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from enginewright.artifacts import read_json
from enginewright.config.choices import Gate
from enginewright.config.sections import DataConfig, MatchConfig
from enginewright.engine.gpu import find_gpu
from enginewright.errors import CompareError, DataError, EnginewrightError, RequirementError
from enginewright.graphs.provider import CUDA
from enginewright.images import load_pairs
from enginewright.matching.proof import Task
from enginewright.reference import save_reference
from enginewright.stage import Stage
from stages.match import GRAPHS, SECTIONS, main, metrics_of, pictures_of, refuse_failure, run, task_of
from tests.matching.tiny_chain import (
    HEIGHT,
    THRESHOLD,
    WIDTH,
    Flaw,
    engine_of,
    extractor_graph,
    matcher_graph,
    references,
)

DATA = DataConfig(photographs=["astronaut", "coffee"])
LIMITS = MatchConfig(keypoint_px=1e-3, descriptor_cosine=0.99999)
NO_GPU = find_gpu() is None
NO_CUDA = CUDA not in onnxruntime.get_available_providers()


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return everything that the stage reads, for a chain without a flaw."""
    folder = tmp_path_factory.mktemp("chain")
    extractor, matcher = extractor_graph(folder / "e.onnx"), matcher_graph(folder / "m.onnx")
    found = {f"extractor_{name}": extractor for name in GRAPHS} | {f"matcher_{name}": matcher for name in GRAPHS}
    for side, graph in {"extractor": extractor, "matcher": matcher}.items():
        found[f"{side}_engine"], found[f"{side}_record"] = engine_of(graph)
    for side, reference in zip(("extractor", "matcher"), references(load_pairs(DATA, HEIGHT, WIDTH)), strict=True):
        found[f"{side}_reference"] = folder / f"{side}.npz"
        save_reference(found[f"{side}_reference"], reference)
    return found


@pytest.fixture
def task(inputs: dict[str, Path]) -> Task:
    return task_of(inputs, DATA, LIMITS, THRESHOLD)


def test_chain_without_a_flaw_keeps_everything(inputs: dict[str, Path], task: Task) -> None:
    metrics = metrics_of(task, run(task, inputs))
    assert set(metrics) == {"original", *GRAPHS, "engine", "verdict", "reason"}
    for name in GRAPHS:
        assert metrics[name]["verdict"] == "passed"
        assert metrics[name]["common"] == metrics[name]["matches"] == metrics["original"]["matches"] > 20
        assert metrics[name]["common_ratio"] == 1.0
        assert metrics[name]["keypoint_px_max"] == 0
        assert metrics[name]["descriptor_cosine_min"] > 0.99999
        assert metrics[name]["keypoints_missing"] == 0
        assert metrics[name]["confidence"]["mean"] == pytest.approx(metrics["original"]["confidence"]["mean"], abs=1e-5)
        assert metrics[name]["precision_3px"] == metrics["original"]["precision_3px"]


@pytest.mark.skipif(not NO_GPU, reason="this machine has a GPU")
def test_engine_is_not_run_without_a_gpu_and_neither_is_the_whole(inputs: dict[str, Path], task: Task) -> None:
    metrics = metrics_of(task, run(task, inputs))
    assert metrics["engine"] == {
        "verdict": "not_run",
        "reason": "e.plan cannot run on this machine: no NVIDIA GPU with a driver",
    }
    assert metrics["verdict"] == "not_run"
    assert metrics["reason"].startswith("engine: e.plan cannot run")
    refuse_failure(metrics, "tiny")


@pytest.mark.skipif(not NO_GPU, reason="this machine has a GPU")
def test_engine_must_run_where_a_gpu_is_required(
    inputs: dict[str, Path], task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUIRE_GPU", "1")
    with pytest.raises(RequirementError, match="REQUIRE_GPU=1 forbids"):
        run(task, inputs)


@pytest.mark.parametrize(
    ("flaw", "reason"),
    [
        (Flaw(shift=0.01), "moved by 0.01"),
        (Flaw(shift=2.0), "keypoints have no counterpart"),
        (Flaw(noise=0.05), "a descriptor has a cosine of"),
        (Flaw(nan=True), "NaN or Inf"),
    ],
)
def test_each_flaw_fails_the_artifact_that_has_it_and_no_other(
    inputs: dict[str, Path], task: Task, tmp_path: Path, flaw: Flaw, reason: str
) -> None:
    flawed = inputs | {"extractor_simplified": extractor_graph(tmp_path / "e.onnx", flaw=flaw)}
    metrics = metrics_of(task, run(task, flawed))
    assert [metrics[name]["verdict"] for name in GRAPHS] == ["passed", "failed", "passed"]
    assert reason in metrics["simplified"]["reason"]
    assert metrics["verdict"] == "failed"
    assert metrics["reason"].startswith("simplified: ")
    with pytest.raises(CompareError, match=f"tiny does not match as the original does[\\s\\S]*{reason}"):
        refuse_failure(metrics, "tiny")


def test_matcher_that_loses_matches_fails(inputs: dict[str, Path], task: Task, tmp_path: Path) -> None:
    """A graph that returns scores is filtered with the threshold: a higher one keeps fewer matches."""
    scores = matcher_graph(tmp_path / "m.onnx", output="scores")
    kept = metrics_of(task, run(task, inputs | {"matcher_typed": scores}))["typed"]
    fewer = metrics_of(
        replace(task, threshold=0.6), run(replace(task, threshold=0.6), inputs | {"matcher_typed": scores})
    )
    assert kept["verdict"] == "passed"
    assert fewer["typed"]["verdict"] == "failed"
    assert 0 < fewer["typed"]["common_ratio"] < 1
    assert "matches kept, a share of" in fewer["typed"]["reason"]


@pytest.mark.skipif(not NO_CUDA, reason="this onnxruntime offers CUDA, which proves reduced precision")
def test_reduced_precision_on_a_cpu_proves_nothing(inputs: dict[str, Path], task: Task, tmp_path: Path) -> None:
    half = extractor_graph(tmp_path / "e.onnx", flaw=Flaw(reduced=True))
    typed = metrics_of(task, run(task, inputs | {"extractor_typed": half}))["typed"]
    assert typed == {
        "verdict": "not_run",
        "reason": "float16 on a CPU proves nothing: it needs a GPU and onnxruntime-gpu",
    }


def test_pair_on_which_the_original_finds_nothing_is_no_pass(tmp_path: Path, inputs: dict[str, Path]) -> None:
    """Two black images: no match, so nothing was compared, and that is said."""
    folder = tmp_path / "black"
    folder.mkdir()
    Image.new("RGB", (WIDTH, HEIGHT)).save(folder / "black.png")
    (folder / "pairs.txt").write_text("black.png black.png\n")
    data = replace(DATA, source=type(DATA.source).folder, folder=str(folder))
    for side, reference in zip(("extractor", "matcher"), references(load_pairs(data, HEIGHT, WIDTH)), strict=True):
        save_reference(tmp_path / f"{side}.npz", reference)
    own = inputs | {f"{side}_reference": tmp_path / f"{side}.npz" for side in ("extractor", "matcher")}
    task = task_of(own, data, LIMITS, THRESHOLD)
    metrics = metrics_of(task, run(task, own))
    assert metrics["original"] == {"matches": 0}
    assert "the original finds no match" in metrics["exported"]["reason"]
    assert metrics["verdict"] == "failed"


def test_references_of_other_pairs_are_refused(inputs: dict[str, Path]) -> None:
    with pytest.raises(DataError, match="other images"):
        task_of(inputs, replace(DATA, photographs=["coffee", "astronaut"]), LIMITS, THRESHOLD)


def test_broken_reference_is_refused(inputs: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "cut.npz").write_bytes(inputs["matcher_reference"].read_bytes()[:5000])
    with pytest.raises(EnginewrightError, match=r"cut\.npz is no reference"):
        task_of(inputs | {"matcher_reference": tmp_path / "cut.npz"}, DATA, LIMITS, THRESHOLD)


def test_a_picture_for_each_of_the_first_pairs(inputs: dict[str, Path], task: Task) -> None:
    outcomes = run(task, inputs)
    pictures = dict(pictures_of(replace(task, limits=replace(LIMITS, pictures=2)), outcomes))
    assert list(pictures) == ["motorcycle.png", "astronaut.png"]
    assert pictures == dict(pictures_of(replace(task, limits=replace(LIMITS, pictures=2)), outcomes))
    assert dict(pictures_of(replace(task, limits=replace(LIMITS, pictures=0)), outcomes)) == {}


def test_picture_shows_the_artifact_that_failed(inputs: dict[str, Path], task: Task, tmp_path: Path) -> None:
    flawed = inputs | {"extractor_simplified": extractor_graph(tmp_path / "e.onnx", flaw=Flaw(shift=5.0))}
    one = replace(task, limits=replace(LIMITS, pictures=1))
    good, bad = (dict(pictures_of(one, run(one, each)))["motorcycle.png"] for each in (inputs, flawed))
    above, below = (np.array_split(np.asarray(Image.open(io.BytesIO(png))), 2) for png in (good, bad))
    assert (above[0] == below[0]).all()
    assert (above[1] != below[1]).any()


def networks(limits: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `networks` mapping of params.yaml for the tiny chain."""
    model = {"adapter": "lightglue", "kind": "matcher", "filter_threshold": THRESHOLD}
    data = {"photographs": DATA.photographs}
    return {"tiny": {"extractor": "tiny_features", "model": model, "match": dict(limits), "data": data}}


@pytest.fixture
def stage(inputs: dict[str, Path], tmp_path: Path) -> Callable[..., Stage]:
    def make(limits: Mapping[str, Any], **changed: Path) -> Stage:
        outputs = {"metrics": tmp_path / "match.json", "pictures": tmp_path / "pictures"}
        return Stage("tiny", networks(limits), SECTIONS, inputs | changed, outputs)

    return make


def test_main_writes_metrics_and_pictures(stage: Callable[..., Stage]) -> None:
    made = stage({"pictures": 1})
    (made.outputs["pictures"]).mkdir()
    (made.outputs["pictures"] / "of_an_earlier_run.png").write_bytes(b"old")
    main(made)
    assert read_json(made.outputs["metrics"])["typed"]["verdict"] == "passed"
    assert [path.name for path in made.outputs["pictures"].iterdir()] == ["motorcycle.png"]


def test_main_gives_the_same_bytes_again(stage: Callable[..., Stage]) -> None:
    made = stage({"pictures": 1})
    results = []
    for _ in range(2):
        main(made)
        results.append(
            (made.outputs["metrics"].read_bytes(), (made.outputs["pictures"] / "motorcycle.png").read_bytes())
        )
    assert results[0] == results[1]


@pytest.mark.parametrize("gate", list(Gate))
def test_strict_gate_stops_after_everything_was_written(
    stage: Callable[..., Stage], tmp_path: Path, gate: Gate
) -> None:
    flawed = extractor_graph(tmp_path / "e.onnx", flaw=Flaw(shift=0.3))
    made = stage({"gate": gate.name, "pictures": 1}, extractor_typed=flawed)
    if gate is Gate.strict:
        with pytest.raises(CompareError, match=r"typed: .*a keypoint moved by 0\.424 px"):
            main(made)
    else:
        main(made)
    assert read_json(made.outputs["metrics"])["verdict"] == "failed"
    assert (made.outputs["pictures"] / "motorcycle.png").exists()
