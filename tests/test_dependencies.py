"""Dependencies of stages on code and tools: all that a stage can import, and nothing that it cannot."""

from __future__ import annotations

import ast
from dataclasses import fields
from enum import Enum
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from enginewright.config import choices
from enginewright.config.network import SECTIONS
from enginewright.probing import TOOLS
from tests.dag import ROOT, TEMPLATE, Wired, params, raw, reached, sections, stage_files, stages, tree_of, wired

PLUMBING = (
    "enginewright/__init__.py",
    "enginewright/errors.py",
    "enginewright/adapter_code.py",
    "enginewright/artifacts.py",
    "enginewright/faults.py",
    "enginewright/heap.py",
    "enginewright/input_file.py",
    "enginewright/json_text.py",
    "enginewright/lifeline.py",
    "enginewright/memory_limit.py",
    "enginewright/progress.py",
    "enginewright/quiet.py",
    "enginewright/temporaries.py",
    "enginewright/verdicts.py",
    "enginewright/waiting.py",
    "enginewright/config/",
    "enginewright/stage/",
    "enginewright/warm/",
    "stages/__init__.py",
)
"""What every stage goes through and what cannot change what it writes: values, paths and refusals pass through it."""

COMMON = {"google", "numpy", "yaml"}
"""Modules that stages use for containers and arithmetic, whose versions dvc.yaml need not follow."""

HARMLESS = {
    ("build", "onnxruntime"): "imported by what compare and build share, called by compare alone",
    ("export", "safetensors"): "reads the checkpoint: the same tensors in every version",
}
"""Modules of single stages whose versions cannot change what they write, and why."""

ADAPTERS = "probe/adapter_"
"""What the probe files of adapters begin with: one for each file of networks/, whatever a user adds."""

MAKER = "probe/${item.maker}.json"
"""The tools that made an exported graph: an exporter's, or those of adopt or merge."""
MAKERS = ("onnxruntime", "simplifier_none")

STAGES = sorted(stages())
WIRED = wired()
NETWORKED = [item for item in WIRED if item.network]
DISTRIBUTIONS = packages_distributions()


def adapters(item: Wired) -> tuple[str, ...]:
    """Return the adapters that a stage loads for its network: its own, and its extractor's where it declares that."""
    networks = params()["networks"]
    feeding = networks[item.network]["extractor"]
    chosen = [item.network, *([feeding] if "extractor.model" in sections(item.name) else [])]
    return tuple(networks[name]["model"]["adapter"] for name in chosen)


def probe_files(dep: str) -> list[str]:
    """Return the probe files that a dependency can name: one for each choice of the key in its template."""
    found = TEMPLATE.search(dep)
    if not found or not dep.startswith("probe/") or dep.startswith(ADAPTERS):
        return [dep]
    if dep == MAKER:
        return [f"probe/{name}.json" for name in (*MAKERS, *(f"exporter_{one.name}" for one in choices.Exporter))]
    _, section, key = found[1].split(".")
    default = {item.name: item for item in fields(SECTIONS[section])}[key].default
    assert isinstance(default, Enum), f"{dep}: only a key with a fixed set of choices may name a file"
    return [TEMPLATE.sub(choice.name, dep) for choice in type(default)]


@pytest.mark.parametrize("item", [item for item in WIRED if item.name != "probe"], ids=str)
def test_every_module_that_a_stage_can_import_is_a_dependency(item: Wired) -> None:
    names = adapters(item) if item.network else ()
    files = reached(stage_files()[item.name], names, PLUMBING).files
    gaps = sorted(file for file in files if not item.covers(file))
    assert not gaps, f"add to deps of {item.name}: {gaps}"


@pytest.mark.parametrize("item", [item for item in WIRED if item.name != "probe"], ids=str)
def test_no_code_is_a_dependency_without_being_imported(item: Wired) -> None:
    loaded = tuple({name for other in NETWORKED if other.name == item.name for name in adapters(other)})
    files = reached(stage_files()[item.name], loaded).files
    code = [dep for dep in item.deps if (ROOT / dep).exists() and not dep.startswith(("probe", "weights", "metrics"))]
    code = [dep for dep in code if dep.endswith(".py") or (ROOT / dep / "__init__.py").is_file()]
    assert [dep for dep in code if not any(file == dep or file.startswith(f"{dep}/") for file in files)] == []


