"""Match two images with an extractor and a matcher that Enginewright built. Nothing else of Enginewright is needed.

    python match_two_images.py left.jpg right.jpg --extractor disk --matcher disk_lightglue --picture matches.png

Each network is a folder with engine.json, and engine.plan or typed.onnx; where engine.intoto.json lies beside them, it
has to be about this engine.json. Needed: numpy, pillow, and onnxruntime; for engines on a GPU also polygraphy and the
TensorRT that built them. One match a line goes to standard output: x y in the left image, x y in the right one (pixels
of the files as given), confidence.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

Arrays = dict[str, NDArray[Any]]
Network = Callable[[Arrays], Arrays]
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


class Folder:
    """One network: its record, the shapes of its inputs, and what runs it."""

    def __init__(self, path: Path, use: str) -> None:
        if not (path / "engine.json").is_file():
            sys.exit(f"error: {path} is no folder of a network: it has no engine.json")
        data = (path / "engine.json").read_bytes()
        refuse_other(path, data)
        self.record = json.loads(data)
        lack = "" if use == "engine" else lacking(path, self.record)
        runs_engine = use == "engine" or (use == "auto" and not lack)
        print(
            f"{path.name}: {'engine.plan' if runs_engine else 'typed.onnx, ' + (lack or 'as asked')}", file=sys.stderr
        )
        self.run: Network = engine_of(path, self.record) if runs_engine else onnx_of(path, self.record)

    def shape(self, name: str) -> list[int]:
        """Return the shape of an input; where axes are open, the one that the engine is tuned for."""
        shapes = {item["name"]: item["shape"] for item in self.record["inputs"]}
        return [int(size) for size in self.record["profile"].get(name, {}).get("opt", shapes[name])]


def lacking(path: Path, record: dict[str, Any]) -> str:
    """Return what this machine lacks to run the engine, or nothing. No engine is opened for that."""
    if not (path / "engine.plan").is_file():
        return "no engine.plan here"
    if not (capability := compute_capability()):
        return "no NVIDIA GPU with a driver"
    if not runs_on(capability, record["targets"]):
        return f"this GPU has compute capability {capability}, the engine is for others"
    try:
        if record["builder"] not in ("tensorrt_rtx", "tensorrt"):  # it names a module to import
            return "no builder known here"
        found = str(__import__(record["builder"]).__version__)
    except ImportError:
        return f"{record['builder']} is not installed"
    built = record["versions"][record["builder"]]
    newer = record["options"].get("version_compatible") and numbers(found) >= numbers(built)
    return "" if found == built or newer else f"{record['builder']} is {found}, {built} made the engine"


def compute_capability() -> str:
    """Return the compute capability of the first GPU, for example "8.9", or nothing without one."""
    major, minor = ctypes.c_int(), ctypes.c_int()
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return ""
    asked = ((major, 75), (minor, 76))  # the driver's numbers of both attributes
    if driver.cuInit(0) or any(driver.cuDeviceGetAttribute(ctypes.byref(to), what, 0) for to, what in asked):
        return ""
    return f"{major.value}.{minor.value}"


def runs_on(capability: str, targets: dict[str, Any]) -> bool:
    """Return whether an engine for these targets runs on a GPU of that compute capability."""
    named = targets["compute_capabilities"]
    later = bool(named) and targets["and_later"] and numbers(capability) > numbers(named[-1])
    return capability in named or later


def numbers(text: str) -> list[int]:
    """Return the numbers of a version, for comparing."""
    return [int(number) for number in re.findall(r"\d+", text)]


def checked(path: Path, wanted: dict[str, Any]) -> bytes:
    """Return the bytes of a file, refused unless they are those that the record describes: a plan is code."""
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != wanted["sha256"]:
        sys.exit(f"error: {path} is not the file that its engine.json describes")
    return data


def refuse_other(path: Path, record: bytes) -> None:
    """Refuse a record that the statement beside it, if there is one, is not about."""
    statement = path / "engine.intoto.json"
    if statement.is_file():
        said = {item["name"]: item["digest"]["sha256"] for item in json.loads(statement.read_bytes())["subject"]}
        if said.get("engine.json") != hashlib.sha256(record).hexdigest():
            sys.exit(f"error: {path / 'engine.json'} is not the file that engine.intoto.json is about")


def engine_of(path: Path, record: dict[str, Any]) -> Network:
    """Return the engine, ready to run, after all that can be known of it before it is opened was checked."""
    if lack := lacking(path, record):
        sys.exit(f"error: {path / 'engine.plan'} cannot run here: {lack}")
    data = checked(path / "engine.plan", record["engine"])
    os.environ["POLYGRAPHY_USE_TENSORRT_RTX"] = "1" if record["builder"] == "tensorrt_rtx" else "0"
    from polygraphy.backend.trt import EngineFromBytes, TrtRunner

    runner = TrtRunner(EngineFromBytes(data))
    runner.activate()  # until the process ends
    return lambda feeds: {name: np.array(value) for name, value in runner.infer(feeds).items()}


def onnx_of(path: Path, record: dict[str, Any]) -> Network:
    """Return the graph that the engine was built from, ready to run in ONNX Runtime, on a GPU if it finds one."""
    import onnxruntime

    data = checked(path / "typed.onnx", record["graph"])
    known = ("CUDAExecutionProvider", "CPUExecutionProvider")
    providers = [name for name in known if name in onnxruntime.get_available_providers()]
    session = onnxruntime.InferenceSession(data, providers=providers)
    names = [item.name for item in session.get_outputs()]
    return lambda feeds: dict(zip(names, session.run(names, feeds), strict=True))


def opened(path: Path) -> Image.Image:
    """Return the file as an upright RGB image."""
    try:
        with Image.open(path) as image:
            return ImageOps.exif_transpose(image).convert("RGB")
    except Exception as error:  # a decoder fed a broken file may raise anything
        sys.exit(f"error: {path} cannot be read as an image: {error}")


def as_input(image: Image.Image, channels: int, height: int, width: int) -> NDArray[np.float32]:
    """Return the image as (channels, height, width) float32 in 0..1, resized without regard to its proportions."""
    resized = image if image.size == (width, height) else image.resize((width, height), Image.Resampling.BICUBIC)
    pixels = np.asarray(resized).astype(np.float32) / np.float32(255)
    if channels == 1:
        pixels = (pixels * _LUMA).sum(axis=2, keepdims=True).clip(0, 1)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def features(extractor: Folder, images: Sequence[Image.Image]) -> tuple[list[Arrays], tuple[int, int]]:
    """Return the outputs for each image, and the (width, height) that they are in. A batch is filled with repeats."""
    batch, channels, height, width = extractor.shape("image")
    found = []
    for image in images:
        pixels = as_input(image, channels, height, width)
        outputs = extractor.run({"image": np.repeat(pixels[None], batch, axis=0)})
        found.append({name: value[0] for name, value in outputs.items()})
    return found, (width, height)


def matches(matcher: Folder, found: Sequence[Arrays], size: tuple[int, int]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return (M, 2) indices of keypoints that match, left and right, and their confidence (M,)."""
    half = np.array(size, dtype=np.float32) / np.float32(2)
    points = np.stack([(item["keypoints"].astype(np.float32) - half) / half.max() for item in found])
    descriptors = np.stack([item["descriptors"].astype(np.float32) for item in found])
    pairs = matcher.shape("keypoints")[0] // 2  # rows 2b and 2b + 1 are the images of pair b
    feeds = {"keypoints": np.tile(points, (pairs, 1, 1)), "descriptors": np.tile(descriptors, (pairs, 1, 1))}
    outputs = matcher.run(feeds)
    partner = outputs["matches"][0].astype(np.int64)
    left, right = (item.get("valid", np.ones(len(partner))).astype(bool) for item in found)  # padding matches nothing
    kept = np.flatnonzero((partner >= 0) & left & right[partner])
    return np.stack([kept, partner[kept]], axis=1), outputs["mscores"][0][kept]


