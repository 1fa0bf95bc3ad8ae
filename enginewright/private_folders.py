"""DVC's own folders, kept private: it unpickles what lies there, so whoever can write to them can run code here.

DVC makes its site cache writable for everybody. It is closed before DVC is started by `make`, and by the first thing
that runs where DVC was started directly: its import of hydra_plugins/, and the probe.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from enginewright.errors import RequirementError

_AROUND = {".cache": ".cache/dvc-site", ".dvc": ".dvc/tmp"}
"""Each private folder by the one around it, which others may look into, but not write to: they could put another in its
place.
"""

_READABLE = stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH

_VARIABLE = "DVC_SITE_CACHE_DIR"
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def keep_private(root: Path) -> None:
    """Make the folders below the checkout `root` that DVC keeps pickles in, and close them to others.

    Whoever owns the checkout can change its code anyway, so may own them.

    Raises:
        RequirementError: for one that is a link, or that a third user owns, or owns something in.
    """
    owners = {os.getuid(), root.stat().st_uid}
    for around, private in _AROUND.items():
        if around == ".cache" or (root / around).exists():
            _close(root / around, _READABLE, owners)
            _close(root / private, stat.S_IRWXU, owners)
    if (elsewhere := os.environ.get(_VARIABLE)) and Path(elsewhere).is_dir():
        _close(Path(elsewhere), stat.S_IRWXU, owners)


def _close(path: Path, most: int, owners: set[int]) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners:
        _refuse(path, "a link or no folder" if not stat.S_ISDIR(found.st_mode) else f"owned by user {found.st_uid}")
    mode = stat.S_IMODE(found.st_mode)
    if not mode & ~most:
        return
    if mode & _OTHERS_WRITE:
        _refuse_foreign(path, owners)
    try:
        path.chmod(mode & most)
    except OSError as error:
        _refuse(path, f"mode {mode:o}, which cannot be changed: {error.strerror}")


def _refuse_foreign(path: Path, owners: set[int]) -> None:
    """Refuse a folder that was open to others and in which one of them has put something."""
    for folder, names, files in os.walk(path):
        for name in (*names, *files):
            if (Path(folder) / name).lstat().st_uid not in owners:
                _refuse(path, f"{name} in it, of another user, and mode {stat.S_IMODE(path.stat().st_mode):o}")


def _refuse(path: Path, got: str) -> None:
    raise RequirementError(
        f"{path} is not private, and DVC runs what pickles in it say",
        expected="a folder of your own that nobody else can write to",
        got=got,
        cure=f"rm -r {path}, which holds nothing but caches; see DVC_SITE_CACHE_DIR",
    )
