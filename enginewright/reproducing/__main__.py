"""`make reproduce`: build everything again in a fresh folder, by another user, and compare every digest.

python -m enginewright.reproducing [--folder FOLDER] [--keep]

The working tree as it lies there, uncommitted edits too, is built again with an empty cache, under another user (as
root; else only another name), home, locale, time zone, hash seed, umask and path. What dvc.lock says is what must come
out. Ends with 1 if an artifact has another digest, and says what differs, down to the node of a graph.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from dvc.repo import Repo  # type: ignore[import-untyped]

from enginewright.artifacts import write_json
from enginewright.command import parser_of
from enginewright.errors import ConfigError, exit_with
from enginewright.explaining.changes import Cases, Kind
from enginewright.explaining.compared import Records, compared, pipeline_order
from enginewright.explaining.contents import Contents
from enginewright.explaining.history import History
from enginewright.explaining.locked import lock_here
from enginewright.explaining.overview import overview
from enginewright.explaining.places import Cache, WorkingTree
from enginewright.reproducing.outputs import Files, Output
from enginewright.reproducing.rebuild import rebuilt
from enginewright.reproducing.told import as_json, lines

RESULT = Path("scratch/reproduce/result.json")
LOG = Path("scratch/reproduce/repro.log")


def main(arguments: Sequence[str]) -> int:
    """Rebuild, compare, tell; return the exit status.

    Raises:
        ConfigError: if nothing was built yet, or this is no git checkout.
        BuildError: if the rebuild fails.
    """
    parser = parser_of("enginewright.reproducing", __doc__)
    parser.add_argument("--folder", type=Path, help="where to build again; must be empty or not there")
    parser.add_argument("--keep", action="store_true", help="leave what was built there")
    options = parser.parse_args(arguments)
    root = Path.cwd()
    old = lock_here(root)
    _refuse_unbuilt(old)
    with ExitStack() as stack:
        folder = _folder(options.folder, options.keep, stack)
        place, surroundings = rebuilt(root, folder, LOG)
        new = lock_here(place)
        with Repo(str(root)) as repo:
            found, causes = _compared(repo, old, new, place)
    told = list(lines(found, surroundings, causes))
    print("\n".join(told))
    write_json(RESULT, as_json(found, surroundings, causes))
    return int(any(item.breach for item in found))


def _refuse_unbuilt(lock: Records) -> None:
    if not lock:
        raise ConfigError(
            "there is nothing to compare a rebuild with", expected="dvc.lock of a finished run", got="none",
            cure="make repro",
        )  # fmt: skip


def _folder(wanted: Path | None, keep: bool, stack: ExitStack) -> Path:
    """Return an empty folder; it is removed at the end unless it is to be kept."""
    if wanted is None and not keep:
        return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="enginewright-rebuild-")))
    folder = (wanted or Path(tempfile.mkdtemp(prefix="enginewright-rebuild-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ConfigError("the folder is not empty", expected="an empty folder, or none yet", got=str(folder))
    print(f"building in {folder}, which stays", file=sys.stderr)
    return folder


def _compared(repo: Repo, old: Records, new: Records, place: Path) -> tuple[list[Output], list[str]]:
    """Return every output of the stages that both runs have, and the inputs that differ, in words."""
    before = Contents(WorkingTree(repo), Cache(repo))
    names = [name for name in pipeline_order(new) if name in old]
    alone = [f"{name} is a stage of one of the two runs alone" for name in sorted(old.keys() ^ new.keys())]
    causes = _other_inputs(compared(old, new, Contents(before, History(Path(repo.root_dir)))))
    files = Files(before, place)
    found = [output for name in names for output in files.outputs(name, old[name], new[name])]
    return found, [*overview(causes), *alone]


def _other_inputs(cases: Cases) -> Cases:
    """Return the cases with what differs in code, parameters and tools alone: outputs are told one by one."""
    inputs = {
        name: replace(case, changes=tuple(change for change in case.changes if change.kind is not Kind.output))
        for name, case in cases.items()
    }
    return inputs if any(case.changes for case in inputs.values()) else {}


if __name__ == "__main__":
    exit_with(lambda: main(sys.argv[1:]))
