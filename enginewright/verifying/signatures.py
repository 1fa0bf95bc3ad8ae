"""Signatures of statements. Without a key nothing checks them; with one, every statement must have its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from enginewright.errors import AttestationError
from enginewright.signing.envelope import envelope_path, verify
from enginewright.signing.keys import public_key_of
from enginewright.verifying.checks import Check, failed, missing, passed

if TYPE_CHECKING:
    from securesystemslib.signer import SSlibKey

GROUP = "signatures"
SETTING = "enginewright.publickey"
"""The git setting that names the public key: `git config enginewright.publickey release.pem`."""


def demanded_key(given: str, root: Path) -> SSlibKey | None:
    """Return the public key that signatures must be of: the given file's, else that of the setting, else None.

    Raises:
        AttestationError: if the file is no public key.
    """
    path = given or _setting(root)
    return public_key_of(root / Path(path).expanduser()) if path else None


def _setting(root: Path) -> str:
    try:
        words = ["git", "config", "--get", SETTING]
        return subprocess.run(words, cwd=root, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def check_signature(statement: Path, name: str, key: SSlibKey | None) -> Iterator[Check]:
    """Yield what is found of one statement's signature; nothing where none is there and none is demanded."""
    if key is None:
        if envelope_path(statement).is_file():
            cure = f"make verify KEY=public.pem, or git config {SETTING} public.pem"
            yield missing(GROUP, name, "it is signed, and no key is given to check that by", cure)
        return
    try:
        verify(statement, key)
    except AttestationError as error:
        parts = [error.what, *(f"{what} {part}" for what in ("expected", "got") if (part := getattr(error, what)))]
        yield failed(GROUP, name, "; ".join(parts), error.cure or "")
    else:
        yield passed(GROUP, f"{name} by key {key.keyid}")
