"""A small LightGlue with real matches, and a bundle of it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from benchmarks.latency.contestant import Spec
from benchmarks.latency.samples import Arrays
from enginewright.artifacts import write_json
from networks.lightglue import LightGlue

KEYPOINTS, DIMENSION = 24, 16


def matcher() -> LightGlue:
    """Return two layers whose descriptors still say which keypoint is which."""
    torch.manual_seed(0)
    module = LightGlue(DIMENSION, layers=2, width=64, heads=4).eval()
    for name, parameter in module.named_parameters():
        parameter.data.mul_(8.0 if "final_proj" in name or "input_proj" in name else 1.0)
    module.assignment.matchability.bias.data.fill_(4.0)
    return module


def sample(padded: int = 0) -> Arrays:
    """Return a pair whose second image holds the keypoints of the first in another order, the last ones padding."""
    random = np.random.default_rng(0)
    descriptors = random.standard_normal((2, KEYPOINTS, DIMENSION), dtype=np.float32)
    keypoints = random.uniform(-1, 1, (2, KEYPOINTS, 2)).astype(np.float32)
    order = random.permutation(KEYPOINTS)
    descriptors[1], keypoints[1] = descriptors[0, order], keypoints[0, order]
    if padded:
        descriptors[0, -padded:] = descriptors[1, -padded - 1 :] = 0
    return {"keypoints": keypoints, "descriptors": descriptors}


def original(module: LightGlue, inputs: Arrays) -> Arrays:
    """Return what the module itself gives."""
    with torch.inference_mode():
        found = module(*(torch.from_numpy(inputs[name]) for name in ("keypoints", "descriptors")))
    return dict(zip(("matches", "mscores"), (value.numpy() for value in found), strict=True))


def write_bundle(folder: Path, specs: list[Spec]) -> None:
    """Write weights, one sample and a plan."""
    module, inputs = matcher(), sample()
    folder.mkdir(parents=True, exist_ok=True)
    save_file(module.state_dict(), folder / "matcher.safetensors")
    arrays = {f"in/{name}": value[None] for name, value in inputs.items()}
    arrays |= {f"out/{name}": value[None] for name, value in original(module, inputs).items()}
    np.savez(folder / "reference.npz", allow_pickle=False, **arrays)
    plan = {"commit": "none", "floors": {}, "contestants": [asdict(spec) for spec in specs]}
    write_json(folder / "plan.json", plan)
