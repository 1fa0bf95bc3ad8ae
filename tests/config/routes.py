"""The two routes by which conf/ is composed: our own command, and DVC, in a process that knows nothing of us."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from enginewright.config.composed import composed, params_text
from enginewright.errors import ConfigError

ROOT = Path(__file__).parents[2]
CONF = ROOT / "conf"

_DVC = """
import json, sys
from pathlib import Path
from dvc.utils.hydra import compose_and_dump

assert not any(name.startswith("enginewright") for name in sys.modules), "only DVC may import the project"
root, asked = sys.argv[1], json.loads(sys.argv[2])

def words(error):
    while error is not None:
        yield str(error)
        error = error.__cause__

told = []
for number, (conf, overrides) in enumerate(asked):
    try:
        compose_and_dump(Path(f"{number}.yaml"), conf, None, "config", root, overrides)
        told.append("")
    except Exception as error:
        told.append(": ".join(words(error)))
print(json.dumps(told))
"""


@dataclass(frozen=True)
class Outcome:
    """What a composition came to: the text of params.yaml, or else what the user is told."""

    text: str | None
    told: str


def by_us(overrides: list[str], conf: Path = CONF) -> Outcome:
    """Compose as `python -m enginewright.config.compose` does."""
    try:
        return Outcome(params_text(composed(overrides, conf)), "")
    except ConfigError as error:
        return Outcome(None, str(error))


def by_dvc(folder: Path, asked: list[tuple[Path, list[str]]], plugins: Path = ROOT) -> list[Outcome]:
    """Compose each (conf, overrides) as DVC does before `dvc exp run`, all in one fresh process in `folder`.

    plugins: what `hydra.plugins_path` of .dvc/config names.
    """
    question = json.dumps([(str(conf), overrides) for conf, overrides in asked])
    command = [sys.executable, "-c", _DVC, str(plugins), question]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    files = [folder / f"{number}.yaml" for number in range(len(asked))]
    return [
        Outcome(file.read_bytes().decode() if file.exists() else None, told)
        for file, told in zip(files, json.loads(done.stdout.splitlines()[-1]), strict=True)
    ]


def conf_copy(folder: Path) -> Path:
    """Return a copy of conf/ that a test may change."""
    return Path(shutil.copytree(CONF, folder / "conf"))


def edited(conf: Path, file: str, old: str, new: str) -> Path:
    """Return `conf` after replacing `old` in one of its files, which must hold it."""
    text = (conf / file).read_text(encoding="utf-8")
    assert old in text, f"{file} does not hold {old}"
    (conf / file).write_text(text.replace(old, new), encoding="utf-8")
    return conf
