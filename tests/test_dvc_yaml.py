"""dvc.yaml against the stages: commands, parameters and paths are what the code declares and reads."""

from __future__ import annotations

import ast
import re
import shlex
from configparser import ConfigParser
from pathlib import Path

import pytest
import yaml
from dvc.repo import Repo  # type: ignore[import-untyped]

from enginewright.config.models import ModelConfig
from enginewright.config.network import SECTIONS
from enginewright.lineage.paths import overlap
from tests.dag import ROOT, TEMPLATE, Wired, file_of, params, raw, sections, stage_files, stages, tree_of, wired

STAGES = sorted(stages())
WIRED = wired()
NETWORKED = [item for item in WIRED if item.network]

NAMES = ("key", "item.extractor", "item.features", "item.matcher")
"""Templates of commands that stand for networks."""
_KEYS = ("start", "first", "last", "maker", "simplify.tool", "cast.precision", "build.builder")
CHOSEN = tuple(f"item.{key}" for key in _KEYS)
"""Those that stand for files, one of a fixed set each: the list that they come from cannot be set by hand."""
TRACKED = ("requirements.lock",)
"""Inputs of stages that git tracks."""
WHOLE = {f"networks.${{{name}}}" for name in ("key", "item.extractor", "item.matcher")}
"""What a stage that reads whole networks depends on: its own, and those that have a part in it."""


def test_each_stage_has_one_file_of_its_name_and_each_file_is_a_stage() -> None:
    assert sorted(stage_files()) == STAGES


def test_dvc_itself_reads_the_same_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with Repo(config={"core": {"no_scm": True}}) as repo:
        loaded = {stage.addressing.rpartition(":")[2]: stage for stage in repo.index.stages}
    here = wired(yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8")))
    assert set(loaded) == {str(item) for item in here}
    for item in here:
        stage = loaded[str(item)]
        assert shlex.split(stage.cmd) == shlex.split(item.cmd)
        assert {Path(out.fs_path).relative_to(ROOT).as_posix() for out in stage.outs} == set(item.written)
        assert stage.wdir == str(ROOT)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_runs_as_a_module_of_this_checkout(name: str) -> None:
    assert raw(name)["cmd"].startswith(f"python -m stages.{name} ")


@pytest.mark.parametrize("name", STAGES)
def test_a_command_holds_no_free_string(name: str) -> None:
    assert set(TEMPLATE.findall(raw(name)["cmd"])) <= {*NAMES, *(CHOSEN if name == "attest" else ())}
    literal = TEMPLATE.sub("", raw(name)["cmd"])
    assert re.fullmatch(r"[\w\s./=-]*", literal), "the shell would read these characters"


@pytest.mark.parametrize("name", STAGES)
def test_the_parameters_are_the_sections_that_the_stage_declares(name: str) -> None:
    declared = {
        "networks.${item.extractor}.model" if section == "extractor.model" else f"networks.${{key}}.{section}"
        for section in sections(name)
        if section != "whole"
    } | (WHOLE if "whole" in sections(name) else set())
    listed = raw(name).get("params", [])
    assert len(listed) == len(set(listed))
    assert set(listed) == (declared if "foreach" in stages()[name] or name == "probe" else {"composed.networks"})


@pytest.mark.parametrize("name", [name for name in STAGES if name != "probe"])
def test_the_declared_sections_are_those_that_the_stage_reads(name: str) -> None:
    known = {cls.__name__: section for section, cls in SECTIONS.items()} | {ModelConfig.__name__: "model"}
    read = set()
    for node in ast.walk(tree_of(stage_files()[name])):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == "section":
                assert isinstance(node.args[0], ast.Name)
                read.add(known[node.args[0].id])
            elif node.func.attr == "extractor_model":
                read.add("extractor.model")
            elif node.func.attr == "whole":
                read.add("whole")
    assert read == set(sections(name))


@pytest.mark.parametrize("item", WIRED, ids=str)
def test_every_input_is_a_dependency_that_an_earlier_stage_writes(item: Wired) -> None:
    written = [path for other in WIRED if other.name != item.name for path in other.written]
    for given in item.paths("--in"):
        assert item.covers(given), f"add to deps of {item.name}: {given}"
        assert any(overlap(path, given) for path in written) or given in TRACKED, f"{given} is written by no stage"


@pytest.mark.parametrize("item", [item for item in WIRED if item.name != "probe"], ids=str)
def test_the_outputs_are_those_of_the_command(item: Wired) -> None:
    assert sorted(item.paths("--out")) == sorted(item.written)


@pytest.mark.parametrize("item", [item for item in WIRED if item.paths("--in")], ids=str)
def test_no_artifact_is_a_dependency_without_being_read(item: Wired) -> None:
    artifacts = {dep for dep in item.deps if dep.startswith(("weights", "metrics", "plots"))}
    assert artifacts <= set(item.paths("--in"))


@pytest.mark.parametrize("item", WIRED, ids=str)
def test_every_dependency_exists_or_is_written(item: Wired) -> None:
    written = {path for other in WIRED for path in other.written}
    for dep in item.deps:
        made = any(f"{dep}/".startswith(f"{path}/") or path.startswith(f"{dep}/") for path in written)
        assert made or (ROOT / dep).exists(), dep


def test_the_probe_writes_the_folder_that_its_files_are_looked_for_in() -> None:
    assert [*raw("probe")["outs"][0]] == ["probe"]
    assert raw("probe")["cmd"] == "python -m stages.probe probe"


def test_a_stage_that_can_say_not_run_depends_on_the_gpu() -> None:
    for name, path in stage_files().items():
        judges = {"not_run", "prove"} & {node.id for node in ast.walk(tree_of(path)) if isinstance(node, ast.Name)}
        if judges:
            assert "probe/gpu.json" in raw(name)["deps"], name


def test_only_the_probe_runs_every_time() -> None:
    assert [name for name in STAGES if raw(name).get("always_changed")] == ["probe"]


def test_every_artifact_and_metric_is_cached_so_that_the_run_cache_can_restore_it() -> None:
    for name in (name for name in STAGES if not raw(name).get("always_changed")):
        for kind in ("outs", "metrics", "plots"):
            for out in raw(name).get(kind, []):
                options = next(iter(out.values())) if isinstance(out, dict) else {}  # a path, or {path: options}
                assert options.get("cache", True), f"{name}: {out}"


def test_no_path_is_written_by_two_stages() -> None:
    written = [path for item in WIRED for path in item.written]
    assert len(written) == len(set(written))


def test_the_code_never_spells_a_path_of_dvc_yaml() -> None:
    for folder in ("enginewright", "stages", "networks"):
        for path in (ROOT / folder).rglob("*.py"):
            docstrings = {id(found) for node in ast.walk(tree_of(path)) if (found := docstring_of(node))}
            for node in ast.walk(tree_of(path)):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                    assert not node.value.startswith("weights/"), f"{path.name}: {node.value}"


def docstring_of(node: ast.AST) -> ast.Constant | None:
    """Return the constant of a statement that is a string and nothing else."""
    return node.value if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) else None


