"""A project built again elsewhere: what comes out the same, what does not, and who is to blame."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from enginewright.errors import BuildError, ConfigError
from enginewright.reproducing.__main__ import RESULT, main
from enginewright.reproducing.surroundings import other_surroundings
from tests.explaining.tiny import WRITE, Tiny

LEAK = WRITE.replace('" ".join(words)', '" ".join([*words, {value} if out.endswith("disk/typed") else ""])')
"""The stage cast@disk also writes something of its surroundings."""


def told(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_what_depends_on_nothing_else_comes_out_the_same(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    out = told(capsys)
    assert out.endswith("passed: 6 of 6 artifacts have the same digest\n")
    assert "inputs that differ" not in out
    found = json.loads((tiny.path / RESULT).read_text())
    assert found["verdict"] == "passed"
    assert found["inputs_that_differ"] == []
    assert {row["state"] for row in found["outputs"]} == {"same"}


@pytest.mark.parametrize(
    "value",
    [
        '__import__("os").environ["TZ"]',
        "str(Path.cwd())",
        'str(hash("x"))',
    ],
)
def test_each_thing_that_leaks_into_an_artifact_is_found(
    tiny: Tiny, capsys: pytest.CaptureFixture[str], value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, here in (("TZ", "UTC"), ("LC_ALL", "C.UTF-8"), ("USER", "here")):
        monkeypatch.setenv(name, here)
    tiny.write("code/write.py", LEAK.replace("{value}", value))
    tiny.run("dvc", "repro", "--force")
    assert main([]) == 1
    assert "weights/disk/typed of cast@disk the first" in told(capsys)


def test_where_it_can_be_the_rebuild_is_another_users(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    if refused := other_surroundings(tiny.path, tiny.path).not_changed:
        pytest.skip(refused["user"])
    tiny.write("code/write.py", LEAK.replace("{value}", 'str(__import__("os").getuid())'))
    tiny.run("dvc", "repro", "--force")
    assert main([]) == 1
    out = told(capsys)
    assert "user nobody" in out
    assert "not changed" not in out


def test_edits_that_are_not_committed_are_built_too(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.write("code/export/a.py", "edited")
    tiny.write("code/export/new.py", "new")
    (tiny.path / "code" / "export" / "b.py").unlink()
    tiny.repro()
    assert main([]) == 0
    assert "inputs that differ" not in told(capsys)


def test_an_edit_since_the_last_run_is_told_as_another_input(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.write("code/export/a.py", "edited")
    assert main([]) == 1
    out = told(capsys)
    assert "inputs that differ, so that outputs may:" in out
    assert "code/export/a.py modified" in out


def test_measured_times_are_no_difference(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.write("code/write.py", WRITE.replace('"precision"', '"seconds": __import__("time").time(), "precision"'))
    tiny.run("dvc", "repro", "--force")
    assert main([]) == 0
    assert "same but for times, memory and reasons" in told(capsys)


def test_a_metric_whose_older_file_is_not_here_is_told_as_not_compared(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.write("code/write.py", WRITE.replace('"precision"', '"seconds": __import__("time").time(), "precision"'))
    tiny.run("dvc", "repro", "--force")
    shutil.rmtree(tiny.path / "metrics")
    shutil.rmtree(tiny.path / ".dvc" / "cache")
    assert main([]) == 0
    assert "passed: 6 of 6 artifacts have the same digest; 2 files were not compared" in told(capsys)


def test_an_artifact_whose_older_file_is_not_here_is_a_difference(tiny: Tiny) -> None:
    tiny.write("code/write.py", LEAK.replace("{value}", 'str(hash("x"))'))
    tiny.run("dvc", "repro", "--force")
    shutil.rmtree(tiny.path / "weights")
    shutil.rmtree(tiny.path / ".dvc" / "cache")
    assert main([]) == 1


def test_the_folder_is_kept_where_asked_for(tiny: Tiny, tmp_path: Path) -> None:
    assert main(["--folder", str(tmp_path / "again")]) == 0
    assert len(list((tmp_path / "again").glob("*/weights/disk/typed"))) == 1


def test_a_folder_in_use_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the folder is not empty"):
        main(["--folder", str(tmp_path)])


def test_nothing_to_compare_with_is_said(tiny: Tiny) -> None:
    (tiny.path / "dvc.lock").unlink()
    with pytest.raises(ConfigError, match="nothing to compare"):
        main([])


def test_a_rebuild_that_fails_shows_its_last_words(tiny: Tiny) -> None:
    tiny.write("code/write.py", "raise SystemExit('the stage is broken')")
    with pytest.raises(BuildError, match="the stage is broken"):
        main([])
