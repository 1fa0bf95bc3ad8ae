"""What a table says of rows that ran, by itself and against the floor."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.latency.table import floor_ms, table

FLOORS = {"matcher-1024-float16": {"flops": 10**11, "weights": 10**7, "io": 10**6, "tensors": 10**9}}
WHERE = {"device": "a GPU", "driver": "1", "commit": "abc", "versions": {"torch": "2"}, "floors": FLOORS}
PEAKS = {"float16_tflops": 500.0, "copy_gb_s": 4000.0}
ROW: dict[str, Any] = {
    "name": "ort onnx",
    "group": "fp16",
    "network": "matcher",
    "keypoints": 1024,
    "precision": "float16",
    "pairs": 1,
    "ms": {"median": 1.0, "p10": 0.9, "p90": 1.2},
    "kept": {"original": 2755, "common": 2754},
    "verdict": "passed",
    "reason": "",
}


def results(*rows: dict[str, Any], peaks: dict[str, float] = PEAKS) -> dict[str, Any]:
    kernels = {"ort onnx": {"busy_us": 800.0, "kernels": [["gemm", 0.0, 3.0]] * 250}}
    return {"where": WHERE, "peaks": peaks, "rows": list(rows), "kernels": kernels}


def test_a_row_tells_time_distance_matches_and_kernels() -> None:
    text = table(results(ROW))
    assert "| ort onnx | float16 | 1.000 | 0.900 to 1.200 | 1,000 | 5.0 | 2,754 of 2,755 | 250 | 0.800 |" in text
    assert "device a GPU, driver 1, commit abc, torch 2." in text


def test_the_fastest_comes_first_and_what_did_not_run_last() -> None:
    slow = ROW | {"name": "slow", "ms": {"median": 9.0, "p10": 9.0, "p90": 9.0}}
    missing = {**ROW, "name": "missing", "verdict": "not_run", "reason": "no kernel"}
    del missing["ms"]
    text = table(results(missing, slow, ROW))
    assert text.index("| ort onnx |") < text.index("| slow |") < text.index("| missing |")
    assert "- missing: not_run: no kernel" in text


def test_the_floor_of_many_pairs_reads_the_weights_once() -> None:
    assert floor_ms(ROW, results(ROW)) == pytest.approx(0.2)
    many = ROW | {"pairs": 8}
    assert floor_ms(many, results(many)) == pytest.approx(1.6)


def test_tf32_is_the_precision_of_float32_rows_alone() -> None:
    found = results(ROW, peaks=PEAKS | {"tf32_tflops": 1.0})
    assert floor_ms(ROW | {"name": "ort fp16, tf32 allowed"}, found) == pytest.approx(0.2)


@pytest.mark.parametrize("changed", [{"network": "disk"}, {"keypoints": 7}, {"precision": "bfloat16"}])
def test_without_a_floor_or_a_peak_no_distance_is_told(changed: dict[str, Any]) -> None:
    row = ROW | changed
    assert floor_ms(row, results(row)) is None
    assert floor_ms(ROW, results(ROW, peaks={})) is None
