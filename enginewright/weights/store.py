"""The checkpoint that later stages read: one safetensors file with the module's own names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from enginewright.artifacts import write_bytes
from enginewright.errors import CheckpointError
from enginewright.input_file import read_input
from enginewright.weights.read import read_safetensors
from enginewright.weights.state import fit, load_strictly

if TYPE_CHECKING:
    from torch import Tensor, nn


def write_checkpoint(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write `tensors` to `path` as safetensors, atomically and with the same bytes for the same tensors.

    No metadata goes in: safetensors shuffles more than one key of it.
    """
    from safetensors.torch import save

    write_bytes(path, save({name: tensors[name].contiguous() for name in sorted(tensors)}))


def load_checkpoint(path: Path, module: nn.Module) -> None:
    """Load the stored checkpoint strictly into `module`: the same names, shapes, types and finite values.

    Raises:
        CheckpointError: if the file is missing or broken, or does not fit the module.
    """
    try:
        data = read_input(path)
    except OSError as error:
        raise CheckpointError(
            "the stored checkpoint cannot be read", expected=path, got=str(error), cure="run the checkpoint stage"
        ) from error
    load_strictly(fit(read_safetensors(data), module), module)
