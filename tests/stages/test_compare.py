"""The compare stage: what it writes, when it stops the build, and what it does not claim to have proven."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from enginewright.artifacts import read_json
from enginewright.config.sections import CompareConfig
from enginewright.errors import CompareError, ConfigError, EnginewrightError, GraphError, RequirementError
from enginewright.graphs.provider import has_cuda
from enginewright.reference import save_reference
from enginewright.stage import Stage
from stages.compare import SECTIONS, main, run
from tests.comparing.graphs import artifact, reference

NAMES = ("exported", "simplified", "typed")
HALF = CompareConfig(max_abs=1e-2, mean_abs=1e-3, p99_abs=1e-2, cosine=0.999)
"""What rounding to float16 may cost."""

on_cpu = pytest.mark.skipif(has_cuda(), reason="onnxruntime-gpu is installed: reduced precision is judged")


@pytest.fixture(autouse=True)
def _no_requirement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUIRE_GPU", raising=False)


def graphs(folder: Path, *kinds: str) -> dict[str, Path]:
    return {name: artifact(folder, kind, name) for name, kind in zip(NAMES, kinds, strict=True)}


def stage_in(folder: Path, *kinds: str, **compare: object) -> Stage:
    folder.mkdir(parents=True, exist_ok=True)
    save_reference(folder / "reference.npz", reference())
    return Stage(
        network="small",
        networks={"small": {"compare": compare}},
        sections=SECTIONS,
        inputs={"reference": folder / "reference.npz", **graphs(folder, *kinds)},
        outputs={
            "metrics": folder / "out" / "compare.json",
            "curves": folder / "out" / "errors.json",
            "ranges": folder / "out" / "ranges.json",
        },
    )


def test_sound_graphs_pass(tmp_path: Path) -> None:
    metrics, curves, _ = run(CompareConfig(), reference(), graphs(tmp_path, "sound", "sound", "sound"))
    errors = {"max_abs": 0.0, "mean_abs": 0.0, "p99_abs": 0.0, "cosine": pytest.approx(1.0)}
    assert metrics == {
        "exported": {"y": errors},
        "simplified": {"y": errors},
        "typed": {"y": errors},
        "verdicts": dict.fromkeys(NAMES, "passed"),
        "verdict": "passed",
        "reason": "",
    }
    assert len(curves) == 3 * 21
    assert {row["series"] for row in curves} == {"exported y", "simplified y", "typed y"}


@pytest.mark.parametrize("kind", ["off", "nan", "inf", "empty", "double", "wide", "missing"])
def test_one_bad_graph_fails_and_is_named(tmp_path: Path, kind: str) -> None:
    metrics, _, _ = run(CompareConfig(), reference(), graphs(tmp_path, "sound", kind, "sound"))
    assert metrics["verdict"] == "failed"
    assert metrics["verdicts"] == {"exported": "passed", "simplified": "failed", "typed": "passed"}
    assert metrics["reason"].startswith("simplified")
    json.dumps(metrics, allow_nan=False)


@on_cpu
def test_fp16_on_a_cpu_is_not_run_and_nothing_is_said_of_its_errors(tmp_path: Path) -> None:
    metrics, curves, ranges = run(HALF, reference(), graphs(tmp_path, "sound", "sound", "half"))
    assert metrics["verdict"] == "not_run"
    assert metrics["reason"].startswith("typed: float16 on a CPU proves nothing")
    assert metrics["verdicts"] == {
        "exported": "passed",
        "simplified": "passed",
        "typed": "not_run",
        "ranges": "passed",
        "rehearsed": "passed",
    }
    assert "typed" not in metrics
    assert {row["series"] for row in curves} == {"exported y", "simplified y", "rehearsed y"}
    assert [row["tensor"] for row in ranges] == ["low", "twice"]


@on_cpu
def test_what_a_rehearsal_refutes_has_failed_without_a_gpu(tmp_path: Path) -> None:
    found = reference()
    far = replace(found, inputs={"x": found.inputs["x"] * 1e5}, outputs={"y": found.outputs["y"] * 1e5})
    metrics, _, _ = run(HALF, far, graphs(tmp_path, "sound", "sound", "half"))
    assert metrics["verdict"] == "failed"
    assert metrics["verdicts"]["ranges"] == metrics["verdicts"]["rehearsed"] == "failed"
    assert "do not fit their format" in metrics["reason"]


@on_cpu
def test_a_failure_outweighs_what_was_not_run(tmp_path: Path) -> None:
    metrics, _, _ = run(CompareConfig(), reference(), graphs(tmp_path, "off", "sound", "half"))
    assert metrics["verdict"] == "failed"
    assert metrics["verdicts"]["typed"] == "not_run"
    assert "exported.y" in metrics["reason"]


@on_cpu
def test_only_reduced_graphs_leave_nothing_to_run(tmp_path: Path) -> None:
    metrics, curves, _ = run(HALF, reference(), graphs(tmp_path, "half", "half", "half"))
    assert metrics["verdict"] == "not_run"
    assert {row["series"] for row in curves} == {"rehearsed y"}, "a rehearsal is no run of the graph"


@on_cpu
def test_requiring_a_gpu_turns_not_run_into_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRE_GPU", "1")
    stage = stage_in(tmp_path, "sound", "sound", "half")
    with pytest.raises(RequirementError, match="REQUIRE_GPU=1") as caught:
        main(stage)
    assert "typed" in str(caught.value.got)
    assert not stage.outputs["metrics"].exists()
    main(stage_in(tmp_path, "sound", "sound", "sound"))


def test_main_writes_metrics_and_curves(tmp_path: Path) -> None:
    stage = stage_in(tmp_path, "sound", "sound", "sound")
    main(stage)
    expected, curves, _ = run(CompareConfig(), reference(), graphs(tmp_path, "sound", "sound", "sound"))
    assert read_json(stage.outputs["metrics"]) == expected
    assert json.loads(stage.outputs["curves"].read_text()) == curves
    assert SECTIONS == ("compare",)


@pytest.mark.parametrize("kind", ["off", "nan"])
def test_a_strict_gate_stops_the_build_after_everything_is_written(tmp_path: Path, kind: str) -> None:
    stage = stage_in(tmp_path, "sound", "sound", kind, gate="strict")
    with pytest.raises(CompareError, match="small does not agree with the original network") as caught:
        main(stage)
    metrics = read_json(stage.outputs["metrics"])
    assert metrics["verdict"] == "failed"
    assert caught.value.got == metrics["reason"]
    assert "compare=report" in str(caught.value.cure)
    assert json.loads(stage.outputs["curves"].read_text())


def test_a_reporting_gate_writes_it_down_only(tmp_path: Path) -> None:
    stage = stage_in(tmp_path, "sound", "sound", "off", gate="report")
    main(stage)
    metrics = read_json(stage.outputs["metrics"])
    assert metrics["verdict"] == "failed"
    assert "typed.y.max_abs is" in metrics["reason"]


@on_cpu
def test_a_strict_gate_lets_through_what_was_not_run(tmp_path: Path) -> None:
    limits = {"max_abs": 1e-2, "mean_abs": 1e-3, "p99_abs": 1e-2, "cosine": 0.999}
    stage = stage_in(tmp_path, "sound", "sound", "half", gate="strict", **limits)
    main(stage)
    assert read_json(stage.outputs["metrics"])["verdict"] == "not_run"


def test_tolerances_come_from_the_configuration(tmp_path: Path) -> None:
    kinds = ("off", "off", "off")
    wide = CompareConfig(max_abs=0.2, mean_abs=0.2, p99_abs=0.2)
    assert run(wide, reference(), graphs(tmp_path, *kinds))[0]["verdict"] == "passed"
    tight = replace(wide, outputs={"y": 1e-3})
    assert run(tight, reference(), graphs(tmp_path, *kinds))[0]["verdict"] == "failed"
    scaled = CompareConfig(outputs={"y": 1.0})
    assert run(scaled, reference(), graphs(tmp_path, *kinds))[0]["verdict"] == "passed"


@pytest.mark.parametrize("broken", ["reference", "exported", "typed"])
def test_broken_inputs_are_refused(tmp_path: Path, broken: str) -> None:
    stage = stage_in(tmp_path, "sound", "sound", "sound")
    stage.inputs[broken].write_bytes(b"broken")
    with pytest.raises(EnginewrightError, match=f"{broken}") as caught:
        main(stage)
    assert isinstance(caught.value, GraphError) == (broken != "reference")
    assert not stage.outputs["metrics"].exists()


def test_a_graph_that_does_not_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CompareError, match="a graph did not run in ONNX Runtime"):
        main(stage_in(tmp_path, "sound", "other size", "sound"))


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    stages = [stage_in(tmp_path / name, "off", "sound", "off", gate="report") for name in ("a", "b")]
    for stage in stages:
        main(stage)
    for name in ("metrics", "curves"):
        first, second = (stage.outputs[name].read_bytes() for stage in stages)
        assert first == second
        assert str(tmp_path).encode() not in first


WITHOUT_TORCH = """
import sys