@pytest.mark.parametrize("name", [name for name in STAGES if name != "probe"])
def test_the_versions_of_the_tools_that_a_stage_uses_are_dependencies(name: str) -> None:
    stage = stage_files()[name]
    names = tuple({found for item in NETWORKED if item.name == name for found in adapters(item)})
    watched = {Path(file).stem for dep in raw(name).get("deps", []) for file in probe_files(dep)}
    if any("data.watch" in dep for dep in raw(name).get("deps", [])):
        watched.add("scikit_image")
    versions = {package for tool in watched & set(TOOLS) for package in TOOLS[tool]}
    gaps = [
        module
        for module in reached(stage, names, PLUMBING).others - COMMON
        if (name, module) not in HARMLESS
        and not {found.lower() for found in DISTRIBUTIONS.get(module, [module])} & versions
    ]
    assert not gaps, f"{name} uses {sorted(gaps)}, and no probe file among its deps holds their versions"


def test_every_exception_to_that_is_still_one() -> None:
    for name, module in HARMLESS:
        assert module in reached(stage_files()[name], (), PLUMBING).others, f"{name} no longer imports {module}"


def test_every_file_of_the_probe_has_a_stage_that_depends_on_it_and_there_is_one_for_every_choice() -> None:
    used = {file for name in STAGES for dep in raw(name).get("deps", []) for file in probe_files(dep)}
    used |= {params()["networks"][item.network]["data"]["watch"] for item in NETWORKED}
    tools = {file for file in used if file.startswith("probe/") and not file.startswith(ADAPTERS)}
    assert tools == {f"probe/{tool}.json" for tool in (*TOOLS, "gpu")}


@pytest.mark.parametrize("item", [item for item in NETWORKED if item.name in ("checkpoint", "swap", "export")], ids=str)
def test_the_packages_of_every_adapter_that_a_stage_loads_are_dependencies(item: Wired) -> None:
    assert {f"{ADAPTERS}{name}.json" for name in adapters(item)} <= set(item.deps)


def test_the_walk_sees_lazy_imports_child_processes_and_adapters() -> None:
    """A walk that missed these would call every dependency list complete."""
    build = reached(stage_files()["build"]).files
    assert {"enginewright/engine/worker.py", "enginewright/reference.py"} <= build
    swap = reached(stage_files()["swap"], ("disk",))
    assert {"networks/disk.py", "networks/layernorm.py", "enginewright/swapping/run_module.py"} <= swap.files
    assert "torch" in swap.others
    assert "networks/lightglue.py" not in swap.files


def test_a_file_that_loads_modules_by_a_computed_name_is_known_to_the_walk() -> None:
    loading = {
        path.relative_to(ROOT).as_posix()
        for folder in ("enginewright", "stages", "networks")
        for path in (ROOT / folder).rglob("*.py")
        if "importlib.import_module" in ast.unparse(tree_of(path)) or "__import__(" in ast.unparse(tree_of(path))
    }
    computed = {name for name in loading if any(is_computed(node) for node in ast.walk(tree_of(ROOT / name)))}
    assert computed <= {"networks/__init__.py"}


def is_computed(node: ast.AST) -> bool:
    """Return whether a call imports a module of the project whose name is put together at run time."""
    return (
        isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith("import_module")
        and isinstance(node.args[0], ast.JoinedStr)
    )


def test_every_choice_that_names_a_file_is_a_configured_enum() -> None:
    """Each templated probe file follows one of the enums of choices.py, so that no spelling can drift."""
    templated = [dep for name in STAGES for dep in raw(name).get("deps", []) if dep.startswith("probe/") and "$" in dep]
    templated = [dep for dep in templated if not dep.startswith(ADAPTERS) and dep != MAKER]
    assert templated
    for dep in templated:
        tool, choice = Path(probe_files(dep)[0]).stem.split("_", 1)
        assert any(choice in {item.name for item in cls} for cls in vars(choices).values() if is_enum(cls)), tool


def is_enum(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Enum) and value is not Enum
