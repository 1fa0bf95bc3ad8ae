"""Networks without weights: their checkpoint holds no tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enginewright.errors import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor, nn

_SHOWN = 8


def no_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Return the tensors of a module that has none.

    Raises:
        CheckpointError: if it has parameters or buffers, which would stay at what chance made them.
    """
    if names := sorted(module.state_dict()):
        more = [f"and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
        raise CheckpointError(
            f"checkpoint.source=none, but {type(module).__name__} has weights",
            expected="a module without parameters and buffers",
            got=", ".join([*names[:_SHOWN], *more]),
            cure="say where they are published: checkpoint.source=wheel, url or file",
        )
    return {}
