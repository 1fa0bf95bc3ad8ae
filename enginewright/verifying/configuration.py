"""params.yaml against conf/, and installed packages against requirements.lock."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from enginewright.config.params import read_networks
from enginewright.config.yaml_text import load_yaml
from enginewright.errors import ConfigError
from enginewright.verifying.checks import Check, failed, missing, passed

GROUP, PACKAGES = "configuration", "packages"
LOCK = "requirements.lock"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;#]+)$")


def check_params(root: Path) -> tuple[dict[str, Any] | None, list[Check]]:
    """Return the values of params.yaml, None where they cannot be used, and what is found of the file."""
    path = root / "params.yaml"
    if not path.is_file():
        return None, [missing(GROUP, path.name, "it was never composed", "make params")]
    try:
        read_networks(path, root / "conf")
        checks = [passed(GROUP, path.name)]
    except (ConfigError, UnicodeDecodeError) as error:
        what, cure = (error.what, error.cure) if isinstance(error, ConfigError) else (str(error), None)
        checks = [failed(GROUP, path.name, what, cure or "make params")]
    return _values(path), checks


def _values(path: Path) -> dict[str, Any] | None:
    try:
        values = load_yaml(path.read_bytes())
    except Exception:  # a file that is no YAML was told of by its check
        return None
    return values if isinstance(values, dict) and isinstance(values.get("networks"), dict) else None


def pins_in(lock: Path) -> dict[str, str]:
    """Return the version of each package that the lock pins."""
    return {found[1]: found[2] for line in _lines(lock) if (found := _PIN.match(line))}


def check_packages(root: Path) -> Iterator[Check]:
    """Yield a check for each package of the lock that is installed, and for each that the pipeline needs and is not."""
    lock = root / LOCK
    if not lock.is_file():
        yield missing(PACKAGES, LOCK, "it is not there")
        return
    needed = _needed(root / "requirements" / "run.txt")
    for line in _lines(lock):
        if not _PIN.match(line):
            yield failed(PACKAGES, f"{LOCK}: {line}", "it pins no version", "git checkout requirements.lock")
    yield from _missing_pins(needed, pins_in(lock))
    for name, pinned in pins_in(lock).items():
        yield from _package(name, pinned, needed)


def _package(name: str, pinned: str, needed: set[str]) -> Iterator[Check]:
    try:
        found = version(name)
    except PackageNotFoundError:
        if _normal(name) in needed:
            yield missing(PACKAGES, name, f"version {pinned} is pinned and it is not installed", "make setup")
        return
    if found.partition("+")[0] == pinned:  # a local build of it, such as torch's +cpu, is that version
        yield passed(PACKAGES, name)
    else:
        yield failed(PACKAGES, name, f"{LOCK} pins {pinned}, installed is {found}", "make setup")


def _missing_pins(needed: set[str], pins: Mapping[str, str]) -> Iterator[Check]:
    for name in sorted(needed - {_normal(pin) for pin in pins}):
        yield failed(PACKAGES, name, f"the pipeline needs it and {LOCK} does not pin it", "git checkout, or make lock")


def _lines(path: Path) -> list[str]:
    """Return the lines of a file of requirements without comments; what is no text stays one, and is no version."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _needed(requirements: Path) -> set[str]:
    names = (re.match(r"[A-Za-z0-9._-]+", line) for line in _lines(requirements) if not line.startswith("-"))
    return {_normal(name[0]) for name in names if name}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
