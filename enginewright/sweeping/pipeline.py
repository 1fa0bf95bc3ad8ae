"""Single stages of dvc.yaml, without the rest: DVC's commands load the whole pipeline several times a step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from copy import deepcopy
from typing import Any

from dvc.dvcfile import PROJECT_FILE, load_file  # type: ignore[import-untyped]
from dvc.exceptions import DvcException  # type: ignore[import-untyped]
from dvc.repo import Repo  # type: ignore[import-untyped]
from dvc.stage import Stage  # type: ignore[import-untyped]


class Pipeline:
    """The stages of dvc.yaml as params.yaml makes them now.

    text: dvc.yaml, as `text_of` gives it. lock: entries of dvc.lock by stage; a stage without one counts as changed.
    """

    def __init__(self, repo: Repo, text: Mapping[str, Any], lock: Mapping[str, Any]) -> None:
        self._repo, self._lock = repo, lock
        file = load_file(repo, PROJECT_FILE)
        file.contents = deepcopy(text)
        self._stages = file.LOADER(file, file.contents, {"stages": dict(lock)})

    def stage(self, name: str) -> Stage:
        """Return one stage."""
        return self._stages[name]

    def check_out(self, paths: Iterable[str], from_remote: bool) -> None:
        """Make outputs of stages with an entry lie in the clone, fetched first if they are to come from the remote.

        Raises:
            DvcException: if one is nowhere.
        """
        wanted = set(paths)
        for out in self._outs_at(wanted):
            if from_remote:
                _moved(self._repo.cloud.pull, out)
            out.checkout(force=True)
            wanted.discard(out.def_path)
        if wanted:  # data that DVC tracks without a stage
            if from_remote:
                self._repo.fetch(sorted(wanted))
            self._repo.checkout(sorted(wanted), force=True)

    def _outs_at(self, paths: Set[str]) -> list[Any]:
        """Return the outputs at some paths, of stages with an entry; others are not filled in, which takes long."""
        made = {name: {row["path"] for row in entry.get("outs", ())} for name, entry in self._lock.items()}
        makers = (self._stages[name] for name, own in made.items() if own & paths)
        return [out for stage in makers for out in stage.outs if out.def_path in paths]


def text_of(repo: Repo) -> Mapping[str, Any]:
    """Return dvc.yaml, parsed and checked; nothing of it is filled in."""
    found: Mapping[str, Any] = load_file(repo, PROJECT_FILE).contents
    return found


def sent(repo: Repo, stage: Stage) -> None:
    """Send the outputs of a stage to the remote.

    Raises:
        DvcException: if one did not arrive.
    """
    for out in stage.outs:
        _moved(repo.cloud.push, out)


def _moved(way: Any, out: Any) -> None:
    for objects in out.get_used_objs().values():
        if failed := way(objects).failed:
            raise DvcException(f"{len(failed)} objects of {out} could not be moved to or from the remote")
