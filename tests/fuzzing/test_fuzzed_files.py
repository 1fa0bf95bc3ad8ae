"""Readers of binary files, fed with files that are nearly right: only this project's errors come out."""

from __future__ import annotations

import contextlib
import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from enginewright.adopting.read import read_onnx
from enginewright.adopting.run import run_onnx
from enginewright.engine.timing_cache import read_cache
from enginewright.errors import EnginewrightError
from enginewright.filling import _read
from enginewright.graphs.files import load_graph
from enginewright.images.decode import read_rgb
from enginewright.images.folder import folder_pairs
from enginewright.reference import load_reference, save_reference
from enginewright.weights.read import read_tensors
from tests.adopting.test_hostile import stored
from tests.fuzzing.mutations import fuzzed, mutated
from tests.test_reference import reference
from tests.weights.test_read import STATE, legacy, zipped

IMAGE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 11, 3), np.uint8))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzzed")


def saved(kind: str) -> bytes:
    stream = io.BytesIO()
    IMAGE.save(stream, kind, **({"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0"} if kind == "JPEG" else {}))
    return stream.getvalue()


IMAGES = {kind: saved(kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "PPM", "WEBP", "JPEG2000")}
CHECKPOINTS = {"zip": zipped(STATE), "legacy": legacy(STATE), "safetensors": safetensors.torch.save(STATE)}
GRAPH = stored().SerializeToString()


@pytest.mark.parametrize("kind", IMAGES)
@fuzzed
@given(data=st.data())
def test_images(folder: Path, kind: str, data: st.DataObject) -> None:
    (folder / "image").write_bytes(data.draw(mutated(IMAGES[kind])))
    with contextlib.suppress(EnginewrightError):
        assert read_rgb(folder / "image").shape[2] == 3


@pytest.mark.parametrize("kind", CHECKPOINTS)
@fuzzed
@given(data=st.data())
def test_checkpoints(kind: str, data: st.DataObject) -> None:
    with contextlib.suppress(EnginewrightError):
        found = read_tensors(data.draw(mutated(CHECKPOINTS[kind])))
        assert all(isinstance(value, torch.Tensor) for value in found.values())


@fuzzed
@given(data=mutated(GRAPH))
def test_graphs(folder: Path, data: bytes) -> None:
    (folder / "graph.onnx").write_bytes(data)
    with contextlib.suppress(EnginewrightError):
        load_graph(folder / "graph.onnx")
    with contextlib.suppress(EnginewrightError):
        model = read_onnx(data, "graph.onnx")
        outputs = [value.name for value in model.graph.output]
        run_onnx(model.SerializeToString(), {"x": np.ones((1, 1, 4), np.float32)}, outputs, "graph.onnx")


@fuzzed
@given(data=st.data())
def test_references_and_samples(folder: Path, data: st.DataObject) -> None:
    save_reference(folder / "sound.npz", reference())
    changed = data.draw(mutated((folder / "sound.npz").read_bytes()))
    (folder / "reference.npz").write_bytes(changed)
    with contextlib.suppress(EnginewrightError):
        load_reference(folder / "reference.npz")
    with contextlib.suppress(EnginewrightError):
        _read(folder / "reference.npz", hashlib.sha256(changed).hexdigest())


@fuzzed
@given(data=st.binary(max_size=64), pinned=st.none() | st.just("0" * 64))
def test_timing_caches(folder: Path, data: bytes, pinned: str | None) -> None:
    (folder / "x.timing_cache").write_bytes(data)
    with contextlib.suppress(EnginewrightError):
        assert read_cache(folder / "x.timing_cache", pinned) == data


@fuzzed
@given(text=st.text(alphabet="0123456789.eE+-naif \n", max_size=80))
def test_homographies(folder: Path, text: str) -> None:
    for name in ("left", "right"):
        IMAGE.save(folder / f"{name}.png")
    (folder / "h.txt").write_text(text, encoding="utf-8")
    (folder / "pairs.txt").write_text("left.png right.png h.txt\n", encoding="utf-8")
    with contextlib.suppress(EnginewrightError):
        (pair,) = folder_pairs(folder, 8, 8)
        assert pair.truth.errors(np.ones((1, 2)), np.ones((1, 2))).shape == (1,)
