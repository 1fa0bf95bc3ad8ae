"""dvc.yaml and the code behind it, read without running either: what a stage names, and what it imports."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
TEMPLATE = re.compile(r"\$\{([^}]*)\}")


@dataclass(frozen=True)
class Wired:
    """One stage of dvc.yaml for one network, templates filled in. `network` is empty where the stage has none."""

    name: str
    network: str
    cmd: str
    params: tuple[str, ...]
    deps: tuple[str, ...]
    written: tuple[str, ...]

    def paths(self, option: str) -> list[str]:
        """Return the paths of the NAME=PATH words after `--in` or `--out`."""
        words, found, current = shlex.split(self.cmd), [], ""
        for word in words:
            current = word if word.startswith("--") else current
            if current == option and word != option:
                found.append(word.partition("=")[2])
        return found

    def covers(self, file: str) -> bool:
        """Return whether a dependency is this file, or a folder that holds it."""
        return any(file == dep or file.startswith(f"{dep}/") for dep in self.deps)


@cache
def raw_stages() -> dict[str, dict[str, Any]]:
    """Return the stages of dvc.yaml as they are written, without `foreach`."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    return {name: stage.get("do", stage) for name, stage in stages.items()}


@cache
def params() -> dict[str, Any]:
    """Return params.yaml."""
    values: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    return values


def wired() -> Iterator[Wired]:
    """Yield every stage for every network that it runs for."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    for name, stage in stages.items():
        if "foreach" not in stage:
            yield _wired(name, "", {}, stage)
            continue
        for network, item in params()[TEMPLATE.fullmatch(stage["foreach"])[1]].items():
            yield _wired(name, network, item, stage["do"])


def _wired(name: str, network: str, item: Mapping[str, Any], raw: Mapping[str, Any]) -> Wired:
    def filled(texts: list[Any]) -> tuple[str, ...]:
        return tuple(fill(next(iter(text)) if isinstance(text, dict) else text, network, item) for text in texts)

    written = [text for kind in ("outs", "metrics", "plots") for text in raw.get(kind, [])]
    cmd = fill(raw["cmd"], network, item)
    return Wired(name, network, cmd, filled(raw.get("params", [])), filled(raw.get("deps", [])), filled(written))


def fill(text: str, network: str, item: Mapping[str, Any]) -> str:
    """Return `text` with DVC's templates filled in."""

    def value(found: re.Match[str]) -> str:
        if found[1] == "key":
            return network
        current: Any = {"item": item}
        for part in found[1].split("."):
            current = current[part]
        return str(current)

    return TEMPLATE.sub(value, text)


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
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            return ast.literal_eval(node.value)
    raise KeyError(name)


def imports(path: Path, lazy: bool = True) -> Iterator[str]:
    """Yield the dotted names that a file imports or names in a string, but not those for the type checker alone.

    `from a import b` yields both a and a.b, since b may be a module. Without `lazy`, functions are left out.
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


def packages_of(path: Path) -> Iterator[Path]:
    """Yield the `__init__` files that run before a file of the project is imported."""
    for folder in path.relative_to(ROOT).parents:
        if (ROOT / folder / "__init__.py").is_file():
            yield ROOT / folder / "__init__.py"


@dataclass(frozen=True)
class Reached:
    """What a stage can import: files of the project, relative to its root, and other top-level modules."""

    files: frozenset[str]
    others: frozenset[str]


def reached(stage: Path, adapters: frozenset[str], stop: tuple[str, ...]) -> Reached:
    """Return what `stage` reaches by imports; files below `stop` are left out, with what only they import.

    adapters: files under networks/ that the registry loads by name, which no import statement shows.
    """
    files, others, pending = set(), set(), [stage]
    while pending:
        path = pending.pop()
        name = path.relative_to(ROOT).as_posix()
        if name in files or name.startswith(stop):
            continue
        files.add(name)
        if path == ROOT / "networks" / "__init__.py" and _is_used(path, stage):
            pending.extend(ROOT / "networks" / f"{adapter}.py" for adapter in adapters)
        for module in imports(path):
            found = file_of(module)
            if found:
                pending.append(found)
            elif module.partition(".")[0] not in (*PROJECT, *sys.stdlib_module_names):
                others.add(module.partition(".")[0])
    return Reached(frozenset(files), frozenset(others))
