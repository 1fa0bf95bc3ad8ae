"""LayerNorm layers are counted as often as they run."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from enginewright.errors import NetworkError
from enginewright.exporting.calls import layernorm_calls
from networks.layernorm import count_layernorms

INPUTS = (torch.zeros(1, 3, 8),)


class Shared(nn.Module):
    """Three blocks that are one, as ALBERT's are, and a layer that nothing calls."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8))
        self.last, self.unused = nn.LayerNorm(8), nn.LayerNorm(8)

    def forward(self, x: Tensor) -> Tensor:
        """Run the block three times."""
        for _ in range(3):
            x = self.block(x)
        normal: Tensor = self.last(x)
        return normal


def test_a_shared_layer_counts_each_time() -> None:
    module = Shared()
    assert count_layernorms(module) == 3
    assert layernorm_calls(module, INPUTS) == 4
    assert layernorm_calls(module, INPUTS) == 4, "the hooks are gone after counting"


def test_without_layernorm_nothing_runs() -> None:
    class Never(nn.Linear):
        def forward(self, input: Tensor) -> Tensor:
            raise AssertionError

    assert layernorm_calls(Never(8, 8), INPUTS) == 0


def test_a_pass_computes_shapes_only_and_leaves_the_module_alone() -> None:
    class Caching(Shared):
        seen: Tensor | None = None

        def forward(self, x: Tensor) -> Tensor:
            self.seen = x
            return super().forward(x)

    module = Caching()
    assert layernorm_calls(module, INPUTS) == 4
    assert module.seen is None
    assert all(not value.is_meta for value in module.state_dict().values())


def test_a_module_that_looks_at_values_is_run_on_them() -> None:
    class Looking(Shared):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) if float(x.sum()) else self.last(x)

    assert layernorm_calls(Looking(), INPUTS) == 1
    assert layernorm_calls(Looking(), (torch.ones(1, 3, 8),)) == 4


def test_a_module_that_fails_fails_with_its_own_error() -> None:
    class Failing(Shared):
        def forward(self, x: Tensor) -> Tensor:
            raise ValueError("of its own")

    with pytest.raises(NetworkError, match="of its own"):
        layernorm_calls(Failing(), INPUTS)
