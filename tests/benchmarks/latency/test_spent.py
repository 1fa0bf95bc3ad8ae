"""Kernels summed by name, and a table that adds up to the call."""

from __future__ import annotations

import re

from benchmarks.latency.spent import by_name, lines

KERNELS = [
    ["void ort::Add<float, 4>(float const*)", 0.0, 2.0],
    ["gemm_64x64_64x13_NNT", 2.0, 10.0],
    ["void ort::Add<__half, 2>(x)", 12.0, 3.0],
    ["gemm_128x64_NNT", 15.0, 20.0],
]


def test_variants_of_one_kernel_are_one_row() -> None:
    assert by_name(KERNELS) == [("gemm", 2, 30.0), ("ort::Add", 2, 5.0)]


def test_the_table_adds_up_to_the_call() -> None:
    told = list(lines("mine", {"kernels": KERNELS}, wall_ms=0.04, floor_ms=0.01))
    figures = {row.split("|")[1].strip(): row.split("|")[3].strip() for row in told if re.match(r"\| [^-k]", row)}
    assert figures["the call"] == "40.0"
    assert figures["between kernels, and starting the call"] == "5.0"
    assert figures["the floor"] == "10.0"
    assert float(figures["`gemm`"]) + float(figures["`ort::Add`"]) == 35.0


def test_more_names_than_fit_are_summed() -> None:
    many = [[f"kernel{chr(97 + number)}", 0.0, 1.0] for number in range(20)]
    told = list(lines("mine", {"kernels": many}, 0.03, None))
    assert "| 6 more names | 6 | 6.0 | 20.0% |" in told
    assert not any("floor" in line for line in told)
