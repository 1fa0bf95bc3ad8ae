"""The same module in torch: eager, and compiled in each of the ways that torch.compile has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own name for it)
from torch import Tensor, nn

import networks.lightglue
from benchmarks.latency.contestant import Spec
from benchmarks.latency.samples import Arrays
from networks.lightglue import LightGlue

_COMPILE = {
    "default": {},
    "reduce-overhead": {"mode": "reduce-overhead"},
    "max-autotune": {"mode": "max-autotune"},
    "max-autotune-no-cudagraphs": {"mode": "max-autotune-no-cudagraphs"},
}


class Reduced(nn.Module):
    """LightGlue in a type of its own, with inputs and outputs in float32 as the graphs have them."""

    def __init__(self, matcher: LightGlue, kind: torch.dtype) -> None:
        super().__init__()
        self.matcher, self.kind = matcher.to(kind), kind

    def forward(self, keypoints: Tensor, descriptors: Tensor) -> tuple[Tensor, Tensor]:
        """Return matches and mscores."""
        matches, scores = self.matcher(keypoints.to(self.kind), descriptors.to(self.kind))
        return matches, scores.float()


def attended(queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None) -> Tensor:
    """Return what `networks.lightglue.attend` returns, by torch's own fused attention."""
    mask = None if bias is None else bias.to(queries.dtype)
    return F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, scale=1.0)


def _matcher(weights: dict[str, Tensor], masked: bool) -> LightGlue:
    """Return the matcher that these weights fit."""
    width = weights["layers.0.self_attn.Wqkv.weight"].shape[1]
    dimension = weights["input_proj.weight"].shape[1] if "input_proj.weight" in weights else width
    layers = sum(key.endswith("Wqkv.weight") for key in weights)
    matcher = LightGlue(dimension, mask_padding=masked, layers=layers, width=width)
    matcher.load_state_dict(weights)
    return matcher


class TorchContestant:
    """Options: `compile` (absent: eager), `fused` attention or the module's own, `masked` padding, `tf32`."""

    def __init__(self, spec: Spec, bundle: Path, cuda: bool) -> None:
        from safetensors.torch import load_file

        self._device = torch.device("cuda" if cuda else "cpu")
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = bool(spec.options.get("tf32"))
        if spec.options.get("fused", True):
            networks.lightglue.attend = attended
        weights = load_file(bundle / "matcher.safetensors")
        matcher = _matcher(weights, masked=bool(spec.options.get("masked", False)))
        kind = getattr(torch, spec.precision) if cuda else torch.float32
        module = Reduced(matcher.eval(), kind).to(self._device)
        how = spec.options.get("compile")
        self._run: Any = torch.compile(module, fullgraph=True, dynamic=False, **_COMPILE[how]) if how else module
        self._inputs: dict[str, Tensor] = {}
        self._outputs: tuple[Tensor, Tensor] | None = None

    def put(self, inputs: Arrays) -> None:
        """Copy inputs to the device, each always to the same tensor."""
        for name, value in inputs.items():
            if name in self._inputs:
                self._inputs[name].copy_(torch.from_numpy(value))
            else:
                self._inputs[name] = torch.from_numpy(value).to(self._device)

    def call(self) -> None:
        """Run once and wait."""
        self._outputs = None  # a compiled module's CUDA graph takes their memory again
        with torch.inference_mode():
            self._outputs = self._run(self._inputs["keypoints"], self._inputs["descriptors"])
        if self._device.type == "cuda":
            torch.cuda.synchronize()

    def outputs(self) -> Arrays:
        """Return what the last call gave."""
        assert self._outputs is not None  # noqa: S101 - asked for after a call only
        matches, scores = self._outputs
        return {"matches": matches.cpu().numpy(), "mscores": scores.cpu().numpy()}

    def facts(self) -> dict[str, Any]:
        """Return torch's version."""
        return {"runtime": f"torch {torch.__version__}"}
