"""dvc.yaml and the code behind it, read without running either: what a stage names, and what it imports."""

from __future__ import annotations

import ast
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from enginewright.config.composed import composed, params_text

ROOT = Path(__file__).parents[1]
PROJECT = ("enginewright", "networks", "stages")
TEMPLATE = re.compile(r"\$\{([^}]*)\}")
_DOTTED = re.compile(rf"({'|'.join(PROJECT)})(\.[a-z_]+)+")


@dataclass(frozen=True)
class Wired:
    """One stage of dvc.yaml for one network, templates filled in. `network` is empty where the stage has none."""

    name: str
    network: str
    cmd: str
    params: tuple[str, ...]
    deps: tuple[str, ...]
    written: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name}@{self.network}" if self.network else self.name

    def paths(self, option: str) -> list[str]:
        """Return the paths of the NAME=PATH words after `--in` or `--out`."""
        found, current = [], ""
        for word in shlex.split(self.cmd):
            current = word if word.startswith("--") else current
            if current == option and word != option:
                found.append(word.partition("=")[2])
        return found

    def covers(self, file: str) -> bool:
        """Return whether a dependency is this file, or a folder that holds it."""
        return any(file == dep or file.startswith(f"{dep}/") for dep in self.deps)


@cache
def stages() -> dict[str, dict[str, Any]]:
    """Return the stages as the two dvc.yaml write them."""
    files = [ROOT / "machine" / "dvc.yaml", ROOT / "dvc.yaml"]
    read = [yaml.safe_load(file.read_text(encoding="utf-8"))["stages"] for file in files]
    return {name: stage for found in read for name, stage in found.items()}


@cache
def params() -> dict[str, Any]:
    """Return what conf/ composes to; the params.yaml of this checkout may be that of an experiment."""
    found: dict[str, Any] = yaml.safe_load(params_text(composed([])))
    return found


def wired(values: Mapping[str, Any] | None = None) -> list[Wired]:
    """Return every stage for every network that it runs for, by `values` of params.yaml or those of conf/."""
    found = params() if values is None else values
    return [item for name, stage in stages().items() for item in _wired_stage(name, stage, found)]


def _wired_stage(name: str, stage: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[Wired]:
    if "foreach" not in stage:
        yield _wired(name, "", {}, stage)
        return
    for network, item in values[stage["foreach"].strip("${}")].items():
        yield _wired(name, network, item, stage["do"])


def _wired(name: str, network: str, item: Mapping[str, Any], raw: Mapping[str, Any]) -> Wired:
    def filled(*kinds: str) -> tuple[str, ...]:
        texts = [text for kind in kinds for text in raw.get(kind, [])]
        return tuple(fill(next(iter(text)) if isinstance(text, dict) else text, network, item) for text in texts)

    cmd = fill(raw["cmd"], network, item)
    return Wired(name, network, cmd, filled("params"), filled("deps"), filled("outs", "metrics", "plots"))


def fill(text: str, network: str, item: Mapping[str, Any]) -> str:
    """Return `text` with DVC's templates filled in."""

    def value(found: re.Match[str]) -> str:
        current: Any = {"item": item, "key": network}
        for part in found[1].split("."):
            current = current[part]
        return str(current)

    return TEMPLATE.sub(value, text)


def raw(name: str) -> dict[str, Any]:
    """Return one stage as its dvc.yaml writes it, without its `foreach`."""
    stage = stages()[name]
    found: dict[str, Any] = stage.get("do", stage)
    return found


def sections(name: str) -> tuple[str, ...]:
    """Return the sections that a stage declares; the probe reads none."""
    return () if name == "probe" else tuple(constant(stage_files()[name], "SECTIONS"))


def stage_files() -> dict[str, Path]:
    """Return every file of stages/ by its stage's name."""
    return {path.stem: path for path in sorted((ROOT / "stages").glob("*.py")) if path.stem != "__init__"}


@cache
def tree_of(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def constant(path: Path, name: str) -> Any:
    """Return the literal that a module assigns to `name`.

    Raises:
        KeyError: if it assigns none.
    """
    for node in tree_of(path).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(item, ast.Name) and item.id == name for item in node.targets
        ):
            return ast.literal_eval(node.value)
    raise KeyError(name)


def imports(path: Path, lazy: bool) -> Iterator[str]:
    """Yield the dotted names that a file imports or names in a string, but not those for the type checker alone.

    `from a import b` yields both a and a.b, since b may be a module. Without `lazy`, bodies of functions are left out.
    """
    pending: list[ast.AST] = [tree_of(path)]
    while pending:
        node = pending.pop()
        yield from _named(node)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            pending.extend(node.orelse)
        elif lazy or not isinstance(node, ast.FunctionDef):
            pending.extend(ast.iter_child_nodes(node))


def _named(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.module, "a relative import, which this walk does not follow"
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _DOTTED.fullmatch(node.value):
        yield node.value  # a module that a child process is started with


def file_of(module: str) -> Path | None:
    """Return the project's file of a module, None where the project has none of that name."""
    base = ROOT / module.replace(".", "/")
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


def _packages_of(path: Path) -> Iterator[Path]:
    """Yield the `__init__` files that run before a file of the project is imported."""
    folders = (ROOT / folder for folder in path.relative_to(ROOT).parents)
    return (folder / "__init__.py" for folder in folders if (folder / "__init__.py").is_file())


@dataclass(frozen=True)
class Reached:
    """What a stage can import: files of the project, relative to its root, and other top-level modules.

    A package's `__init__` that is imported for a module beside it counts by what it imports, not by itself.
    """

    files: frozenset[str]
    others: frozenset[str]


def reached(stage: Path, adapters: tuple[str, ...] = (), stop: tuple[str, ...] = ()) -> Reached:
    """Return what `stage` reaches by imports; paths that start with one of `stop` are left out, and what they import.

    adapters: files under networks/ that the registry loads by name, which no import statement shows.
    """
    done: set[tuple[Path, bool]] = set()
    others: set[str] = set()
    pending = [(stage, True)]
    while pending:
        path, lazy = pending.pop()
        if (path, lazy) in done or path.relative_to(ROOT).as_posix().startswith(stop):
            continue
        done.add((path, lazy))
        pending += [(package, False) for package in _packages_of(path)]
        if path == ROOT / "networks" / "__init__.py":
            pending += [(ROOT / "networks" / f"{adapter}.py", True) for adapter in adapters]
        names = set(imports(path, lazy))
        pending += [(found, True) for found in map(file_of, names) if found]
        others |= {name.partition(".")[0] for name in names} - {*PROJECT, *sys.stdlib_module_names}
    return Reached(frozenset(path.relative_to(ROOT).as_posix() for path, whole in done if whole), frozenset(others))
