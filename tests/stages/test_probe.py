"""probe: one file a tool, the first to refuse a bad set-up, and light enough to run every time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from enginewright.artifacts import read_json
from enginewright.config.choices import Builder
from enginewright.errors import RequirementError
from enginewright.probing import TOOLS, probe, versions
from stages.probe import main, run
from tests.dag import ROOT
from tests.stage.project import composed_text, files_below, project, run_module

FILES = {f"probe/{name}.json" for name in probe()}
HEAVY = {"torch", "onnx", "onnxruntime", "polygraphy", "hydra", "omegaconf", "numpy", "tensorrt_rtx", "modelopt"}
FULL_TENSORRT = any(versions(("tensorrt", "tensorrt-cu12", "tensorrt-cu13")).values())


@pytest.fixture(autouse=True)
def _demand_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUIRE_GPU", raising=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project that is the current folder."""
    monkeypatch.chdir(project(tmp_path))
    return tmp_path


def networks(*overrides: str) -> dict[str, Any]:
    """Return the networks that these overrides compose to."""
    found: dict[str, Any] = yaml.safe_load(composed_text(*overrides))["networks"]
    return found


def test_a_file_is_written_for_each_tool(folder: Path) -> None:
    before = files_below(folder)
    main(Path("probe"))
    assert files_below(folder) - before == FILES
    assert read_json(folder / "probe/torch.json") == versions(TOOLS["torch"])
    assert set(read_json(folder / "probe/gpu.json")) == {"gpu", "require_gpu"}


def test_the_same_machine_gives_the_same_bytes(folder: Path) -> None:
    main(Path("probe"))
    first = {name: (folder / name).read_bytes() for name in FILES}
    main(Path("probe"))
    assert {name: (folder / name).read_bytes() for name in FILES} == first


def test_files_hold_neither_a_time_nor_a_path(folder: Path) -> None:
    main(Path("probe"))
    for name in FILES:
        text = (folder / name).read_text()
        assert "/" not in text
        assert str(Path.home()) not in text


def test_a_stale_params_file_is_refused_before_anything_is_written(folder: Path) -> None:
    with (folder / "conf" / "precision" / "fp16.yaml").open("a") as file:
        file.write("# later\n")
    before = files_below(folder)
    done = run_module(folder, "stages.probe", "probe")
    assert done.returncode == 1
    assert done.stderr.startswith("error: params.yaml is stale")
    assert "make params" in done.stderr
    assert files_below(folder) == before


def test_an_edited_params_file_is_refused(folder: Path) -> None:
    text = (folder / "params.yaml").read_text()
    (folder / "params.yaml").write_text(text.replace("precision: fp32", "precision: fp16"))
    done = run_module(folder, "stages.probe", "probe")
    assert done.returncode == 1
    assert "edited by hand" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(FULL_TENSORRT, reason="needs a machine without the full TensorRT: its absence is what is refused")
def test_a_builder_that_is_not_installed_stops_the_run_before_its_first_stage(tmp_path: Path) -> None:
    folder = project(tmp_path, "builder=tensorrt")
    before = files_below(folder)
    done = run_module(folder, "stages.probe", "probe")
    assert done.returncode == 1
    assert done.stderr.startswith("error: the builder tensorrt is not installed")
    assert "cure: make setup-tensorrt" in done.stderr
    assert files_below(folder) == before


@pytest.mark.skipif(FULL_TENSORRT, reason="needs a machine without the full TensorRT: its absence is what is refused")
def test_one_network_with_a_missing_builder_is_enough() -> None:
    mixed = networks()
    mixed["disk_lightglue"] = networks("builder=tensorrt")["disk_lightglue"]
    with pytest.raises(RequirementError) as caught:
        run(mixed)
    assert "tensorrt, tensorrt-cu13, tensorrt-cu12" in str(caught.value.expected)


def test_polygraphy_alone_is_no_builder() -> None:
    """Each builder's file holds more than the builder; only its own packages count."""
    for builder in Builder:
        own = [name for name in TOOLS[f"builder_{builder.name}"] if name.startswith("tensorrt")]
        assert own
        assert len(own) < len(TOOLS[f"builder_{builder.name}"])


def test_the_default_builder_is_there() -> None:
    assert set(run(networks())) == set(probe()) >= {*TOOLS, "gpu"}


def test_a_demanded_gpu_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRE_GPU", "1")
    if run_without_demand()["gpu"]["gpu"] is None:
        with pytest.raises(RequirementError, match="REQUIRE_GPU=1 is set and this machine has no NVIDIA GPU"):
            run(networks())
    else:
        assert run(networks())["gpu"]["require_gpu"] is True


def run_without_demand() -> Any:
    """Return what is found where no GPU is demanded."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("REQUIRE_GPU")
        return run(networks())


def test_it_imports_none_of_the_tools_whose_versions_it_tells(folder: Path) -> None:
    code = "import sys, stages.probe; from pathlib import Path; stages.probe.main(Path('probe')); print(*sys.modules)"
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "enginewright" in loaded
    assert not HEAVY & loaded
    assert (folder / "probe" / "gpu.json").exists()
