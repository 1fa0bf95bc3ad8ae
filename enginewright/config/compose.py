"""Composes conf/ into params.yaml, with the same bytes as DVC does: `python -m enginewright.config.compose`.

Options: `--check` writes nothing and fails if params.yaml is not what conf/ composes to; Hydra overrides follow. Where
nothing has changed since the last time, Hydra is not even imported (enginewright/config/fresh.py).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from enginewright.artifacts import write_bytes
from enginewright.config.fresh import ROOT, is_fresh, remember, source_digest
from enginewright.errors import ConfigError, exit_with
from enginewright.private_folders import keep_private


def differences(old: Any, new: Any, key: str = "") -> list[str]:
    """Return one line, `key: old -> new`, for each value that differs between two plain containers."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = dict.fromkeys([*old, *new])
        return [
            row for name in keys for row in differences(old.get(name), new.get(name), f"{key}.{name}" if key else name)
        ]
    return [] if old == new else [f"{key}: {old} -> {new}"]


def _report(path: Path, text: str) -> list[str]:
    from enginewright.config.yaml_text import load_yaml

    old = load_yaml(path.read_bytes()) if path.exists() else {}
    rows = differences(old, load_yaml(text))
    return [row for row in rows if not row.startswith("composed")]


def main(arguments: list[str]) -> int:
    """Compose, then write params.yaml or check it; say which values change."""
    parser = argparse.ArgumentParser(prog="compose", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if params.yaml is stale")
    parser.add_argument("--output", type=Path, default=Path("params.yaml"))
    parser.add_argument("overrides", nargs="*", help="Hydra overrides, such as precision=fp16")
    options = parser.parse_args(arguments)
    keep_private(ROOT)
    source = source_digest(options.overrides)
    if not is_fresh(options.output, source):
        _compose(options.output, options.overrides, options.check)
        remember(options.output, source)
    return 0


def _compose(output: Path, overrides: list[str], check: bool) -> None:
    from enginewright.config.composed import composed, params_text

    text = params_text(composed(overrides))
    if output.exists() and output.read_text(encoding="utf-8") == text:
        return
    for row in _report(output, text):
        print(f"params.yaml  {row}", file=sys.stderr)
    if check:
        raise ConfigError("params.yaml is not what conf/ composes to", cure="make params, or dvc exp run")
    write_bytes(output, text.encode())


if __name__ == "__main__":
    exit_with(lambda: main(sys.argv[1:]))
