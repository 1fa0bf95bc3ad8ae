"""Which packages the files of networks/ import beside torch, so that a new version of one runs their stages again."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path

_KNOWN = {*sys.stdlib_module_names, "torch", "numpy", "enginewright", "networks"}
"""Modules of Python, of this project, and of tools that have a probe file of their own."""


def adapter_versions(folder: Path) -> dict[str, dict[str, str | None]]:
    """Return for each adapter file in `folder` the version of every package that it imports, None where not installed.

    A file that does not parse has none: importing it will say why.
    """
    return {path.stem: _versions(path) for path in sorted(folder.glob("*.py")) if path.stem != "__init__"}


def _versions(path: Path) -> dict[str, str | None]:
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):  # ValueError: bytes of zero, until Python 3.12
        return {}
    return {name: _version(name) for name in sorted({*_imported(tree)} - _KNOWN)}


def _imported(tree: ast.AST) -> Iterator[str]:
    """Yield the top name of every module that is imported anywhere in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _version(module: str) -> str | None:
    """Return the version of the package that a module belongs to; most are named alike, and asking by name is quick."""
    try:
        return version(module)
    except PackageNotFoundError:
        packages = packages_distributions().get(module, [])
    return ", ".join(f"{package} {version(package)}" for package in sorted(set(packages))) or None
