"""A tiny network with two LayerNorm layers, for tests of everything that runs on any network.

The file stands alone: copied to networks/tiny.py and registered, it is a network like any other.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from enginewright.config.models import ModelConfig
from enginewright.contract import Contract, Kind, Port, Rule
from networks import Adapter

ROWS, WIDTH = 6, 16


@dataclass(frozen=True)
class TinyModel(ModelConfig):
    """What a test wants of the network.

    claimed: LayerNorm layers that the contract counts. extra: the module returns one output more than its contract
    says. dtype: of the output `best` in the contract. rows: of the contract's output, beside those of its input.
    islands: the contract's fp32 nodes.
    """

    adapter: str = "tiny"
    claimed: int = 2
    extra: bool = False
    dtype: str = "int32"
    rows: str = "rows"
    islands: tuple[str, ...] = ()


class Tiny(nn.Module):
    """x (B, R, 16) to y (B, R, 16) and, for each row, the index of its largest element (B, R)."""

    def __init__(self, extra: bool) -> None:
        super().__init__()
        self.extra = extra
        self.first = nn.LayerNorm(WIDTH)
        self.query, self.key = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.block = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.GELU(), nn.Linear(2 * WIDTH, WIDTH))
        self.last = nn.LayerNorm(WIDTH)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Attend, feed forward, normalise; and where each row is largest."""
        values = self.first(x)
        logits = self.query(values) @ self.key(values).transpose(-1, -2)
        x = x + torch.softmax(logits, dim=-1) @ values
        y = self.last(x + self.block(x))
        best = y.argmax(dim=-1).to(torch.int32)
        return (y, best, y) if self.extra else (y, best)


class TinyAdapter(Adapter[TinyModel]):
    """The tiny network for Enginewright."""

    def module(self, model: TinyModel) -> nn.Module:
        """Return the module."""
        return Tiny(model.extra)

    def contract(self, model: TinyModel) -> Contract:
        """Return its contract; batch and rows may stay open."""
        free = ("batch", "rows")
        axes = ("batch", model.rows)
        return Contract(
            kind=Kind.network,
            inputs=(Port("x", ("batch", "rows", "width"), dynamic=free),),
            outputs=(
                Port("y", (*axes, "width"), dynamic=free),
                Port("best", axes, dynamic=free, dtype=model.dtype, rule=Rule.equal),
            ),
            sizes={"batch": model.batch, "rows": ROWS, "width": WIDTH},
            layernorms=model.claimed,
            fp32_nodes=model.islands,
        )
