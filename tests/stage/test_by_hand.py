"""One stage by hand: Hydra overrides in, everything else where DVC keeps it, and outputs below scratch/ alone."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from enginewright.artifacts import read_json
from enginewright.config.models import ModelConfig
from enginewright.config.sections import ExportConfig, SimplifyConfig
from enginewright.errors import ConfigError
from enginewright.stage.by_hand import SCRATCH, stage_by_hand
from enginewright.stage.commands import files_in, filled
from stages.simplify import SECTIONS
from tests.dag import Wired, params, stages, wired
from tests.stage.project import files_below, project, run_module


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project that is the current folder, with the inputs of the stages that these tests start."""
    monkeypatch.chdir(project(tmp_path))
    for name in ("disk", "disk_lightglue"):
        (tmp_path / "weights" / name).mkdir(parents=True)
        (tmp_path / "weights" / name / "checkpoint.safetensors").touch()
    return tmp_path


def refused(*overrides: str, name: str = "export") -> ConfigError:
    """Return the refusal of a stage by hand."""
    with pytest.raises(ConfigError) as caught:
        stage_by_hand(name, list(overrides), ("export",))
    return caught.value


def test_values_come_from_conf_and_the_overrides(folder: Path) -> None:
    stage = stage_by_hand("export", ["network=disk", "export.opset=18"], ("model", "export"))
    assert stage.network == "disk"
    assert stage.section(ExportConfig).opset == 18
    assert stage.section(ModelConfig).adapter == "disk"
    with pytest.raises(ConfigError, match="undeclared"):
        stage.section(SimplifyConfig)


def test_inputs_are_read_where_dvc_keeps_them(folder: Path) -> None:
    stage = stage_by_hand("swap", ["network=disk_lightglue"], ())
    assert stage.inputs == {
        "checkpoint": Path("weights/disk_lightglue/checkpoint.safetensors"),
        "extractor_checkpoint": Path("weights/disk/checkpoint.safetensors"),
    }


def test_outputs_go_below_scratch_under_the_paths_of_dvc(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stage = stage_by_hand("export", ["network=disk"], ())
    assert stage.outputs == {
        "exported": SCRATCH / "export/weights/disk/exported.onnx",
        "metrics": SCRATCH / "export/metrics/disk/export.json",
    }
    told = capsys.readouterr().err
    for path in stage.outputs.values():
        assert str(path) in told


@pytest.mark.parametrize("item", [item for item in wired() if item.name != "probe"], ids=str)
def test_paths_are_those_of_dvc_yaml_for_every_stage_and_network(item: Wired) -> None:
    stage = stages()[item.name]
    items = params()[stage["foreach"][2:-1]] if "foreach" in stage else {"": {}}
    found = files_in(filled(stage.get("do", stage)["cmd"], item.network, items[item.network]))
    for option, files in zip(("--in", "--out"), found, strict=True):
        assert [path.as_posix() for path in files.values()] == item.paths(option)


def test_an_input_can_be_another_file(folder: Path) -> None:
    (folder / "mine.safetensors").touch()
    stage = stage_by_hand("export", ["network=disk", "in.checkpoint=mine.safetensors"], ())
    assert stage.inputs == {"checkpoint": Path("mine.safetensors")}


def test_an_input_of_another_name_is_answered_with_the_names(folder: Path) -> None:
    error = refused("network=disk", "in.chekpoint=mine.safetensors")
    assert error.what == "unknown inputs"
    assert error.expected == ["in.checkpoint=PATH"]


def test_missing_inputs_are_named(folder: Path) -> None:
    (folder / "weights/disk/checkpoint.safetensors").unlink()
    error = refused("network=disk")
    assert error.what == "inputs are missing"
    assert "weights/disk/checkpoint.safetensors" in str(error.got)


@pytest.mark.parametrize("overrides", [[], ["export.opset=18"], ["network=disk", "network=disk_lightglue"]])
def test_one_network_must_be_named(overrides: list[str], folder: Path) -> None:
    error = refused(*overrides)
    assert error.what == "a stage by hand is for one network"
    assert "python -m stages.export network=disk export.opset=18" in str(error.expected)


def test_a_stage_for_all_networks_takes_none(folder: Path) -> None:
    assert stages()["report"]["cmd"].startswith("python -m stages.report --in")
    assert refused("network=disk", name="report").what == "report covers all networks"


@pytest.mark.parametrize("name", ["disc", "a;id", "$(id)", "[disk]", ""])
def test_a_network_that_there_is_not(name: str, folder: Path) -> None:
    assert isinstance(refused(f"network={name}"), ConfigError)


def test_a_list_of_one_is_told_to_leave_out_its_brackets(folder: Path) -> None:
    for given in ("[disk]", "[disk, disk_lightglue]"):
        error = refused(f"network={given}")
        assert error.got == f"network={given}"
        assert error.cure == "python -m stages.export network=disk, without brackets"


@pytest.mark.parametrize(
    ("override", "told"),
    [("export.opset=99", "16 to 23"), ("--opset=3", "--opset")],
)
def test_a_bad_override_is_refused_as_everywhere(override: str, told: str, folder: Path) -> None:
    assert told in str(refused("network=disk", override))


def test_params_yaml_is_neither_read_nor_written(folder: Path) -> None:
    """A stage by hand composes for itself: what DVC tracks may be stale, and stays as it is."""
    (folder / "params.yaml").write_text("stale: true\n")
    before = files_below(folder)
    assert stage_by_hand("export", ["network=disk", "export.opset=19"], ("export",)).section(ExportConfig).opset == 19
    assert files_below(folder) == before
    assert (folder / "params.yaml").read_text() == "stale: true\n"


def test_a_real_stage_writes_below_scratch_and_nowhere_else(tmp_path: Path) -> None:
    folder = project(tmp_path)
    shape = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "one",
        [shape],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]), folder / "mine.onnx")
    before = files_below(folder)
    done = run_module(folder, "stages.simplify", "network=disk", "simplify=none", "in.exported=mine.onnx")
    assert done.returncode == 0, done.stderr
    written = files_below(folder) - before
    assert written == {
        "scratch/simplify/weights/disk/simplified.onnx",
        "scratch/simplify/metrics/disk/simplify.json",
    }
    metrics = read_json(folder / "scratch/simplify/metrics/disk/simplify.json")
    assert metrics.items() >= {"kept": "exported", "nodes_after": 1, "nodes_before": 1}.items()
    assert SECTIONS == ("simplify",)


def test_what_preflight_found_counts_for_the_graph_that_it_saw_alone(folder: Path) -> None:
    for path in ("weights/disk/exported.onnx", "metrics/disk/preflight.json", "mine.onnx"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()

    def inputs(*overrides: str) -> set[str]:
        return set(stage_by_hand("simplify", ["network=disk", *overrides], ("simplify",)).inputs)

    assert inputs() == {"exported", "preflight"}
    assert inputs("in.exported=mine.onnx") == {"exported"}
    assert inputs("in.exported=mine.onnx", "in.preflight=mine.onnx") == {"exported", "preflight"}
    (folder / "metrics/disk/preflight.json").unlink()
    assert inputs() == {"exported"}


def test_a_real_stage_refuses_a_typo_in_one_error(tmp_path: Path) -> None:
    done = run_module(project(tmp_path), "stages.simplify", "network=disk", "simplify.tol=none")
    assert done.returncode == 1
    assert done.stderr.startswith("error: the configuration does not compose")
    assert "Traceback" not in done.stderr
