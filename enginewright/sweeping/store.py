"""The user's DVC cache, and the remote where workers of other machines put what they made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dvc.exceptions import DvcException  # type: ignore[import-untyped]
from dvc.repo import Repo  # type: ignore[import-untyped]
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.transfer import transfer

from enginewright.errors import SweepError
from enginewright.explaining.places import Cache

SMALL_BYTES = 4 * 1024**2
"""Outputs up to this size, such as metrics, plots, records and the report, come from the remote to the user's cache."""


class Store:
    """Finds outputs of steps; with a remote, brings the small ones home.

    shared: whether workers share the user's cache. remote: else the name of a DVC remote, None for the default one.
    """

    def __init__(self, root: Path, shared: bool, remote: str | None) -> None:
        self._repo = Repo(str(root))
        self.cache = Path(self._repo.cache.legacy.path)
        self._kept = Cache(self._repo)
        self._name = None if shared else remote or self._repo.config["core"].get("remote")
        self._remote = None if shared else self._odb(self._name)
        self._known: set[str] = set()

    def stored(self, entry: Mapping[str, Any]) -> bool:
        """Return whether all outputs of an entry of dvc.lock are where workers will look for them."""
        if self._remote is None:
            return all(self._kept.has(str(out.get("md5", ""))) for out in entry.get("outs", ()))
        wanted = {str(out.get("md5")) for out in entry.get("outs", ())} - self._known
        self._known |= {oid for oid in wanted if self._remote.exists(oid)}
        return wanted <= self._known

    def bring(self, entries: Iterable[Mapping[str, Any]], most_bytes: float = SMALL_BYTES) -> None:
        """Copy outputs of at most so many bytes from the remote into the user's cache."""
        if self._remote is None:
            return
        outs = [out for entry in entries for out in entry.get("outs", ()) if out.get("size", 0) <= most_bytes]
        wanted = {HashInfo("md5", out["md5"]) for out in outs if not self._kept.has(out["md5"])}
        if wanted:
            transfer(self._remote, self._repo.cache.local, wanted, shallow=False)

    def text(self, entry: Mapping[str, Any], path: str) -> str | None:
        """Return the content of an output that is one file, None if it is not in the user's cache."""
        found = next((out for out in entry.get("outs", ()) if out["path"] == path), None)
        data = self._kept.content(path, found["md5"]) if found else None
        return None if data is None else data.decode()

    def config_text(self) -> str:
        """Return .dvc/config.local of a worker: the user's cache, or the remote with all that the user set for it."""
        if self._name is None:
            return f'[cache]\n    dir = "{self.cache}"\n'
        remote = self._repo.config["remote"][self._name]
        rows = [f"    {key} = {json.dumps(str(value))}" for key, value in remote.items() if value is not None]
        return "\n".join(["[core]", f"    remote = {self._name}", f"['remote \"{self._name}\"']", *rows, ""])

    def _odb(self, remote: str | None) -> Any:
        try:
            return self._repo.cloud.get_remote_odb(remote, "sweep", hash_name="md5")
        except DvcException as error:
            raise SweepError(
                f"workers on other machines meet in a DVC remote, and this one cannot be used: {error}",
                expected=", ".join(sorted(self._repo.config["remote"])) or "a remote that `dvc remote list` shows",
                got=remote or "no default remote",
                cure="dvc remote add --local sweeps FOLDER_OR_ADDRESS, then REMOTE=sweeps",
            ) from error
