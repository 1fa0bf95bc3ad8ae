"""The pipeline's own commands, and the state of a clone between two of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cost import Cost, Done
from benchmarks.place import Place

SMALL = ("experiment=small", "compare=report", "match=report")
"""Overrides of a pipeline whose stages take seconds; its gates are open, as its inputs are too small to prove much."""

_COMPOSE = ("python", "-m", "enginewright.config.compose")
_REPRO = ("python", "-m", "enginewright.lifeline", "enginewright.recovery", "repro")
"""What `make repro` runs, set-up and make itself left out. Overrides, where there are any, follow after `--`."""

ONE_AT_A_TIME = {"ENGINEWRIGHT_WORKERS": "1"}
"""Variables of `make repro WORKERS=1`: by default independent stages run side by side."""

_LEFT = ("weights", "metrics", "plots", "probe", "report")
"""What stages write."""


def compose(place: Place, clone: Path, overrides: Sequence[str] = ()) -> Cost:
    """Compose params.yaml."""
    return place.run(clone, *_COMPOSE, *overrides).cost


def repro(
    place: Place, clone: Path, overrides: Sequence[str] = (), targets: Sequence[str] = (), **variables: str
) -> Done:
    """Do what `make repro` does; overrides are those of a configuration other than the default."""
    return place.run(clone, *_REPRO, *targets, "--", *overrides, **variables)


def ran(printed: str) -> list[str]:
    """Return the stages that DVC said it ran, the probe left out."""
    lines = (line for line in printed.splitlines() if line.startswith("Running stage '"))
    names = [line.split("'")[1] for line in lines]
    return [name for name in names if not name.endswith(":probe")]


def floor(place: Place, clone: Path, work: Path, stages: Sequence[str] = ()) -> tuple[Cost, dict[str, float]]:
    """Do the stages' work in one process, on the inputs that lie in the clone; return what each stage took.

    stages: names such as `export@disk`; all but the probe by default.
    """
    for name in _LEFT:
        if (clone / name).is_dir():
            shutil.copytree(clone / name, work / name)
    shutil.copy2(clone / "requirements.lock", work)
    done = place.run(clone, "python", "-m", "benchmarks.one_process", str(work), *stages)
    seconds: dict[str, float] = json.loads(done.printed.splitlines()[-1])
    shutil.rmtree(work)
    return done.cost, seconds


class Built:
    """A clone in which everything, or `targets`, was built once, and to which every change can be taken back."""

    def __init__(self, place: Place, name: str, overrides: Sequence[str] = (), targets: Sequence[str] = ()) -> None:
        self.place, self.overrides = place, tuple(overrides)
        self.path = place.clone(name)
        repro(place, self.path, self.overrides, targets)
        self._lock = (self.path / "dvc.lock").read_bytes()

    def repro(self, *overrides: str, targets: Sequence[str] = ()) -> Done:
        """Do what `make repro` does after a change of configuration."""
        return repro(self.place, self.path, (*self.overrides, *overrides), targets)

    def forget(self) -> None:
        """Take changes back, and forget what was run, so that the next change runs its stages once more."""
        (self.path / "dvc.lock").write_bytes(self._lock)
        compose(self.place, self.path, self.overrides)
        self.place.run(self.path, "dvc", "checkout", "-q", "--force", "--allow-missing")
        shutil.rmtree(self.path / ".dvc" / "cache" / "runs", ignore_errors=True)


_BUILT: dict[Path, Built] = {}


def built(place: Place, name: str, overrides: Sequence[str] = (), targets: Sequence[str] = ()) -> Built:
    """Return the built clone of that name, building it at the first call: parts share it."""
    path = place.folder / name
    if path not in _BUILT:
        _BUILT[path] = Built(place, name, overrides, targets)
    return _BUILT[path]
