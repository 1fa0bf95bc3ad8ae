"""A commit or an experiment beside what lies here."""

from __future__ import annotations

import subprocess
from pathlib import Path

from dvc.exceptions import DvcException  # type: ignore[import-untyped]
from dvc.repo import Repo  # type: ignore[import-untyped]
from dvc.scm import resolve_rev  # type: ignore[import-untyped]
from scmrepo.exceptions import SCMError

from enginewright.errors import ConfigError
from enginewright.explaining.changes import Case
from enginewright.explaining.compared import compared
from enginewright.explaining.contents import Contents
from enginewright.explaining.history import History
from enginewright.explaining.locked import lock_at, lock_here
from enginewright.explaining.places import Cache, WorkingTree

HERE = "here"


def between(repo: Repo, rev: str) -> tuple[str, str, dict[str, Case], list[str]]:
    """Return the names of the older and the newer lock, the cases of the newer one, and all its stages.

    The lock here is the newer one where `rev` lies in its past: why did stages run since. Otherwise `rev` is, an
    experiment or another branch: why did they run there.

    Raises:
        ConfigError: if there is no such commit or experiment.
    """
    root = Path(repo.root_dir)
    commit = commit_of(repo, rev)
    there, here = lock_at(root, commit), lock_here(root)
    name = f"{rev} ({commit[:10]})" if rev != commit[:10] else rev
    contents = Contents(WorkingTree(repo), Cache(repo), History(root))
    if _is_past(root, commit):
        return name, HERE, compared(there, here, contents), list(here)
    return HERE, name, compared(here, there, contents), list(there)


def commit_of(repo: Repo, rev: str) -> str:
    """Return the commit of a branch, a tag, an abbreviated commit or an experiment.

    Raises:
        ConfigError: if there is none.
    """
    try:
        return str(resolve_rev(repo.scm, rev))
    except (DvcException, SCMError) as error:
        raise ConfigError(
            f"{rev} is no commit and no experiment", expected="what git log or make exps shows", got=rev
        ) from error


def _is_past(root: Path, commit: str) -> bool:
    found = subprocess.run(
        ["git", "merge-base", "--is-ancestor", commit, "HEAD"], cwd=root, capture_output=True, check=False
    )
    return found.returncode == 0
