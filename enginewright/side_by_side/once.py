"""What DVC does again for each stage, done once: it parses params.yaml as often as there are stages."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

from dvc.dependency import param  # type: ignore[import-untyped]


def read_parameters_once() -> None:
    """Let this process parse a parameters file again only where the file has changed since."""
    load, read = param.load_path, param.read_param_file
    if getattr(load, "once", False):
        return
    known: dict[str, tuple[tuple[int, ...], Any]] = {}

    def load_once(path: str, fs: Any, **options: Any) -> Any:
        if options or fs.protocol != "local":
            return load(path, fs, **options)
        before = _state(path)
        if path not in known or known[path][0] != before:
            known[path] = before, load(path, fs)
        return known[path][1]

    def read_own(*arguments: Any, **options: Any) -> Any:
        """Return values that a stage may keep and change: those that were parsed are everybody's."""
        return deepcopy(read(*arguments, **options))

    load_once.once = True  # type: ignore[attr-defined]
    param.load_path, param.read_param_file = load_once, read_own


def _state(path: str) -> tuple[int, ...]:
    found = Path(path).stat()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
