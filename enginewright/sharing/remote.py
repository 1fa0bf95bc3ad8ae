"""Where the shared place is: checked before DVC's configuration names it."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from urllib.parse import urlsplit

from enginewright.config.check import address, without_secrets
from enginewright.errors import ConfigError, RequirementError

NAME = "shared"
"""What the remote is called in .dvc/config."""

_EXPECTED = "a folder, /mnt/share/enginewright, or a bucket, s3://BUCKET/PREFIX"


def checked(url: str, root: Path) -> str:
    """Return the address as DVC takes it; a folder is made if it is not there.

    Raises:
        ConfigError: if it is neither a folder nor a bucket, holds a password, or lies in the repository `root`.
        RequirementError: if a folder cannot be written, or a bucket's package is not installed.
    """
    parts = urlsplit(url)
    if parts.scheme == "s3" and parts.hostname:
        _refuse_password(without_secrets(url) != url)
        refuse_without_s3()
        return url.rstrip("/")
    if parts.scheme or not url:
        raise ConfigError(
            "no such kind of place",
            expected=_EXPECTED,
            got=without_secrets(url) or "nothing",
            cure="make remote URL=...",
        )
    return str(_folder(Path(url).expanduser().resolve(), root.resolve()))


def check_endpoint(url: str, endpoint: str) -> None:
    """Refuse an endpoint that is no address, or that a folder has no use for.

    Raises:
        ConfigError: for either, or for one that holds a password.
    """
    if not url.startswith("s3:"):
        raise ConfigError("a folder has no endpoint", expected="ENDPOINT with URL=s3://... alone", got=endpoint)
    _refuse_password(without_secrets(endpoint) != endpoint)
    address("ENDPOINT", endpoint)


def refuse_without_s3() -> None:
    """Refuse a bucket while the package that talks to it is missing.

    Raises:
        RequirementError: with the command that installs it.
    """
    if importlib.util.find_spec("dvc_s3") is None:
        raise RequirementError("dvc-s3, which S3 needs, is not installed", expected="dvc-s3", cure="make setup-s3")


def _refuse_password(found: bool) -> None:
    if found:
        raise ConfigError(
            "the address holds a user or a password, and .dvc/config is committed",
            expected="credentials as AWS tools take them: AWS_ACCESS_KEY_ID, AWS_PROFILE, ~/.aws",
            cure="leave them out of URL and ENDPOINT",
        )


def _folder(path: Path, root: Path) -> Path:
    if path.is_relative_to(root):
        raise ConfigError("the place lies in the repository", expected="a folder outside it", got=str(path))
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise RequirementError(
            f"the folder cannot be made: {error.strerror}", expected="an existing folder around it", got=str(path),
            cure="mount the share, or make the folder around it",
        ) from error  # fmt: skip
    if not os.access(path, os.W_OK):
        raise RequirementError("the folder cannot be written", got=str(path), cure="ask its owner")
    return path
