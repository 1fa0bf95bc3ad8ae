"""What an exporter is asked for, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from enginewright.contract import Contract


@dataclass(frozen=True)
class ExportRequest:
    """The contract that the graph must keep, its opset, and whether the contract's dynamic axes stay open."""

    contract: Contract
    opset: int
    dynamic: bool

    def example_inputs(self) -> tuple[torch.Tensor, ...]:
        """Return inputs of the contract's shapes: the same fixed pseudo-random numbers in 0..1 every time.

        Shapes and types are all that a tracer keeps of them, so that exporting needs no images.
        """
        random = np.random.default_rng(0)
        return tuple(
            torch.from_numpy(random.random(self.contract.shape(port), dtype=np.float32).astype(port.dtype))
            for port in self.contract.inputs
        )

    @property
    def input_names(self) -> list[str]:
        """Return the names of the graph's inputs, in order."""
        return [port.name for port in self.contract.inputs]

    @property
    def output_names(self) -> list[str]:
        """Return the names of the graph's outputs, in order."""
        return [port.name for port in self.contract.outputs]
