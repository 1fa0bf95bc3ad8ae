from __future__ import annotations

import torch

from networks.parts.vectors import MIN_NORM, unit


def test_vectors_get_length_one_along_the_named_axis() -> None:
    x = torch.randn(2, 3, 4) * 100
    for dim in (1, 2, -1):
        torch.testing.assert_close(unit(x, dim).norm(dim=dim), torch.ones_like(x.select(dim, 0)))
        torch.testing.assert_close(unit(x, dim), torch.nn.functional.normalize(x, dim=dim))


def test_zero_stays_zero_and_nothing_is_divided_by_it() -> None:
    assert not unit(torch.zeros(2, 3), dim=-1).any()


def test_the_least_length_can_be_held_by_fp16() -> None:
    assert float(torch.tensor(MIN_NORM, dtype=torch.float16)) > 0
    assert not unit(torch.zeros(2, 3, dtype=torch.float16), dim=-1).isnan().any()
