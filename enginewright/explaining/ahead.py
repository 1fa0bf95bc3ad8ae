"""What the next run would find that does not lie there yet: the probe's files, and params.yaml composed anew."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dvc.fs import LocalFileSystem  # type: ignore[import-untyped]
from dvc.repo import Repo  # type: ignore[import-untyped]

from enginewright.artifacts import json_bytes
from enginewright.config.composed import composed, params_text
from enginewright.config.params import read_networks
from enginewright.errors import ConfigError
from enginewright.explaining.changes import arrow
from enginewright.explaining.contents import PROBE
from enginewright.explaining.locked import Record
from enginewright.explaining.places import md5_of
from enginewright.explaining.values import leaves
from enginewright.probing import probe

PARAMS = Path("params.yaml")


class _WithParams(LocalFileSystem):  # type: ignore[misc]
    """The file system, with another text in the place of one file's."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__()
        self._path, self._text = path, text

    def open(self, path: str, mode: str = "r", **options: Any) -> Any:
        return io.StringIO(self._text) if Path(path).resolve() == self._path else super().open(path, mode, **options)


def repository() -> tuple[Repo, str]:
    """Return the repository here as the next run finds it, and what has to be said of that.

    A params.yaml that no stage would take is replaced, in memory, by what `make repro` composes.

    Raises:
        ConfigError: if conf/ does not compose.
    """
    repo = Repo()
    try:
        read_networks(PARAMS, Path("conf"))
    except ConfigError as error:
        repo.fs = _WithParams(PARAMS.resolve(), params_text(composed([])))
        return repo, f"{error.what}: shown is what make repro composes"
    return repo, ""


def probe_files() -> dict[str, bytes]:
    """Return what the probe, which runs first and every time, will write, by path."""
    return {f"{PROBE}{name}.json": json_bytes(facts) for name, facts in probe().items()}


def odd_probe_files(foreseen: Mapping[str, bytes], records: Mapping[str, Record]) -> Iterator[str]:
    """Yield a line on each probe file that is neither what stages ran with nor what this machine has.

    The probe writes it anew before any stage reads it.
    """
    for path, data in foreseen.items():
        recorded = {record.deps.get(path) for record in records.values()}
        lies = Path(path).read_bytes() if Path(path).is_file() else data
        if md5_of(lies) not in recorded | {md5_of(data)}:
            said = "is not what this machine has, so the probe writes it anew and no stage runs for it"
            yield f"{path} {said}{_how(lies, data)}"


def _how(lies: bytes, here: bytes) -> str:
    try:
        found = [f"{key} {arrow(*pair)}" for key, *pair in leaves(json.loads(lies), json.loads(here))]
    except ValueError:
        return ""
    return f": {', '.join(found)}"
