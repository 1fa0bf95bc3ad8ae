"""The peers' own environment: made at first use, with the pipeline's packages behind what the peers bring.

A file of paths (.pth) names the pipeline's site-packages: torch and ONNX are then the same for both sides, and
installed once. `python -m benchmarks.peers.environment` makes it.
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
    (folder / own / "pipeline.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    pip = (str(python), "-m", "pip", "install", "--disable-pip-version-check", "-q", "-r", str(REQUIREMENTS))
    run(pip, ROOT, os.environ)


if __name__ == "__main__":
    print(peer_python())
