"""The build stage on small graphs that were really compared, built and recorded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from enginewright.artifacts import read_json, write_json
from enginewright.config.choices import Builder, Gate
from enginewright.config.sections import BuildConfig, CompareConfig
from enginewright.engine.build import build_engine
from enginewright.engine.record import Status, read_record
from enginewright.errors import BuildError, ConfigError, GraphError, RequirementError
from enginewright.reference import Reference, save_reference
from enginewright.stage import Stage
from stages import build
from stages.build import SECTIONS, Options, main, run
from tests.engine.graphs import RANGES, normalised_top, reference_of, with_nonzero

PASSED = {"verdict": "passed", "reason": "", "typed": {"y": {"max_abs": 1e-7}}}
FP16 = {"verdict": "not_run", "reason": "typed is float16: a CPU proves nothing"}
FAILED = {"verdict": "failed", "reason": "typed.y.max_abs is 0.5, more than 0.001"}


@pytest.fixture(autouse=True)
def _no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take this machine for one without a GPU, whatever it has."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.delenv("REQUIRE_GPU", raising=False)


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return normalised_top(tmp_path_factory.mktemp("stage") / "typed.onnx")


@pytest.fixture(scope="module")
def reference(typed: Path) -> Reference:
    return reference_of(typed)


def options(gate: Gate = Gate.strict, ranges: dict[str, list[int]] | None = None, **keys: Any) -> Options:
    return Options(ranges or {}, CompareConfig(gate=gate), BuildConfig(**keys))


def test_an_engine_that_no_gpu_here_can_run_is_proven_by_its_graph(typed: Path, reference: Reference) -> None:
    result = run(options(), typed, PASSED, reference)
    assert result.record.status is Status.graph_proven
    assert result.record.reason == "the engine was not executed: no NVIDIA GPU with a driver"
    assert result.metrics["verdict"] == "not_run"
    assert result.metrics["reason"] == result.record.reason
    assert sorted(result.metrics) == ["engine_mb", "host", "layers", "peak_mb", "reason", "seconds", "verdict"]
    assert result.metrics["engine_mb"] == round(len(result.engine) / 1e6, 3)
    assert result.metrics["layers"] == result.record.layers > 5
    assert result.record.engine.sha256 == hashlib.sha256(result.engine).hexdigest()
    assert result.record.graph.sha256 == hashlib.sha256(typed.read_bytes()).hexdigest()


def test_a_graph_that_was_not_compared_leaves_the_engine_unproven(reference: Reference, tmp_path: Path) -> None:
    half = normalised_top(tmp_path / "typed.onnx", half=True)
    result = run(options(), half, FP16, reference)
    assert (result.record.status, result.record.reason) == (Status.unproven, FP16["reason"])
    assert result.metrics["verdict"] == "not_run"
    assert "not executed" in result.metrics["reason"]


def test_a_failed_graph_never_passes_a_strict_gate(typed: Path, reference: Reference) -> None:
    with pytest.raises(BuildError, match="the typed graph does not agree") as caught:
        run(options(), typed, FAILED, reference)
    assert FAILED["reason"] in str(caught.value)


def test_a_reporting_gate_builds_it_unproven(typed: Path, reference: Reference) -> None:
    result = run(options(Gate.report), typed, FAILED, reference)
    assert (result.record.status, result.record.reason) == (Status.unproven, FAILED["reason"])


def test_requiring_a_gpu_is_a_failure(typed: Path, reference: Reference, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRE_GPU", "1")
    with pytest.raises(RequirementError, match="no NVIDIA GPU"):
        run(options(), typed, PASSED, reference)


def test_a_dynamic_graph_is_profiled_around_the_reference(reference: Reference, tmp_path: Path) -> None:
    dynamic = normalised_top(tmp_path / "typed.onnx", dynamic=True)
    result = run(options(ranges=RANGES), dynamic, PASSED, reference)
    assert result.record.profile == {"x": {"min": [1, 16, 32], "opt": [2, 64, 32], "max": [4, 128, 32]}}
    with pytest.raises(ConfigError, match=r"the dynamic axis rows of the input x has no range"):
        run(options(ranges={"batch": [1, 4]}), dynamic, PASSED, reference)


def test_a_graph_of_another_size_than_the_reference_is_refused(typed: Path, reference: Reference) -> None:
    wide = {name: np.concatenate([array, array], axis=1) for name, array in reference.inputs.items()}
    other = Reference(wide, reference.outputs, reference.names, reference.contract)
    with pytest.raises(GraphError, match="the input x of the typed graph does not have the shape of the reference"):
        run(options(), typed, PASSED, other)


def test_the_types_of_the_layers_are_recorded(typed: Path, reference: Reference, tmp_path: Path) -> None:
    assert "float16" not in run(options(), typed, PASSED, reference).record.layer_types
    half = run(options(), normalised_top(tmp_path / "typed.onnx", half=True), FP16, reference)
    assert half.record.layer_types["float16"] >= 2


def test_an_engine_of_other_types_than_its_graph_is_refused(
    typed: Path, reference: Reference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planted fault: a builder that takes the fp16 graph and makes an fp32 engine."""
    fp32 = build_engine(typed, build._job(options(), reference))
    monkeypatch.setattr(build, "build_engine", lambda graph, job: fp32)
    with pytest.raises(BuildError, match="does not compute in the types of the typed graph") as caught:
        run(options(), normalised_top(tmp_path / "typed.onnx", half=True), FP16, reference)
    assert caught.value.expected == "float16"
    with pytest.raises(BuildError, match="did not take the TF32 flag"):
        run(options(tf32=True), typed, PASSED, reference)


