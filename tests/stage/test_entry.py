"""Entering a stage as DVC does: its own params.yaml and conf/, its inputs there, or one error that says it all."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from enginewright.config.sections import CompareConfig, ExportConfig
from enginewright.errors import ConfigError, GraphError
from enginewright.stage import Stage, enter
from enginewright.stage.commands import paths_of
from enginewright.stage.entry import refuse_missing
from tests.stage.project import files_below, project, run_module

OUT = ["--out", "metrics=metrics/disk/x.json"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project that is the current folder."""
    monkeypatch.chdir(project(tmp_path))
    return tmp_path


class Entered:
    """A stage's main that keeps what it was given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stage: Stage | None = None
        self._monkeypatch = monkeypatch

    def __call__(self, stage: Stage) -> None:
        self.stage = stage

    def by(self, *words: str, sections: tuple[str, ...] = ("export",)) -> Stage:
        """Enter with these words on the command line."""
        self._monkeypatch.setattr(sys, "argv", ["stages/export.py", *words])
        enter(self, sections)
        assert self.stage is not None
        return self.stage

    def refused_by(self, capsys: pytest.CaptureFixture[str], *words: str) -> str:
        """Return what is told on standard error, having checked that the stage never started."""
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            self.by(*words)
        assert caught.value.code == 1
        assert self.stage is None
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.startswith("error: ")
        assert "Traceback" not in told.err
        return told.err


@pytest.fixture
def entered(monkeypatch: pytest.MonkeyPatch) -> Entered:
    """Return a stage's main to enter."""
    return Entered(monkeypatch)


def test_dvcs_words_become_the_stage(folder: Path, entered: Entered) -> None:
    (folder / "a.onnx").touch()
    stage = entered.by("--network", "disk", "--in", "graph=a.onnx", "conf=conf", *OUT)
    assert stage.network == "disk"
    assert stage.inputs == {"graph": Path("a.onnx"), "conf": Path("conf")}
    assert stage.outputs == {"metrics": Path("metrics/disk/x.json")}
    assert stage.section(ExportConfig).opset == 20


def test_the_values_are_those_of_the_folders_own_params(tmp_path: Path, entered: Entered) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project(tmp_path, "export.opset=18"))
        assert entered.by("--network", "disk", *OUT).section(ExportConfig).opset == 18


def test_a_stage_without_a_network_covers_them_all(folder: Path, entered: Entered) -> None:
    stage = entered.by("--out", "report=report/index.html", sections=())
    assert stage.network == ""
    assert sorted(stage.networks) == ["disk", "disk_lightglue"]


def test_all_missing_inputs_are_named_at_once(
    folder: Path, entered: Entered, capsys: pytest.CaptureFixture[str]
) -> None:
    told = entered.refused_by(capsys, "--network", "disk", "--in", "a=x/a.onnx", "conf=conf", "b=x/b.npz", *OUT)
    assert "x/a.onnx" in told
    assert "x/b.npz" in told
    assert "'conf'" not in told
    assert "cure: dvc repro" in told


def test_a_stale_params_file_is_refused(folder: Path, entered: Entered, capsys: pytest.CaptureFixture[str]) -> None:
    with (folder / "conf" / "export" / "dynamo.yaml").open("a") as file:
        file.write("# later\n")
    assert "params.yaml is stale" in entered.refused_by(capsys, "--network", "disk", *OUT)


def test_an_edited_params_file_is_refused(folder: Path, entered: Entered, capsys: pytest.CaptureFixture[str]) -> None:
    text = (folder / "params.yaml").read_text()
    (folder / "params.yaml").write_text(text.replace("opset: 20", "opset: 18"))
    assert "edited by hand" in entered.refused_by(capsys, "--network", "disk", *OUT)


def test_overrides_do_not_mix_with_dvcs_words(
    folder: Path, entered: Entered, capsys: pytest.CaptureFixture[str]
) -> None:
    """They would be ignored: DVC's words take params.yaml as it lies."""
    told = entered.refused_by(capsys, "export.opset=18", "--network", "disk", *OUT)
    assert "Hydra overrides do not go with --out" in told
    assert "export.opset=18" in told


def test_a_shortened_option_is_not_guessed(folder: Path, entered: Entered, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--net" in entered.refused_by(capsys, "--net", "disk", *OUT)


def test_an_undeclared_section_ends_the_stage(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["stages/export.py", "--network", "disk", *OUT])
    with pytest.raises(SystemExit) as caught:
        enter(lambda stage: print(stage.section(CompareConfig)), ("export",))
    assert caught.value.code == 1
    assert "error: the stage reads compare undeclared" in capsys.readouterr().err


def test_an_unknown_network_ends_the_stage(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["stages/export.py", "--network", "disc", *OUT])
    with pytest.raises(SystemExit) as caught:
        enter(lambda stage: print(stage.section(ExportConfig)), ("export",))
    assert caught.value.code == 1
    told = capsys.readouterr().err
    assert "error: unknown network" in told
    assert "['disk', 'disk_lightglue']" in told


def test_an_error_of_the_stages_is_printed_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(stage: Stage) -> None:
        raise GraphError("the graph is broken", expected="whole", got="half", cure="export it again")

    monkeypatch.setattr(sys, "argv", ["stages/export.py", "--network", "disk", *OUT])
    with pytest.raises(SystemExit) as caught:
        enter(broken, ("export",))
    assert caught.value.code == 1
    assert capsys.readouterr().err == (
        "error: the graph is broken\n  expected: whole\n  got: half\n  cure: export it again\n"
    )


def test_a_mistake_in_the_code_keeps_its_traceback(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(stage: Stage) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(sys, "argv", ["stages/export.py", "--network", "disk", *OUT])
    with pytest.raises(ZeroDivisionError):
        enter(broken, ("export",))


@pytest.mark.parametrize(
    ("pairs", "paths"),
    [
        ([], {}),
        (["a=x/y.onnx"], {"a": Path("x/y.onnx")}),
        (["a=x=y", "b=z"], {"a": Path("x=y"), "b": Path("z")}),
    ],
)
def test_pairs_are_split_at_the_first_equals_sign(pairs: list[str], paths: dict[str, Path]) -> None:
    assert paths_of(pairs) == paths


def test_nothing_missing_is_fine(tmp_path: Path) -> None:
    refuse_missing({})
    refuse_missing({"folder": tmp_path})
    with pytest.raises(ConfigError, match="inputs are missing"):
        refuse_missing({"folder": tmp_path, "gone": tmp_path / "gone"})


def test_a_real_stage_refuses_before_it_imports_its_tools_or_writes(tmp_path: Path) -> None:
    folder = project(tmp_path)
    (folder / "exported.onnx").touch()
    before = files_below(folder)
    with (folder / "conf" / "config.yaml").open("a") as file:
        file.write("# later\n")
    words = ["--network", "disk", "--in", "exported=exported.onnx", "--out", "simplified=s.onnx", "metrics=m.json"]
    done = run_module(folder, "stages.simplify", *words)
    assert done.returncode == 1
    assert done.stderr.startswith("error: params.yaml is stale")
    assert files_below(folder) == before
