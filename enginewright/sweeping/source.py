"""What a sweep runs on: the user's commit and their uncommitted edits, kept as one tree in a repository of its own.

The user's checkout, index and refs are only read. Edits are carried along, as DVC's own experiments do it, so that an
edited conf/ can be swept before it is committed; files that git ignores stay out.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from enginewright.attesting.source import message_of
from enginewright.errors import SweepError
from enginewright.lineage.locks import LOCKS
from enginewright.sweeping.git import Git

MOST_NEW_BYTES = 64 * 1024**2
"""Untracked files may hold this much: more is data that somebody forgot to ignore, or to give to DVC."""

_OWN = ("params.yaml", *LOCKS)
"""Files that a variant replaces or that the pipeline rewrites: a difference in them is no edit of the user's."""

BRANCH = "sweep"


@dataclass(frozen=True)
class Source:
    """A bare repository with one commit, without history, of the tree to run on.

    repository: its path; bundle: the same as one file, for workers that cannot reach the path. baseline: the commit of
    the user's repository that experiments hang on; tree: of what is run; dirty: whether the two differ.
    """

    repository: Path
    bundle: Path
    baseline: str
    tree: str
    dirty: bool


def source_of(root: Path, folder: Path) -> Source:
    """Write the checkout at `root` into `folder` and return it.

    Raises:
        SweepError: if `root` is no git checkout with a commit, or untracked files are too large.
    """
    user = Git(root)
    baseline = _baseline(user)
    _refuse_large(user, root)
    repository = folder / "source.git"
    shutil.rmtree(repository, ignore_errors=True)
    own = _borrowing(user, repository, root)
    tree = _tree(user, own, folder)
    changed = own("diff-tree", "-r", "--name-only", user("rev-parse", f"{baseline}^{{tree}}"), tree).splitlines()
    stands_for = message_of(baseline, sorted(set(changed) - set(_OWN)))  # for the statements: it has no history
    commit = own("commit-tree", "-m", "what the sweep runs on", "-m", stands_for, tree)
    own("update-ref", f"refs/heads/{BRANCH}", commit)
    own("symbolic-ref", "HEAD", f"refs/heads/{BRANCH}")
    bundle = folder / "source.bundle"
    own("bundle", "create", "-q", str(bundle), f"refs/heads/{BRANCH}", "HEAD")
    return Source(repository, bundle, baseline, tree, bool(set(changed) - set(_OWN)))


def _baseline(user: Git) -> str:
    try:
        return user("rev-parse", "--verify", "-q", "HEAD^{commit}")
    except SweepError as error:
        raise SweepError(
            "experiments need a commit to hang on",
            expected="a git repository with a commit",
            got="none",
            cure="git add -A && git commit -m start",
        ) from error


def _refuse_large(user: Git, root: Path) -> None:
    names = user("ls-files", "--others", "--exclude-standard", "-z").split("\0")
    sizes = {name: (root / name).lstat().st_size for name in names if name and (root / name).is_file()}
    if sum(sizes.values()) > MOST_NEW_BYTES:
        largest = max(sizes, key=lambda name: sizes[name])
        raise SweepError(
            "untracked files are too large to be carried along into every worker and experiment",
            expected=f"at most {MOST_NEW_BYTES // 1024**2} MiB",
            got=f"{sum(sizes.values()) / 1024**2:.0f} MiB, {largest} among them",
            cure=f"dvc add {largest}, or name it in .gitignore",
        )


def _borrowing(user: Git, repository: Path, root: Path) -> Git:
    """Return a bare repository that reads the user's objects and writes its own."""
    user("init", "-q", "--bare", str(repository))
    objects = (root / user("rev-parse", "--git-common-dir")).resolve() / "objects"
    (repository / "objects" / "info" / "alternates").write_text(f"{objects}\n", encoding="utf-8")
    exclude = objects.parent / "info" / "exclude"
    if exclude.is_file():
        shutil.copyfile(exclude, repository / "info" / "exclude")
    return Git(root, GIT_DIR=str(repository), GIT_WORK_TREE=str(root))


def _tree(user: Git, own: Git, folder: Path) -> str:
    """Return the tree of the checkout as it lies there, by a copy of the user's index."""
    index = folder / "source.index"
    index.unlink(missing_ok=True)
    found = user.path("index")
    if found.is_file():
        shutil.copy2(found, index)  # with its time: git doubts entries that are no older than their index
    adding = own.with_env(GIT_INDEX_FILE=str(index))
    adding("add", "-A")
    tree = adding("write-tree")
    index.unlink(missing_ok=True)
    return tree