def test_targets_and_options_are_recorded_as_resolved(typed: Path, reference: Reference) -> None:
    result = run(options(compute_capabilities=["12.0", "8.9"], workspace_mib=512), typed, PASSED, reference)
    assert result.record.targets.compute_capabilities == ("8.9", "12.0")
    assert not result.record.targets.and_later
    assert result.record.options["workspace_mib"] == 512
    assert result.record.options["tf32"] is False


def test_the_full_tensorrt_is_asked_for_its_gpu(typed: Path, reference: Reference) -> None:
    with pytest.raises(RequirementError, match="the builder tensorrt times kernels on a GPU"):
        run(options(builder=Builder.tensorrt), typed, PASSED, reference)


@pytest.fixture
def stage_in(typed: Path, reference: Reference) -> Callable[..., Stage]:
    """Return a function from a folder to the stage that reads and writes in it."""

    def prepared(folder: Path, graph: bytes | None = None, compare: dict[str, Any] | None = None) -> Stage:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "typed.onnx").write_bytes(graph if graph is not None else typed.read_bytes())
        write_json(folder / "compare.json", compare or PASSED)
        save_reference(folder / "reference.npz", reference)
        sections = {"model": {"adapter": "small"}, "compare": {}, "build": {"builder": "tensorrt_rtx"}}
        return Stage(
            network="small",
            networks={"small": sections},
            sections=SECTIONS,
            inputs={name: folder / file for name, file in INPUTS.items()},
            outputs={name: folder / "out" / file for name, file in OUTPUTS.items()},
        )

    return prepared


INPUTS = {"typed": "typed.onnx", "compare": "compare.json", "reference": "reference.npz"}
OUTPUTS = {"engine": "engine.plan", "record": "engine.json", "metrics": "build.json"}


def test_main_writes_engine_record_and_metrics(stage_in: Callable[..., Stage], tmp_path: Path) -> None:
    stage = stage_in(tmp_path)
    main(stage)
    record = read_record(stage.outputs["record"])
    engine = stage.outputs["engine"].read_bytes()
    assert record.engine.sha256 == hashlib.sha256(engine).hexdigest()
    assert record.engine.size == len(engine)
    assert record.status is Status.graph_proven
    assert read_json(stage.outputs["metrics"])["verdict"] == "not_run"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(OUTPUTS.values())


def test_two_folders_give_the_same_engine_and_record(stage_in: Callable[..., Stage], tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b" / ("deeper" * 20)]
    stages = [stage_in(folder) for folder in folders]
    for stage in stages:
        main(stage)
    for name in ("engine", "record"):
        first, second = (stage.outputs[name].read_bytes() for stage in stages)
        assert first == second
        assert str(tmp_path).encode() not in first


def test_the_record_carries_no_time(stage_in: Callable[..., Stage], tmp_path: Path) -> None:
    stage = stage_in(tmp_path)
    main(stage)
    text = stage.outputs["record"].read_text()
    assert "seconds" not in text
    assert "peak" not in text
    assert json.loads(text)["versions"].keys() == {"tensorrt_rtx", "polygraphy"}


@pytest.mark.parametrize("breakage", ["cut", "nonzero", "compare"])
def test_an_error_leaves_earlier_outputs_as_they_are(
    stage_in: Callable[..., Stage], tmp_path: Path, breakage: str
) -> None:
    main(stage_in(tmp_path))
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    if breakage == "cut":
        stage = stage_in(tmp_path, graph=(tmp_path / "typed.onnx").read_bytes()[:1000])
    elif breakage == "nonzero":
        stage = stage_in(tmp_path, graph=with_nonzero(tmp_path / "nonzero.onnx").read_bytes())
    else:
        stage = stage_in(tmp_path, compare={"verdict": "excellent"})
    with pytest.raises(BuildError):
        main(stage)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_the_stage_reads_just_the_sections_that_it_declares() -> None:
    assert SECTIONS == ("model", "compare", "build")