def in_file(points: NDArray[Any], image: Image.Image, size: tuple[int, int]) -> NDArray[np.float64]:
    """Return (M, 2) pixels of the image as its file has it; (0, 0) is the centre of the first pixel in both."""
    moved: NDArray[np.float64] = (points.astype(np.float64) + 0.5) * np.array(image.size) / np.array(size) - 0.5
    return moved


def picture(images: Sequence[Image.Image], ends: NDArray[np.float64], confidence: NDArray[Any]) -> Image.Image:
    """Return both images side by side, a line for each match, from red (0) to green (1)."""
    left, right = images
    canvas = Image.new("RGB", (left.width + right.width, max(left.height, right.height)))
    canvas.paste(left, (0, 0))
    canvas.paste(right, (left.width, 0))
    draw = ImageDraw.Draw(canvas)
    for (x0, y0, x1, y1), sure in zip(ends, confidence, strict=True):
        draw.line((x0, y0, x1 + left.width, y1), fill=(round(255 * (1 - sure)), round(255 * sure), 0))
    return canvas


def main() -> None:
    """Match, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path, nargs=2, metavar="IMAGE")
    parser.add_argument("--extractor", type=Path, default=Path("weights/disk"), help="folder of the extractor")
    parser.add_argument("--matcher", type=Path, default=Path("weights/disk_lightglue"), help="folder of its matcher")
    parser.add_argument(
        "--use", choices=("auto", "engine", "onnx"), default="auto", help="auto: the engine where it runs"
    )
    parser.add_argument("--picture", type=Path, help="file to draw the matches into")
    options = parser.parse_args()
    images = [opened(path) for path in options.images]
    found, size = features(Folder(options.extractor, options.use), images)
    index, confidence = matches(Folder(options.matcher, options.use), found, size)
    sides = [in_file(found[side]["keypoints"][index[:, side]], images[side], size) for side in (0, 1)]
    ends = np.concatenate(sides, axis=1)
    for row, sure in zip(ends, confidence, strict=True):
        print(*(f"{value:.2f}" for value in row), f"{sure:.4f}")
    print(f"{len(index)} matches", file=sys.stderr)
    if options.picture:
        picture(images, ends, confidence).save(options.picture)


if __name__ == "__main__":
    main()
