"""The command: its halves by themselves, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from enginewright.artifacts import read_json
from enginewright.errors import ConfigError
from enginewright.gpu.__main__ import main
from enginewright.graphs.provider import has_cuda
from tests.gpu.small import matcher, save, variant


def test_an_unknown_precision_stops_before_anything_is_built(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown precision"):
        main(["build", "--precisions", "fp61", "--variants", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_what_is_built_is_not_built_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    variant(tmp_path, "native-fp16", matcher())
    axes = ["--forms", "native", "--precisions", "fp16"]
    main(["build", "--networks", "small", *axes, "--variants", str(tmp_path)])
    assert capsys.readouterr().out == "1 of 1: small-native-fp16: built\n"


def test_a_network_that_was_never_built_is_refused_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    axes = ["--forms", "native", "--precisions", "fp32"]
    main(["build", "--networks", "disk_lightglue", *axes, "--variants", "out"])
    facts = read_json(tmp_path / "out" / "disk_lightglue-native-fp32.json")
    assert facts["status"] == "refused"
    assert "dvc exp run -S 'network=[disk_lightglue]'" in facts["reason"]


@pytest.mark.skipif(has_cuda(), reason="onnxruntime-gpu is installed")
def test_a_run_writes_the_table_and_the_rows(tmp_path: Path) -> None:
    folder, out = tmp_path / "variants", tmp_path / "out"
    variant(folder, "native-fp16", matcher())
    save(folder)
    main(["run", "--variants", str(folder), "--out", str(out), "--commit", "abc"])
    found = read_json(out / "no-gpu.json")
    assert found["where"]["commit"] == "abc"
    assert [row["gpu"]["verdict"] for row in found["rows"]] == ["not_run"]
    assert "not run" in (out / "no-gpu.md").read_text(encoding="utf-8")
