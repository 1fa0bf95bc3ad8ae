"""The source that lies in a checkout: its commit, and every file that differs from it, by digest.

A sweep's workers run in a clone without history. Its commit says in its message which commit of the user it stands for,
and which files differ from that one.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from enginewright.artifacts import sha256_of
from enginewright.lineage.commits import edited
from enginewright.lineage.locks import LOCKS

CODE = ("conf", "enginewright", "hydra_plugins", "machine", "networks", "requirements", "stages", "dvc.yaml")
"""Where a file that git does not track yet can still be part of a build."""

_STANDS_FOR = re.compile(r"^stands for: ([0-9a-f]{40,64})$", re.MULTILINE)
_DIFFERS = re.compile(r"^differs: (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """What code lies in a checkout.

    commit: None where there is no git. edits: SHA-256 of each file that differs from it, None where it was removed.
    """

    commit: str | None
    edits: Mapping[str, str | None]


def source_of(root: Path) -> Source:
    """Return the source of the checkout at `root`."""
    head = _git(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if head is None:
        return Source(None, {})
    message = _git(root, "log", "-1", "--format=%B") or ""
    origin, differing = _STANDS_FOR.search(message), set(_DIFFERS.findall(message))
    names = {*differing, *edited(root, CODE)} - set(LOCKS)
    return Source(origin[1] if origin else head.strip(), {name: _digest(root / name) for name in sorted(names)})


def message_of(commit: str, differing: Iterable[str]) -> str:
    """Return the lines that make a commit stand for another one, from which these files differ."""
    return "\n".join([f"stands for: {commit}", *(f"differs: {name}" for name in differing)])


def _digest(path: Path) -> str | None:
    return sha256_of(path) if path.is_file() else None


def _git(root: Path, *words: str) -> str | None:
    """Return what git says, None where it knows no repository. It takes no lock that a person's own git waits for."""
    try:
        found = subprocess.run(["git", "--no-optional-locks", *words], cwd=root, capture_output=True, check=False)
    except OSError:
        return None
    return found.stdout.decode(errors="surrogateescape") if found.returncode == 0 else None
