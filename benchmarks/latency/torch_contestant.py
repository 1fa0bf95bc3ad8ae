"""The same module in torch: eager, and compiled in each of the ways that torch.compile has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.latency.contestant import Spec
from benchmarks.latency.peers import INPUTS, OUTPUTS, peer
from benchmarks.latency.samples import Arrays


class TorchContestant:
    """Options: `compile`, a mode of torch.compile (absent: eager); `fused` attention, `masked` padding, `tf32`."""

    def __init__(self, spec: Spec, bundle: Path, cuda: bool) -> None:
        from safetensors.torch import load_file

        self._device = torch.device("cuda" if cuda else "cpu")
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = bool(spec.options.get("tf32"))
        weights = load_file(bundle / f"{spec.network}.safetensors")
        kind = getattr(torch, spec.precision) if cuda else torch.float32
        masked, fused = bool(spec.options.get("masked", False)), bool(spec.options.get("fused", True))
        module = peer(spec.network, weights, kind, spec.keypoints, masked, fused).to(self._device)
        mode = spec.options.get("compile")
        self._run: Any = torch.compile(module, fullgraph=True, dynamic=False, mode=mode) if mode else module
        self._names, self._results = INPUTS[spec.network], OUTPUTS[spec.network]
        self._inputs: dict[str, Tensor] = {}
        self._outputs: tuple[Tensor, ...] | None = None

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
            self._outputs = self._run(*(self._inputs[name] for name in self._names))
        if self._device.type == "cuda":
            torch.cuda.synchronize()

    def outputs(self) -> Arrays:
        """Return what the last call gave."""
        assert self._outputs is not None  # noqa: S101 - asked for after a call only
        return {name: value.cpu().numpy() for name, value in zip(self._results, self._outputs, strict=True)}

    def facts(self) -> dict[str, Any]:
        """Return torch's version."""
        return {"runtime": f"torch {torch.__version__}"}
