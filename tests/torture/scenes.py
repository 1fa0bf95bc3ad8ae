"""A stage in a checkout in which everything before it is built: run it, kill it, look at what is left."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from enginewright.reproducing.statements import NAME, everywhere
from enginewright.stage.commands import files_in
from enginewright.verifying.pipeline import steps_of
from tests.torture.forks import MARK, Ended, Fork, survivors

VOLATILE = ("seconds", "peak_mb")
"""Keys of metrics that no two runs share."""

OLD = b"what was there before"


@dataclass(frozen=True)
class Point:
    """A fault point that a stage passes, by itself or in a child."""

    stage: str
    name: str
    file: str
    by_child: bool


@dataclass(frozen=True)
class Scene:
    """A stage of one network: its module, its words, and its outputs by name."""

    name: str
    folder: Path
    words: tuple[str, ...]
    outputs: dict[str, Path]
    expected: dict[str, str] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """Return what every process of this scene carries."""
        return f"{self.name}-{os.getpid()}"

    def start(self, **environment: str) -> Fork:
        """Start the stage."""
        module = f"stages.{self.name.partition('@')[0]}"
        return Fork(self.folder, module, self.words, {MARK: self.mark, "ENGINEWRIGHT_WARM": "0", **environment})

    def run(self, **environment: str) -> Ended:
        """Run the stage to its end."""
        return self.start(**environment).wait()

    def learn(self, log: Path) -> tuple[list[Point], float]:
        """Run the stage undisturbed; return the points that it passes, and its seconds.

        What it writes is what every later run has to write.
        """
        log.unlink(missing_ok=True)
        self.reset(old=False)
        fork = self.start(ENGINEWRIGHT_FAULT=f"log:{log}")
        ended = fork.wait()
        assert ended.status == 0, f"{self.name}\n{ended.told}"
        self.expected.update({name: digest_of(path) for name, path in self.outputs.items()})
        rows = [line.split() for line in log.read_text(encoding="utf-8").splitlines()]
        points = [Point(self.name, name, file, int(process) != fork.process) for name, file, process in rows]
        return points, ended.seconds

    def reset(self, old: bool) -> None:
        """Lay out what is there before the stage: older outputs, or none, as DVC does it."""
        for path in self.outputs.values():
            remove(path)
            if old:
                _write_old(path, is_folder=self._is_folder(path))

    def _is_folder(self, path: Path) -> bool:
        return not path.suffix

    def wrong(self, may_be_missing: bool) -> list[str]:
        """Return each output that is neither the whole old one nor the whole new one."""
        return [
            f"{path.name} is neither old nor new"
            for name, path in self.outputs.items()
            if not (path.exists() or may_be_missing) or (path.exists() and digest_of(path) not in self._whole(name))
        ]

    def _whole(self, name: str) -> tuple[str, ...]:
        return self.expected[name], OLD_FOLDER if self._is_folder(self.outputs[name]) else OLD_FILE

    def alive(self) -> list[str]:
        """Return the processes that live on."""
        return [f"lives on: {command[:90]}" for command in survivors(self.mark)]

    def different(self) -> list[str]:
        """Return the outputs that are not those of a run that nothing disturbed."""
        return [
            f"{path.name} differs from an undisturbed run" if path.exists() else f"{path.name} is missing"
            for name, path in self.outputs.items()
            if not path.exists() or digest_of(path) != self.expected[name]
        ]

    def litter(self) -> list[str]:
        """Return temporary files beside the outputs and in the folder for them."""
        folders = {path.parent for path in self.outputs.values()} | {self.folder / ".cache" / "work"}
        folders |= {path for path in self.outputs.values() if path.is_dir()}
        return [f"left over: {path.name}" for folder in folders for path in folder.glob(".*.tmp")]


def scenes_of(folder: Path) -> Iterator[Scene]:
    """Yield every stage of the checkout, whose probe has run, in an order in which each finds its inputs."""
    params = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    yield Scene("probe", folder, ("probe",), {path.stem: path for path in (folder / "probe").glob("*.json")})
    for name, step in steps_of(folder / "dvc.yaml", params).items():
        if name != "probe":
            outputs = {key: folder / path for key, path in files_in(step.cmd)[1].items()}
            yield Scene(name, folder, _arguments(step.cmd), outputs)


def _arguments(command: str) -> tuple[str, ...]:
    """Return what follows `-m stages.NAME`."""
    words = shlex.split(command)
    return tuple(words[words.index("-m") + 2 :])


def digest_of(path: Path) -> str:
    """Return a digest of a file, or of all files of a folder, without what no two runs share; temporary files aside."""
    if path.is_dir():
        inside = sorted(found for found in path.rglob("*") if found.is_file() and not found.name.endswith(".tmp"))
        return hashlib.sha256("".join(f"{found.name} {digest_of(found)}" for found in inside).encode()).hexdigest()
    data = path.read_bytes()
    if path.suffix == ".json":
        with suppress(ValueError):  # cut short, or what was there before
            value = json.loads(data)
            lasting = everywhere(value) if path.name == NAME else _lasting(value)
            data = json.dumps(lasting, sort_keys=True).encode()
    return hashlib.sha256(data).hexdigest()


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lasting(inner) for key, inner in value.items() if key not in VOLATILE}
    return value


def remove(path: Path) -> None:
    """Remove a file or folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _write_old(path: Path, is_folder: bool) -> None:
    file = path / "old.png" if is_folder else path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(OLD)


OLD_FILE = hashlib.sha256(OLD).hexdigest()
OLD_FOLDER = hashlib.sha256(f"old.png {OLD_FILE}".encode()).hexdigest()
