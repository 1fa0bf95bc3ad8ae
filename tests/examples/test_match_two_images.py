"""The example by itself: its own preprocessing is the pipeline's, to the bit."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from enginewright.images.resize import resized
from enginewright.images.tensor import to_input
from enginewright.matching.normalise import interleave, normalise_keypoints

SCRIPT = Path(__file__).parents[2] / "examples" / "match_two_images.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("match_two_images", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(40, 30), (64, 48)])
def test_an_image_is_taken_as_the_pipeline_takes_it(example: ModuleType, channels: int, size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    wanted = to_input([resized(pixels, 48, 64)], channels)[0]
    assert np.array_equal(example.as_input(Image.fromarray(pixels), channels, 48, 64), wanted)


class Matcher:
    """Says that keypoint k matches keypoint K - 1 - k, and keeps what it was given."""

    def shape(self, name: str) -> list[int]:
        return [4, 5, 2]

    def run(self, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        self.feeds = feeds
        partners = np.arange(5, dtype=np.int32)[::-1]
        return {"matches": np.stack([partners] * 2), "mscores": np.full((2, 5), 0.5, np.float32)}


def test_a_matcher_is_fed_as_the_pipeline_feeds_it_and_padding_matches_nothing(example: ModuleType) -> None:
    random = np.random.default_rng(0)
    found = [
        {
            "keypoints": random.uniform(0, 64, (5, 2)).astype(np.float32),
            "descriptors": random.normal(size=(5, 8)).astype(np.float32),
            "valid": np.array([1, 1, 1, 1, 0], dtype=np.int32),
        }
        for _ in range(2)
    ]
    matcher = Matcher()
    index, confidence = example.matches(matcher, found, (64, 48))
    assert index.tolist() == [[1, 3], [2, 2], [3, 1]]
    assert confidence.tolist() == [0.5] * 3
    sides = [np.stack([normalise_keypoints(item["keypoints"], 64, 48)] * 2) for item in found]
    assert np.array_equal(matcher.feeds["keypoints"], interleave(*sides))
    described = [np.stack([item["descriptors"]] * 2) for item in found]
    assert np.array_equal(matcher.feeds["descriptors"], interleave(*described))


def test_points_go_back_to_the_pixels_of_the_file(example: ModuleType) -> None:
    corners = np.array([[-0.5, -0.5], [63.5, 47.5], [31.5, 23.5]], dtype=np.float32)
    moved = example.in_file(corners, Image.new("RGB", (640, 240)), (64, 48))
    assert moved.tolist() == [[-0.5, -0.5], [639.5, 239.5], [319.5, 119.5]]


def test_a_file_that_its_record_does_not_describe_is_refused(example: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "engine.plan").write_bytes(b"a plan")
    wanted = {"sha256": hashlib.sha256(b"a plan").hexdigest()}
    assert example.checked(tmp_path / "engine.plan", wanted) == b"a plan"
    (tmp_path / "engine.plan").write_bytes(b"another")
    with pytest.raises(SystemExit, match="is not the file that its"):
        example.checked(tmp_path / "engine.plan", wanted)


def test_open_axes_take_the_size_that_the_engine_is_tuned_for(example: ModuleType, tmp_path: Path) -> None:
    folder = object.__new__(example.Folder)
    folder.record = json.loads(
        '{"inputs": [{"name": "image", "shape": [-1, 3, 512, 512]}], "profile": {"image": {"opt": [2, 3, 512, 512]}}}'
    )
    assert folder.shape("image") == [2, 3, 512, 512]


def test_without_a_plan_the_graph_runs_and_the_reason_is_said(example: ModuleType, tmp_path: Path) -> None:
    assert example.lacking(tmp_path, {"builder": "tensorrt_rtx"}) == "no engine.plan here"


RECORD = {
    "builder": "tensorrt_rtx",
    "versions": {"tensorrt_rtx": "1.7.1"},
    "options": {"version_compatible": False},
    "targets": {"compute_capabilities": ["8.0", "8.9"], "and_later": True},
}


MACHINES: list[tuple[str, str | None, bool, str]] = [
    ("8.9", "1.7.1", False, ""),
    ("12.0", "1.7.1", False, ""),
    ("", "1.7.1", False, "no NVIDIA GPU with a driver"),
    ("7.5", "1.7.1", False, "this GPU has compute capability 7.5"),
    ("8.9", "1.8.0", False, "tensorrt_rtx is 1.8.0, 1.7.1 made the engine"),
    ("8.9", "1.10.0", True, ""),
    ("8.9", "1.6.9", True, "tensorrt_rtx is 1.6.9"),
    ("8.9", None, False, "tensorrt_rtx is not installed"),
]
"""Compute capability, version of TensorRT, whether the engine is version compatible, and what is lacking."""


@pytest.mark.parametrize("machine", MACHINES)
def test_what_a_machine_lacks_is_known_before_an_engine_is_opened(
    example: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: tuple[str, str | None, bool, str]
) -> None:
    capability, installed, compatible, wanted = machine
    (tmp_path / "engine.plan").write_bytes(b"a plan")
    module = None if installed is None else SimpleNamespace(__version__=installed)
    monkeypatch.setitem(sys.modules, "tensorrt_rtx", module)
    monkeypatch.setattr(example, "compute_capability", lambda: capability)
    record = RECORD | {"options": {"version_compatible": compatible}}
    found = example.lacking(tmp_path, record)
    assert found.startswith(wanted) if wanted else found == ""
    if wanted:
        with pytest.raises(SystemExit, match="cannot run here"):
            example.engine_of(tmp_path, record)


def test_a_record_that_a_statement_is_not_about_is_refused(example: ModuleType, tmp_path: Path) -> None:
    example.refuse_other(tmp_path, b"{}")
    digest = {"sha256": hashlib.sha256(b"{}").hexdigest()}
    statement = {"subject": [{"name": "engine.json", "digest": digest}]}
    (tmp_path / "engine.intoto.json").write_text(json.dumps(statement))
    example.refuse_other(tmp_path, b"{}")
    with pytest.raises(SystemExit, match=r"is not the file that engine\.intoto\.json is about"):
        example.refuse_other(tmp_path, b"{ }")


def test_the_example_imports_nothing_of_the_project() -> None:
    assert "enginewright." not in SCRIPT.read_text(encoding="utf-8").replace("Enginewright", "")


def test_what_is_no_image_is_refused_in_one_line(example: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "words.png").write_text("no pixels", encoding="utf-8")
    for name in ("words.png", "gone.png"):
        with pytest.raises(SystemExit, match=f"error: .*{name} cannot be read as an image"):
            example.opened(tmp_path / name)


def test_what_is_no_folder_of_a_network_is_refused_in_one_line(example: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"it has no engine\.json"):
        example.Folder(tmp_path, "auto")
