"""Statements and their verification on engines that were really built."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.e2e.test_docs import blocks
from tests.e2e.workspace import Workspace, ran

STATEMENT = "weights/disk/engine.intoto.json"


def verified(space: Workspace, *words: str) -> subprocess.CompletedProcess[str]:
    return space.run("python", "-m", "enginewright.verifying", *words, check=False)


def commit_in(space: Workspace) -> str:
    found = space.json(STATEMENT)["predicate"]["buildDefinition"]["resolvedDependencies"]
    return next(str(item["digest"]["gitCommit"]) for item in found if item["name"] == "source")


def test_a_build_is_verified_and_a_receiver_needs_nothing_but_its_folder(scratch: Workspace, tmp_path: Path) -> None:
    """In a clone without the library's state: the statement and the engines came from the cache."""
    found = verified(scratch)
    assert found.returncode == 0, found.stdout
    assert "failed: " not in found.stdout
    folder = tmp_path / "received"
    folder.mkdir()
    for path in (scratch.path / "weights" / "disk").glob("engine.*"):
        (folder / path.name).write_bytes(path.read_bytes())
    command = next(block for block in blocks("docs/provenance.md", "sh") if "sha256sum" in block)
    checked = subprocess.run(["bash", "-ec", command], cwd=folder, capture_output=True, text=True, check=False)
    assert checked.stdout.splitlines() == ["engine.plan: OK", "engine.json: OK"], checked.stderr
    (folder / "engine.plan").write_bytes(b"another")
    words = [sys.executable, "-m", "enginewright.verifying", "--folder", str(folder)]
    assert subprocess.run(words, cwd=scratch.path, capture_output=True, check=False).returncode == 1


def test_a_commit_without_a_change_runs_nothing_and_the_statement_stays_true(scratch: Workspace) -> None:
    before = (scratch.path / STATEMENT).read_bytes()
    (scratch.path / "notes.md").write_text("a note")
    scratch.commit("a note")
    assert scratch.repro() == ["probe"]
    assert (scratch.path / STATEMENT).read_bytes() == before
    ancestors = scratch.run("git", "rev-list", "HEAD").stdout.split()
    assert commit_in(scratch) in ancestors[1:]


def test_what_the_run_cache_restores_says_where_it_was_made(scratch: Workspace) -> None:
    """A statement is restored with its engine, and not made again by the machine that restores it."""
    before = (scratch.path / STATEMENT).read_bytes()
    scratch.run("git", "rm", "-q", "--cached", "dvc.lock")
    (scratch.path / "dvc.lock").unlink()
    for path in scratch.path.glob("weights/*/engine.*"):
        path.unlink()
    scratch.commit("without a lock")
    assert "attest@disk" not in ran(scratch.run("dvc", "repro", "attest@disk"))
    assert (scratch.path / STATEMENT).read_bytes() == before


def test_a_flipped_bit_in_the_cache_is_found_and_its_cure_mends_it(scratch: Workspace) -> None:
    """DVC itself says that everything is up to date, and would restore the damage."""
    lock = (scratch.path / "dvc.lock").read_text(encoding="utf-8")
    md5 = next(iter(re.findall(r"path: weights/disk/engine.plan\n\s+hash: md5\n\s+md5: (\w+)", lock)))
    cache = Path(scratch.run("dvc", "cache", "dir").stdout.strip())
    place = cache / "files" / "md5" / md5[:2] / md5[2:]
    good, mode = place.read_bytes(), place.stat().st_mode
    place.chmod(0o644)
    place.write_bytes(good[:100] + bytes([good[100] ^ 1]) + good[101:])
    place.chmod(mode)
    try:
        assert scratch.run("dvc", "status", "build@disk").stdout.startswith("Data and pipelines are up to date")
        found = verified(scratch)
        assert found.returncode == 1
        told = next(line for line in found.stdout.splitlines() if line.startswith("failed: cache"))
        assert "(weights/disk/engine.plan)" in told
        cure = found.stdout.partition(told)[2].partition("cure: ")[2].splitlines()[0]
        scratch.run("bash", "-ec", cure)
        assert place.read_bytes() == good
        assert verified(scratch).returncode == 0
    finally:
        if not place.exists() or place.read_bytes() != good:
            place.unlink(missing_ok=True)
            place.write_bytes(good)
            place.chmod(mode)


def test_a_statement_is_about_the_engine_that_lies_there(small: Workspace) -> None:
    statement = json.loads((small.path / STATEMENT).read_text(encoding="utf-8"))
    said = {item["name"]: item["digest"]["sha256"] for item in statement["subject"]}
    assert said == {
        Path(name).name: digest for name, digest in small.digests("weights/disk/*").items() if Path(name).name in said
    }
    assert statement["predicate"]["buildDefinition"]["internalParameters"]["host"]["cpus"] >= 1
