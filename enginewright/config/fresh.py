"""Whether params.yaml is what composing would write, told without Hydra, whose import takes longer than all else.

What composing depends on is all in one digest: the YAML files of conf/, this project's code, the packages that compose,
Python, and the overrides; it reads neither the environment nor other files. A file beside DVC's own state keeps the
digest of the last time and that of what came out.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from enginewright.artifacts import write_bytes

ROOT = Path(__file__).resolve().parents[2]
_CODE = ("enginewright", "hydra_plugins")
_PACKAGES = ("hydra-core", "omegaconf", "PyYAML", "antlr4-python3-runtime")
_ELSEWHERE = b"searchpath"
"""Hydra's word for folders of configuration other than conf/, whose files nobody here looks at."""


def source_digest(overrides: Sequence[str]) -> str | None:
    """Return the digest of all that composing conf/ with these overrides reads, None where not all of it is known.

    Take it before composing: an edit meanwhile is then seen by the next run.
    """
    digest = hashlib.sha256(json.dumps([sys.version, *map(version, _PACKAGES), *overrides]).encode())
    if any(_ELSEWHERE.decode() in override for override in overrides):
        return None
    for path, content in _files():
        if path.endswith(".yaml") and _ELSEWHERE in content:
            return None
        digest.update(f"{path}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def is_fresh(output: Path, source: str | None) -> bool:
    """Return whether `output` is what composing that source wrote, and would write again."""
    try:
        kept = json.loads(_stamp(output).read_text(encoding="utf-8"))
        return source is not None and kept == _facts(output, source)
    except (OSError, ValueError):
        return False


def remember(output: Path, source: str | None) -> None:
    """Note that `output` is what composing that source writes, where there is a folder for notes."""
    stamp = _stamp(output)
    if source is not None and stamp.parent.is_dir():
        write_bytes(stamp, json.dumps(_facts(output, source)).encode())


def _stamp(output: Path) -> Path:
    return output.parent / ".cache" / f"{output.name}.json"


def _facts(output: Path, source: str) -> dict[str, str]:
    return {"composed": source, "output": hashlib.sha256(output.read_bytes()).hexdigest()}


def _files() -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file that composing may read, in the order of their names."""
    found = [*(ROOT / "conf").rglob("*.yaml"), *(path for name in _CODE for path in (ROOT / name).rglob("*.py"))]
    for path in sorted(found):
        yield path.relative_to(ROOT).as_posix(), path.read_bytes()
