"""The peers' own environment: made at first use, with the pipeline's packages behind what the peers bring.

A file of paths (.pth) names a folder of links to the pipeline's packages: torch and ONNX are then the same for both
sides, and installed once. `python -m benchmarks.peers.environment` makes it.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
import venv
from pathlib import Path

from benchmarks.cost import run
from benchmarks.place import ROOT

FOLDER = ROOT / ".cache" / "peers"
REQUIREMENTS = ROOT / "requirements" / "peers.txt"
_LEFT_OUT = "torchvision"
"""The tests' packages bring one that cannot be imported beside a torch for processors alone. No peer needs it, but two
of Olive's dependencies import it where they find it."""

_INSTALLED = "installed.txt"


def peer_python(folder: Path = FOLDER) -> Path:
    """Return the interpreter of the peers' environment, making it where there is none of these requirements.

    Raises:
        CommandError: if they cannot be installed.
    """
    python = folder / "bin" / "python"
    wanted = REQUIREMENTS.read_bytes() + sys.version.encode()
    stamp = folder / _INSTALLED
    if not stamp.is_file() or stamp.read_bytes() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        _make(folder, python)
        stamp.write_bytes(wanted)
    return python


def _make(folder: Path, python: Path) -> None:
    venv.create(folder, with_pip=True)
    own = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    (folder / own / "pipeline.pth").write_text(f"{_shared(folder / 'pipeline')}\n", encoding="utf-8")
    pip = (str(python), "-m", "pip", "install", "--disable-pip-version-check", "-q", "-r", str(REQUIREMENTS))
    run(pip, ROOT, os.environ)


def _shared(folder: Path) -> Path:
    """Fill a folder with links to the pipeline's packages."""
    folder.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith(_LEFT_OUT):
            (folder / path.name).symlink_to(path)
    return folder


if __name__ == "__main__":
    print(peer_python())
