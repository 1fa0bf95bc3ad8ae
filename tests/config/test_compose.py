"""Our composition: the bytes that DVC writes, what it says, and that a refusal leaves params.yaml as it was."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from enginewright.config.compose import differences, main
from enginewright.config.composed import composed, params_text
from enginewright.config.digests import conf_sha256
from enginewright.errors import ConfigError
from tests.config.routes import CONF, ROOT, by_dvc, by_us, conf_copy

OVERRIDES: list[list[str]] = [
    [],
    ["precision=fp16", "export.opset=18"],
    ["export=torchscript", "layernorm=decomposed", "export.opset=16"],
    ["network=[disk]", "data=folder", "data.folder='my pairs'"],
    ["builder=tensorrt", "compare.max_abs=1e-7", "precision.fp32_nodes=['/norm/.*']"],
    ["networks.disk.export.opset=23", "networks.disk.export.dynamic=true", "networks.disk.model.ranges.batch=[1,4]"],
    ["networks.disk.export.dynamic=true", "+networks.disk.model.ranges.batch=[1,4]"],
    ["experiment=mine"],
]
EXPERIMENT = """\
# @package _global_
defaults:
  - override /precision: fp16

export:
  opset: 21
"""


@pytest.fixture(scope="module")
def conf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of conf/ with an experiment."""
    conf = conf_copy(tmp_path_factory.mktemp("conf"))
    (conf / "experiment").mkdir(exist_ok=True)
    (conf / "experiment" / "mine.yaml").write_text(EXPERIMENT)
    return conf


@pytest.fixture(scope="module")
def bytes_of_dvc(conf: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str | None]:
    """Return what DVC writes for each of OVERRIDES."""
    outcomes = by_dvc(tmp_path_factory.mktemp("dvc"), [(conf, overrides) for overrides in OVERRIDES])
    assert [outcome.told for outcome in outcomes] == [""] * len(OVERRIDES)
    return [outcome.text for outcome in outcomes]


@pytest.mark.parametrize("number", range(len(OVERRIDES)), ids=lambda number: " ".join(OVERRIDES[number]) or "default")
def test_dvc_writes_the_same_bytes(number: int, conf: Path, bytes_of_dvc: list[str | None]) -> None:
    """So neither route makes the other's params.yaml look changed."""
    assert by_us(OVERRIDES[number], conf).text == bytes_of_dvc[number]


def test_without_our_plugin_dvc_composes_nothing_rather_than_something_unchecked(tmp_path: Path) -> None:
    (outcome,) = by_dvc(tmp_path, [(CONF, ["+export.opst=18"])], plugins=tmp_path)
    assert outcome.text is None
    assert "schema" in outcome.told


def test_an_experiment_sets_values_across_axes(bytes_of_dvc: list[str | None]) -> None:
    config = OmegaConf.create(str(bytes_of_dvc[OVERRIDES.index(["experiment=mine"])]))
    assert (config.export.opset, config.networks.disk.cast.precision) == (21, "fp16")


def test_composing_again_gives_the_same_bytes() -> None:
    assert params_text(composed([])) == params_text(composed([]))


def test_the_committed_params_are_what_the_committed_conf_composes_to(tmp_path: Path) -> None:
    """By git's index, so that a sweep that is being tried in this checkout does not count."""
    git = ["git", "-C", str(ROOT), "checkout-index", "--all", f"--prefix={tmp_path}/"]
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("needs a git checkout: the committed files are compared")
    subprocess.run(git, check=True)
    config = composed([], tmp_path / "conf")
    config.composed.conf_sha256 = conf_sha256(tmp_path / "conf")
    assert (tmp_path / "params.yaml").read_text(encoding="utf-8") == params_text(config), "make params, and commit it"


def test_params_are_written_once_and_every_changed_value_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "params.yaml"
    assert main(["--output", str(output)]) == 0
    assert output.read_text(encoding="utf-8") == params_text(composed([]))
    capsys.readouterr()
    assert main(["--output", str(output), "export.opset=18"]) == 0
    told = capsys.readouterr().err
    assert "params.yaml  export.opset: 20 -> 18" in told
    assert "params.yaml  networks.disk_lightglue.export.opset: 20 -> 18" in told
    assert "sha256" not in told


def test_an_unchanged_file_is_not_touched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "params.yaml"
    main(["--output", str(output)])
    before = output.stat()
    capsys.readouterr()
    assert main(["--output", str(output)]) == 0
    assert (output.stat().st_ino, output.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert capsys.readouterr().err == ""


def test_check_writes_nothing(tmp_path: Path) -> None:
    output = tmp_path / "params.yaml"
    with pytest.raises(ConfigError, match="not what conf/ composes to"):
        main(["--check", "--output", str(output)])
    assert not output.exists()
    main(["--output", str(output)])
    assert main(["--check", "--output", str(output)]) == 0
    before = output.read_bytes()
    with pytest.raises(ConfigError, match="make params"):
        main(["--check", "--output", str(output), "precision=fp16"])
    assert output.read_bytes() == before


def test_a_refusal_leaves_params_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("earlier: true\n")
    with pytest.raises(ConfigError):
        main(["--output", str(tmp_path / "params.yaml"), "export.opset=99"])
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]
    assert (tmp_path / "params.yaml").read_text() == "earlier: true\n"


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a person does."""
    line = [sys.executable, "-m", "enginewright.config.compose", *arguments]
    return subprocess.run(line, cwd=ROOT, check=False, capture_output=True, text=True)


def test_the_command_ends_with_1_and_the_error_alone(tmp_path: Path) -> None:
    output = tmp_path / "params.yaml"
    done = command("--output", str(output), "export.opst=18")
    assert done.returncode == 1
    assert done.stderr.startswith("error: the configuration does not compose: export.opst")
    assert "expected: ['exporter', 'opset', 'dynamic']" in done.stderr
    assert "Traceback" not in done.stderr
    assert not output.exists()


def test_the_command_composes_into_a_new_file(tmp_path: Path) -> None:
    done = command("--output", str(tmp_path / "params.yaml"), "precision=fp16")
    assert done.returncode == 0, done.stderr
    assert "precision: fp16" in (tmp_path / "params.yaml").read_text(encoding="utf-8")


def test_differences_are_told_key_by_key() -> None:
    old = {"a": {"x": 1, "gone": 2}, "same": [1, 2], "list": [1]}
    new = {"a": {"x": 3, "new": None}, "same": [1, 2], "list": [2]}
    assert differences(old, new) == ["a.x: 1 -> 3", "a.gone: 2 -> None", "list: [1] -> [2]"]


def test_a_mapping_that_becomes_a_value_is_one_difference() -> None:
    assert differences({"a": {"x": 1}}, {"a": 2}) == ["a: {'x': 1} -> 2"]
    assert differences({}, {}) == []


def test_conf_is_not_written_by_composing() -> None:
    before = conf_sha256(CONF)
    composed(["precision=fp16"])
    assert conf_sha256(CONF) == before
