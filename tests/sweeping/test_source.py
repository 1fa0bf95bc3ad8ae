"""What a sweep runs on, and that the user's checkout stays as it is."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from enginewright.attesting.source import source_of as attesting_source
from enginewright.errors import SweepError
from enginewright.sweeping import source
from enginewright.sweeping.experiments import Experiments, lock_text
from enginewright.sweeping.git import Git
from enginewright.sweeping.source import source_of
from tests.sweeping.checkouts import checkout, write


def state(root: Path) -> list[str]:
    """Return everything of a checkout that a sweep must leave alone."""
    git = Git(root)
    return [git("status", "--porcelain"), git("for-each-ref"), git("stash", "list"), git("ls-files", "--stage")]


def test_a_clean_checkout_is_its_commit(tmp_path: Path) -> None:
    root = checkout(tmp_path / "user", conf__a="1", dvc_lock="x")
    found = source_of(root, tmp_path)
    assert not found.dirty
    assert found.tree == Git(root)("rev-parse", "HEAD^{tree}")
    assert found.baseline == Git(root)("rev-parse", "HEAD")


def test_edits_and_new_files_are_carried_along_and_nothing_is_touched(tmp_path: Path) -> None:
    root = checkout(tmp_path / "user", conf__a="1", **{".gitignore": "/ignored\n"})
    write(root / "conf" / "a", "2")
    write(root / "conf" / "new", "3")
    write(root / "ignored", "4")
    before = state(root)
    found = source_of(root, tmp_path)
    assert found.dirty
    assert state(root) == before
    for origin, name in ((found.repository, "one"), (found.bundle, "other")):
        clone = tmp_path / name
        subprocess.run(["git", "clone", "-q", str(origin), str(clone)], check=True)
        assert (clone / "conf" / "a").read_text() == "2"
        assert (clone / "conf" / "new").read_text() == "3"
        assert not (clone / "ignored").exists()


def test_a_workers_clone_knows_which_commit_it_stands_for(tmp_path: Path) -> None:
    """Its own commit is known to nobody: statements that are made there have to name the user's."""
    root = checkout(tmp_path / "user", conf__a="1", conf__b="1")
    write(root / "conf" / "a", "2")
    found = source_of(root, tmp_path)
    subprocess.run(["git", "clone", "-q", str(found.repository), str(tmp_path / "clone")], check=True)
    attested = attesting_source(tmp_path / "clone")
    assert attested.commit == found.baseline
    assert attested.edits == {"conf/a": hashlib.sha256(b"2").hexdigest()}


def test_what_a_variant_replaces_is_no_edit(tmp_path: Path) -> None:
    root = checkout(tmp_path / "user", a="1", **{"params.yaml": "1", "dvc.lock": "1"})
    write(root / "params.yaml", "2")
    write(root / "dvc.lock", "2")
    assert not source_of(root, tmp_path).dirty


def test_a_repository_without_a_commit_is_refused(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / "user")], check=True)
    with pytest.raises(SweepError, match="git commit"):
        source_of(tmp_path / "user", tmp_path)


def test_forgotten_data_is_not_carried_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MOST_NEW_BYTES", 100)
    root = checkout(tmp_path / "user", a="1")
    write(root / "large", "x" * 101)
    with pytest.raises(SweepError, match=r"large.*\n.*dvc add large"):
        source_of(root, tmp_path)


def test_an_experiment_is_a_commit_on_the_baseline(tmp_path: Path) -> None:
    root = checkout(tmp_path / "user", a="1", conf__b="2")
    write(root / "a", "edited")
    before = state(root)
    experiments = Experiments(root, source_of(root, tmp_path), tmp_path)
    files = {"params.yaml": "p: 1\n", "metrics/x/.gitignore": "/m\n"}
    commit = experiments.save("s-p_1", files)
    git = Git(root)
    assert git("rev-parse", f"{commit}^") == git("rev-parse", "HEAD")
    assert git("show", f"{commit}:params.yaml") == "p: 1"
    assert git("show", f"{commit}:a") == "edited"
    assert git("ls-tree", "-r", "--name-only", commit).split() == ["a", "conf/b", "metrics/x/.gitignore", "params.yaml"]
    head = git("rev-parse", "HEAD")
    assert git("rev-parse", f"refs/exps/{head[:2]}/{head[2:]}/s-p_1") == commit
    assert experiments.save("s-p_1", files) == commit
    assert experiments.save("s-p_1", {**files, "params.yaml": "p: 2\n"}) != commit
    assert [line for line in state(root) if "refs/exps" not in line] == [before[0], *before[2:]]


def test_the_lock_is_in_the_order_of_dvc() -> None:
    found = lock_text({"b@x": {"cmd": "go", "params": {"params.yaml": {"z": 1e-05, "a": None}}}, "a@x": {"cmd": "to"}})
    assert found.splitlines()[:3] == ["schema: '2.0'", "stages:", "  b@x:"]
    assert found.index("        z:") < found.index("        a:")
