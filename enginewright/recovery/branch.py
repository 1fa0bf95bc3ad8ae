"""The branch, from which `dvc exp run` takes HEAD away while it works: killed, it leaves HEAD at a bare commit.

Commits made there would belong to no branch. The mark of it are DVC's own references below refs/exps/exec.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

_EXECUTING = "refs/exps/exec/"
_LEFT = re.compile(r"moving from (\S+) to")


def mend_branch() -> list[str]:
    """Put HEAD back on the branch that a killed `dvc exp run` took it from, where that is still the same commit."""
    if _git("symbolic-ref", "-q", "HEAD") or not _git("for-each-ref", _EXECUTING) or _at_work():
        return []
    branch, head = _branch(), _git("rev-parse", "HEAD")
    if branch is None or _git("rev-parse", "-q", "--verify", f"refs/heads/{branch}") != head:
        return ["HEAD is on no branch, since a dvc exp run was killed: git switch BRANCH brings it back"]
    _git("symbolic-ref", "-m", "back after a killed dvc exp run", "HEAD", f"refs/heads/{branch}")
    for line in _git("for-each-ref", "--format=%(refname)", _EXECUTING).splitlines():
        _git("update-ref", "-d", line)
    return [f"HEAD was left on no branch by a killed dvc exp run: it is back on {branch}"]


def _branch() -> str | None:
    """Return the branch that HEAD left last, by git's own log of HEAD; else the only one that is at this commit."""
    for line in _git("reflog", "show", "--format=%gs", "-n", "20", "HEAD").splitlines():
        if (found := _LEFT.search(line)) and _git("rev-parse", "-q", "--verify", f"refs/heads/{found[1]}"):
            return found[1]
    here = _git("for-each-ref", "--points-at", "HEAD", "--format=%(refname:short)", "refs/heads").splitlines()
    return here[0] if len(here) == 1 else None


def _at_work() -> bool:
    """Return whether a `dvc exp` runs in this folder right now; where the system does not tell, it may."""
    processes = [entry for entry in Path("/proc").glob("*") if entry.name.isdecimal()]
    return not processes or any(map(_is_experiment, processes))


def _is_experiment(process: Path) -> bool:
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
        return b"exp" in words and any(b"dvc" in word for word in words) and (process / "cwd").readlink() == Path.cwd()
    except OSError:
        return False


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], capture_output=True, text=True, check=False).stdout.strip()
