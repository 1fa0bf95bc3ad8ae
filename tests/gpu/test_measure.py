"""Rows of a run: what ran is judged, what did not says why and is never a pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from enginewright.errors import ConfigError, RequirementError
from enginewright.gpu import measure
from enginewright.gpu.measure import measured
from enginewright.gpu.session import Session
from enginewright.gpu.table import table
from enginewright.graphs.provider import CPU, has_cuda
from tests.gpu.small import matcher, save, variant

without_gpu = pytest.mark.skipif(has_cuda(), reason="onnxruntime-gpu is installed")


@pytest.fixture(autouse=True)
def _no_requirement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUIRE_GPU", raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    variant(tmp_path, "native-fp16", matcher(), ranges={"verdict": "passed", "reason": "", "faulty": 0})
    variant(tmp_path, "decomposed-fp16", matcher(offset=1.0))
    variant(tmp_path, "native-fp8")
    save(tmp_path)
    return tmp_path


@pytest.fixture
def _on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the CPU stand for the GPU, and time nothing: what is tested is the judgement."""
    monkeypatch.setattr(measure, "CUDA", CPU)
    monkeypatch.setattr(Session, "milliseconds", lambda *_: [1.0, 3.0, 2.0])


def by_name(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {f"{row['form']}-{row['precision']}": row["gpu"] for row in rows}


@pytest.mark.usefixtures("_on_a_cpu")
def test_matches_decide(folder: Path) -> None:
    found = by_name(measured(folder))
    assert found["native-fp16"]["verdict"] == "passed"
    assert found["native-fp16"]["latency_ms"] == 2.0
    assert found["decomposed-fp16"]["verdict"] == "failed"
    assert found["decomposed-fp16"]["reason"] == "0 of 6 matches kept, a share of 0.0000; 0.9 is asked"
    assert found["native-fp8"] == {"verdict": "not_run", "reason": "it was not built: why"}


@pytest.mark.usefixtures("_on_a_cpu")
def test_an_overflow_is_a_failure_even_where_no_match_is_lost(tmp_path: Path) -> None:
    variant(tmp_path, "decomposed-fp16", matcher(overflow=True))
    save(tmp_path)
    found = by_name(measured(tmp_path))["decomposed-fp16"]
    assert (found["common"], found["original"]) == (6, 6)
    assert found["overflow"] == ["overflow"]
    assert (found["verdict"], found["reason"]) == (
        "failed",
        "tensors that overflow on the GPU: 1, the first is overflow",
    )


@without_gpu
def test_without_a_gpu_nothing_is_judged(folder: Path) -> None:
    found = by_name(measured(folder))
    assert {row["verdict"] for row in found.values()} == {"not_run"}
    assert found["native-fp16"]["reason"] == "ONNX Runtime cannot start CUDAExecutionProvider here"


def test_a_folder_without_variants_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no variants to run") as caught:
        measured(tmp_path)
    assert caught.value.cure == "python -m enginewright.gpu build"


@without_gpu
def test_a_gpu_can_be_required(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRE_GPU", "1")
    with pytest.raises(RequirementError, match="REQUIRE_GPU=1"):
        measured(folder)


@pytest.mark.usefixtures("_on_a_cpu")
def test_the_table_says_where_it_ran_and_why_what_failed(folder: Path) -> None:
    text = table(measured(folder), {"device": "a GPU", "commit": "abc"})
    lines = text.splitlines()
    assert lines[0] == "device a GPU, commit abc."
    cells = {tuple(line.split(" | ")[1:3]): line.split(" | ") for line in lines if line.startswith("| small")}
    assert cells["native", "fp16"][3:7] == ["1.5", "6 of 6", "1.0000", "passed"]
    assert cells["decomposed", "fp16"][5:7] == ["0.0000", "failed"]
    assert cells["native", "fp8"][4:7] == ["—", "—", "refused"]
    assert "- small, native, fp8: why" in lines
    assert any(line.startswith("- small, decomposed, fp16: 0 of 6 matches kept") for line in lines)