def test_names_in_commands_come_from_a_checked_set() -> None:
    """`key` and `item.extractor` reach the shell unquoted; composing refuses any other name."""
    for network, values in params()["networks"].items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", network)
        assert values["extractor"] in params()["networks"]
    for matcher, values in params()["matchers"].items():
        assert values["extractor"] == params()["networks"][matcher]["extractor"]
    for values in params()["engines"].values():
        assert {values["extractor"], values["matcher"]} <= set(params()["networks"])
        assert all(re.fullmatch(r"[a-z0-9_.]+", values[key]) for key in ("start", "first", "last", "maker"))


def test_files_named_in_deps_are_modules_that_python_finds() -> None:
    for item in WIRED:
        for dep in item.deps:
            if dep.endswith(".py"):
                assert file_of(dep.removesuffix(".py").replace("/", ".")) == ROOT / dep


def test_the_repositorys_dvc_settings() -> None:
    """Links would let a stage write into the cache; the default site cache is shared and unpickled."""
    config = ConfigParser()
    config.read_string((ROOT / ".dvc" / "config").read_text(encoding="utf-8").replace("    ", ""))
    assert config["cache"]["type"].strip('"') == "reflink,copy"
    assert config["core"]["site_cache_dir"] == ".cache/dvc-site"
    assert config["core"]["analytics"] == "false"
    assert config["core"]["autostage"] == "false"
    hydra = config["hydra"]
    assert (hydra["enabled"], hydra["config_dir"], hydra["config_name"]) == ("True", "conf", "config")
    assert hydra["plugins_path"] == "."
    assert (ROOT / "hydra_plugins").is_dir()
    assert not (ROOT / "hydra_plugins" / "__init__.py").exists(), "Hydra finds plugins in a namespace package only"


def test_dvc_ignores_what_python_writes_into_the_folders_of_code() -> None:
    """A dependency on a folder of code must not change when it is imported."""
    ignored = (ROOT / ".dvcignore").read_text(encoding="utf-8").split("\n")
    assert {"__pycache__", "*.pyc"} <= set(ignored)
