"""The scaled form: LayerNorm exactly, and within a few units in the last place of fp16 where fp16 computes it."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from networks.layernorm import SMALLEST, DecomposedLayerNorm, ScaledLayerNorm
from tests.networks.half import Half, Sums

LARGEST = 65504.0
UNIT = 2.0**-10
"""A unit in the last place of fp16 at 1."""


def exactly(x: Tensor, eps: float) -> Tensor:
    """Return LayerNorm in float64, which holds squares of fp16 numbers and sums of a few thousand without a loss."""
    wide = x.double()
    centred = wide - wide.mean(-1, keepdim=True)
    return centred / torch.sqrt((centred * centred).mean(-1, keepdim=True) + eps)


def units(x: Tensor, sums: Sums = Sums.single, eps: float = 1e-5, flushed: bool = False) -> float:
    """Return how far the scaled form in fp16 is from LayerNorm, in units in the last place of a result, or of 1."""
    x = x.half()
    layer = ScaledLayerNorm(x.shape[-1], eps, elementwise_affine=False).half()
    with torch.no_grad(), Half(sums, flushed=flushed):
        found = layer(x)
    assert torch.isfinite(found).all()
    wanted = exactly(x, eps)
    return float(((found.double() - wanted).abs() / (UNIT * wanted.abs().clamp(min=1))).max())


def rows(width: int, seed: int = 0) -> Tensor:
    return torch.randn(64, width, generator=torch.Generator().manual_seed(seed))


def outliers(background: Tensor) -> Tensor:
    """Put one number of each magnitude in a row of its own."""
    found = background[:8].clone()
    found[:, 1] = torch.tensor([1e-6, 1e-3, 1, 100, 6e4, -6e4, LARGEST, 10])
    return found


def alternating(width: int) -> Tensor:
    found = torch.full((1, width), LARGEST)
    found[:, ::2] *= -1
    return found


CASES = {
    **{f"magnitude {size:g}": size * rows(256) for size in (1e-7, 1e-5, 1e-3, 0.1, 1.0, 100.0, 1e4)},
    "up to 6e4": 6e4 * (2 * torch.rand(64, 256, generator=torch.Generator().manual_seed(1)) - 1),
    "offset": 1000 + 100 * rows(256),
    "large offset": 1000 + 10 * rows(256),
    "offset of a few units": -6e4 + 300 * rows(256),
    "one of many": outliers(torch.zeros(64, 256)),
    "one outlier": outliers(rows(256)),
    "alternating extremes": alternating(256),
    "all but one at one extreme": -LARGEST + 2 * LARGEST * nn.functional.one_hot(torch.tensor([3]), 256),
    "odd width": 1000 + 10 * rows(193),
    "wide": 1000 + 10 * rows(3000),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_layernorm_where_sums_are_kept_in_fp32(case: str) -> None:
    assert units(CASES[case]) < 3


@pytest.mark.parametrize("case", CASES)
def test_it_is_layernorm_where_sums_are_kept_in_fp16(case: str) -> None:
    assert units(CASES[case], Sums.halves) < 6


@pytest.mark.parametrize("case", ["magnitude 0.001", "magnitude 1", "magnitude 10000", "up to 6e4"])
def test_even_terms_added_in_fp16_one_by_one_cost_only_what_such_a_sum_costs(case: str) -> None:
    assert units(CASES[case], Sums.in_order) < 10


@pytest.mark.parametrize("sums", [Sums.single, Sums.halves])
@pytest.mark.parametrize("flushed", [False, True])
@pytest.mark.parametrize("eps", [1e-5, 1e-6, 1e-12])
@pytest.mark.parametrize("width", [1, 2, 3, 256, 768])
def test_a_constant_row_is_zero_and_no_division_by_zero(width: int, eps: float, flushed: bool, sums: Sums) -> None:
    constants = torch.tensor([0.0, 1e-7, 1e-3, 0.3, 777.0, LARGEST, -LARGEST])[:, None].expand(7, width)
    near = 64 if sums is Sums.halves and eps < 1e-6 else 1  # thirds of 1e-3 do not add up in fp16: sqrt(eps) is less
    assert units(constants, sums, eps, flushed) < near


@pytest.mark.parametrize("case", CASES)
def test_without_subnormal_numbers_it_is_finite_and_off_by_what_is_lost(case: str) -> None:
    assert units(CASES[case], flushed=True) < 2**-12 / math.sqrt(1e-5) / UNIT + 3


@settings(max_examples=200, deadline=None)
@given(
    width=st.integers(1, 300),
    spread=st.tuples(st.floats(-7, 4.5), st.one_of(st.just(0.0), st.floats(-6e4, 6e4))),
    eps=st.sampled_from([1e-6, 1e-5, 1e-3]),
    sums=st.sampled_from([Sums.single, Sums.halves]),
    seed=st.integers(0, 1000),
)
def test_any_row_of_fp16_is_normalised(
    width: int, spread: tuple[float, float], eps: float, sums: Sums, seed: int
) -> None:
    size, offset = spread
    x = (offset + 10**size * rows(width, seed)[:4]).clamp(-LARGEST, LARGEST)
    assert units(x, sums, eps) < (3 if sums is Sums.single else 16)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.floats(-LARGEST, LARGEST, width=16), min_size=1, max_size=40),
    st.sampled_from([1e-5, 1e-6, 1e-12]),
    st.booleans(),
    st.sampled_from(Sums),
)
def test_nothing_that_fp16_holds_makes_an_infinity_or_a_nan(
    row: list[float], eps: float, flushed: bool, sums: Sums
) -> None:
    assert units(torch.tensor([row]), sums, eps, flushed) < math.inf


@pytest.mark.parametrize("size", [300.0, 3e4])
def test_the_decomposed_form_loses_the_same_rows(size: float) -> None:
    """Its square is Inf, and what is divided by that is 0."""
    x = (size * alternating(8) / LARGEST).half()
    with torch.no_grad(), Half():
        lost = DecomposedLayerNorm(8, elementwise_affine=False).half()(x)
    assert not lost.any()
    assert units(x) < 3


def test_a_decomposed_offset_is_lost_before_the_square() -> None:
    x = CASES["offset of a few units"].half()
    with torch.no_grad(), Half():
        lost = DecomposedLayerNorm(256, elementwise_affine=False).half()(x)
    assert not torch.isfinite(lost).all() or (lost.double() - exactly(x, 1e-5)).abs().max() > 0.1


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.fractions(-(10**6), 10**6, max_denominator=10**9), min_size=1, max_size=9),
    st.fractions(Fraction(1, 10**12), Fraction(1, 100)),
    st.integers(-12, 6),
)
def test_the_derivation_is_exact(row: list[Fraction], root: Fraction, power: int) -> None:
    """The docstring's formulas on fractions, squared so that no root is rounded; `root` is sqrt(eps)."""
    x, n = [Fraction(10) ** power * value for value in row], len(row)
    f = max(root / 4, Fraction(SMALLEST))
    p = root / (4 * f)
    h = [value / 4 for value in x]
    c = [value - sum(part / n for part in h) for value in h]
    b = max(*map(abs, c), f)
    u = [value / b for value in c]
    w = [value - sum(u) / n for value in u]
    square = sum(value * value for value in w) / n + (p * f / b) ** 2
    assert max(map(abs, u)) <= 1
    assert p * f / b <= p <= 1
    assert square >= min(Fraction(1, n), p * p), "the limit under the root changes nothing"
    mean = sum(x) / n
    variance = sum((value - mean) ** 2 for value in x) / n
    for value, unit in zip(x, w, strict=True):
        assert unit**2 / square == (value - mean) ** 2 / (variance + root**2)
        assert (unit > 0) == (value > mean)


@pytest.mark.parametrize("eps", [1e-12, 1e-8, 1e-5, 0.1])
@pytest.mark.parametrize("shape", [(5,), (3, 4)])
def test_in_fp32_it_is_torchs_own(shape: tuple[int, ...], eps: float) -> None:
    native = nn.LayerNorm(shape, eps)
    with torch.no_grad():
        for parameter in native.parameters():
            parameter.copy_(torch.randn_like(parameter))
    for size in (1e-6, 1.0, 1e6):
        x = size * (1 + torch.randn(2, 3, *shape))
        torch.testing.assert_close(ScaledLayerNorm.sharing(native)(x), native(x), atol=1e-4, rtol=1e-4)
