"""Results through a folder, between two clones with caches of their own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from enginewright.errors import EnginewrightError
from enginewright.sharing.__main__ import main
from tests.explaining.tiny import PARAMS, SECOND, Tiny

ROOT = Path(__file__).parents[2]


def share(tiny: Tiny, *words: str) -> str:
    """Run a command of this checkout in the project."""
    return tiny.run("env", f"PYTHONPATH={ROOT}", "python", "-m", "enginewright.sharing", *words)


def refused(tiny: Tiny, *words: str) -> str:
    """Return what a command that must fail says."""
    told = tiny.run(
        "sh", "-c", f'PYTHONPATH="{ROOT}" python -m enginewright.sharing "$@" && echo went well; true', "sh", *words
    )
    assert "went well" not in told
    assert "Traceback" not in told
    return told


@pytest.fixture
def shared(mine: Tiny, tmp_path: Path) -> Path:
    """Return a folder that the project's results were pushed to."""
    told = share(mine, "remote", str(tmp_path / "place"))
    assert "commit .dvc/config" in told
    mine.commit()
    share(mine, "push")
    return tmp_path / "place"


def test_a_colleague_pulls_everything_and_runs_nothing(mine: Tiny, shared: Path, cloned: Callable[[], Tiny]) -> None:
    theirs = cloned()
    assert not (theirs.path / "weights/disk/typed").exists()
    share(theirs, "pull")
    for name in ("weights/disk/typed", "metrics/disk/cast.json", "report"):
        assert (theirs.path / name).read_bytes() == (mine.path / name).read_bytes()
    assert theirs.repro() == (set(), set())
    assert theirs.run("git", "status", "--porcelain") == ""


def test_a_configuration_that_only_the_other_ran_is_restored(
    mine: Tiny, shared: Path, cloned: Callable[[], Tiny]
) -> None:
    mine.write("params.yaml", PARAMS.replace("17", "18") + SECOND)
    mine.repro()
    mine.write("params.yaml", PARAMS + SECOND)
    mine.repro()
    assert "objects of experiments and earlier runs pushed" in share(mine, "push", "--all")
    theirs = cloned()
    share(theirs, "pull")
    theirs.write("params.yaml", PARAMS.replace("17", "18") + SECOND)
    told = theirs.run("dvc", "repro", "--pull")
    assert "Running stage" not in told
    assert "disk 18 first" in (theirs.path / "weights/disk/exported").read_text()


def test_another_tool_version_there_runs_what_depends_on_it(shared: Path, cloned: Callable[[], Tiny]) -> None:
    theirs = cloned()
    share(theirs, "pull")
    theirs.write("probe/exporter.json", '{"onnx": "1.20.0", "torch": "2.13.0"}')
    assert theirs.repro()[0] == {"export@disk", "export@lightglue"}


def test_what_was_damaged_in_the_folder_is_refused(shared: Path, cloned: Callable[[], Tiny]) -> None:
    for path in (shared / "files").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(b"damaged")
    assert "failed" in refused(cloned(), "pull")


def test_an_edited_output_is_not_lost_by_pulling(shared: Path, cloned: Callable[[], Tiny]) -> None:
    theirs = cloned()
    share(theirs, "pull")
    theirs.write("weights/disk/typed", "edited, and nowhere else")
    assert "dvc checkout failed" in refused(theirs, "pull")
    assert (theirs.path / "weights/disk/typed").read_text() == "edited, and nowhere else"


def test_pushing_an_uncommitted_lock_says_so(mine: Tiny, shared: Path) -> None:
    assert "commit" not in share(mine, "push")
    mine.write("params.yaml", PARAMS.replace("17", "18") + SECOND)
    mine.repro()
    assert "commit dvc.lock: other clones fetch what the committed one names" in share(mine, "push")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("push",), "no place to share through is named"),
        (("pull",), "cure: make remote URL="),
        (("remote", "https://host/place"), "no such kind of place"),
        (("remote", ""), "expected: a folder"),
        (("remote", "s3://"), "no such kind of place"),
        (("remote", "inside"), "lies in the repository"),
        (("remote", "/nowhere/at/all"), "mount the share"),
        (("remote", "/anywhere", "--endpoint", "http://host"), "a folder has no endpoint"),
        (("remote", "s3://bucket/x", "--endpoint", "host:9000"), "ENDPOINT is no address"),
        (("remote", "s3://bucket/x", "--endpoint", "https://me:word@host"), "holds a user or a password"),
        (("remote", "s3://me:word@bucket/x"), "holds a user or a password"),
    ],
)
def test_what_cannot_be_a_place_is_refused_and_nothing_written(
    mine: Tiny, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], says: str
) -> None:
    monkeypatch.chdir(mine.path)
    before = (mine.path / ".dvc/config").read_bytes()
    with pytest.raises(EnginewrightError, match=says):
        main(words)
    assert (mine.path / ".dvc/config").read_bytes() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="needs a user who may not write everywhere")
def test_a_folder_that_cannot_be_written_is_refused(mine: Tiny, tmp_path: Path) -> None:
    (tmp_path / "place").mkdir(mode=0o500)
    assert "cannot be written" in refused(mine, "remote", str(tmp_path / "place"))