sys.modules["torch"] = None  # importing it now fails
from pathlib import Path

from enginewright.config.choices import Simplifier
from enginewright.config.sections import CastConfig, CompareConfig, SimplifyConfig
from enginewright.reference import load_reference
from stages import cast, compare, export, simplify

graph, reference = Path(sys.argv[1]), load_reference(Path(sys.argv[2]))
simplify.run(SimplifyConfig(tool=Simplifier.none), graph)
cast.run(CastConfig(), graph, reference)
metrics, _, _ = compare.run(CompareConfig(), reference, {"exported": graph})
heavy = ("modelopt", "onnxsim", "tensorrt", "tensorrt_rtx", "hydra")
print(metrics["verdict"], [name for name in heavy if name in sys.modules])
"""


def test_stages_after_the_reference_need_no_torch_nor_each_others_tools(tmp_path: Path) -> None:
    stage = stage_in(tmp_path, "sound", "sound", "sound")
    arguments = [str(stage.inputs["exported"]), str(stage.inputs["reference"])]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "passed []"


def test_a_tolerance_for_an_output_that_is_not_there_is_refused() -> None:
    found = reference()
    with pytest.raises(ConfigError, match="names no output") as caught:
        run(CompareConfig(outputs={"descriptor": 1e-2}), found, {})
    assert caught.value.got == ["descriptor"]
    assert caught.value.expected == [port.name for port in found.contract.outputs]
