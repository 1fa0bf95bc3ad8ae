"""The attest stage: what it reads, and that it is light."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from enginewright.attesting.source import source_of
from enginewright.config.composed import plain
from enginewright.errors import ConfigError
from enginewright.stage import Stage
from enginewright.stage.commands import files_in
from enginewright.verifying.pipeline import steps_of
from stages.attest import SECTIONS, main
from tests.attesting.engine_files import write_file
from tests.dag import ROOT


def stage_of(root: Path, network: str, sections: tuple[str, ...] = SECTIONS) -> Stage:
    """Return the stage, its inputs made up below `root`."""
    params = plain([])
    inputs = files_in(steps_of(ROOT / "dvc.yaml", params)[f"attest@{network}"].cmd)[0]
    for path in inputs.values():
        write_file(root, path.as_posix())
    return Stage(network, params["networks"], sections, inputs, {"statement": Path("out") / "engine.intoto.json"})


def test_the_statement_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stage = stage_of(tmp_path, "disk_lightglue")
    main(stage)
    first = stage.outputs["statement"].read_bytes()
    definition = json.loads(first)["predicate"]["buildDefinition"]
    assert list(definition["externalParameters"]["networks"]) == ["disk", "disk_lightglue"]
    assert definition["resolvedDependencies"][-1]["name"].startswith("weights/")
    main(stage)
    assert stage.outputs["statement"].read_bytes() == first


def test_whole_networks_are_read_by_declaration_only(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="undeclared"):
        stage_of(tmp_path, "disk", ("model",)).whole()


def test_it_imports_nothing_heavy() -> None:
    code = "import sys; import stages.attest; print([n for n in ('torch', 'onnx', 'onnxruntime') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_stage_in_a_checkout_names_its_commit() -> None:
    assert (source_of(ROOT).commit is None) is not (ROOT / ".git").exists()
