"""What must not reach an artifact, all changed at once: user, home, locale, time zone, hash seed, umask and path."""

from __future__ import annotations

import os
import pwd
import secrets
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_NOBODY = "nobody"
_ZONES = ("Pacific/Chatham", "America/St_Johns")
"""Zones whose offsets are no whole hours."""
_LOCALES = ("tr_TR.utf8", "de_DE.utf8", "C.utf8", "C")
"""By preference: in the first an upper-case i has a dot, in the second a number has a comma."""
_KEPT = ("PATH", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "CUDA_VISIBLE_DEVICES", "REQUIRE_GPU")
_KERNELS = ("MKL_CBWR", "ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA")
"""Which vector instructions torch computes with: kept too, for two machines that are to agree on them."""
_UMASK = 0o077


@dataclass(frozen=True)
class Surroundings:
    """How the rebuilding process differs from this one.

    told: what was changed, from what to what. not_changed: what could not be, and why. user: numbers of user and group
    to become, None to stay.
    """

    environment: Mapping[str, str]
    told: Mapping[str, str]
    not_changed: Mapping[str, str] = field(default_factory=dict)
    user: tuple[int, int] | None = None

    def start(self, command: Sequence[str], folder: Path) -> subprocess.Popen[str]:
        """Start a command in `folder`; its output and errors come together, as text."""
        user, group = self.user or (None, None)
        return subprocess.Popen(
            command,
            cwd=folder,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            umask=_UMASK,
            user=user,
            group=group,
            extra_groups=None if user is None else (),
        )

    def give(self, folder: Path) -> None:
        """Make everything in `folder` the other user's."""
        if self.user:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, *self.user, follow_symlinks=False)


def other_surroundings(folder: Path, downloads: Path) -> Surroundings:
    """Return surroundings unlike this process's, with home and temporary files in `folder`.

    downloads: the folder of fetched checkpoints, which the rebuild reads.
    """
    account, refused = _other_user()
    name = account.pw_name if account else "somebody-else"
    here = {"time zone": os.environ.get("TZ", ""), "locale": _locale_here(), "user": str(os.environ.get("USER", ""))}
    zone = next(zone for zone in _ZONES if zone != here["time zone"])
    locale, seed = _other_locale(here["locale"]), str(secrets.randbelow(2**32 - 1) + 1)
    environment = _kept() | {
        "HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"), "ENGINEWRIGHT_CACHE": str(downloads),
        "USER": name, "LOGNAME": name, "TZ": zone, "LC_ALL": locale, "LANG": locale, "PYTHONHASHSEED": seed,
    }  # fmt: skip
    told = {
        "user": name, "home": "an empty folder", "time zone": zone, "locale": locale, "hash seed": seed,
        "umask": f"{_UMASK:03o}",
    }  # fmt: skip
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    kept = {"user": refused} if refused else {}
    ids = (account.pw_uid, account.pw_gid) if account else None
    return Surroundings({**environment, "PATH": path}, told, kept, ids)


def _other_user() -> tuple[pwd.struct_passwd | None, str]:
    """Return an account to become, or None and why not."""
    if os.geteuid() != 0:
        return None, "only its name is another one: to become another user takes root"
    try:
        account = pwd.getpwnam(_NOBODY)
    except KeyError:
        return None, f"only its name is another one: there is no user {_NOBODY}"
    if not _can_import(account):
        return None, f"only its name is another one: {_NOBODY} may not read this Python's packages"
    return account, ""


def _can_import(account: pwd.struct_passwd) -> bool:
    """Return whether the account reaches this Python and its packages."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", "import dvc"],
            cwd="/",
            env={"HOME": "/", **_kept()},
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=(),
            capture_output=True,
            check=False,
        )
    except PermissionError:
        return False
    return done.returncode == 0


def _kept() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in (*_KEPT, *_KERNELS)}


def _locale_here() -> str:
    return os.environ.get("LC_ALL") or os.environ.get("LANG", "C")


def _other_locale(here: str) -> str:
    """Return a locale of this machine that is not the current one."""
    done = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=False)
    installed = {name.lower(): name for name in done.stdout.split()} | {"c": "C"}
    current = here.lower().replace("-", "")
    return next(installed[name.lower()] for name in _LOCALES if name.lower() in installed and name.lower() != current)
