"""`make report`: one page on a sweep, on GPU tables, on this checkout's run, or on what two runs differ in.

python -m enginewright.pages                               the newest sweep and the run of this checkout
python -m enginewright.pages --sweep opset_precision
python -m enginewright.pages --base main --revision my-experiment       commits, branches, experiments, workspace
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from enginewright.artifacts import write_bytes
from enginewright.errors import RequirementError, exit_with
from enginewright.pages.gather import gather
from enginewright.pages.page import page

FOLDER = Path("report")


def main(arguments: list[str]) -> None:
    """Write the page and say where it is."""
    options = _parser().parse_args(arguments)
    _require_renderer()
    content = gather(options.repository, options.sweep, options.base, options.revision)
    path = options.out or FOLDER / f"{_file_name(content.title)}.html"
    write_bytes(path, page(content).encode(errors="replace"))
    print(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m enginewright.pages",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--sweep", default="", help="name of a folder below sweeps/")
    parser.add_argument("--base", default="", help="the older of two runs: a revision, an experiment, or workspace")
    parser.add_argument("--revision", default="", help="the newer of two runs")
    parser.add_argument("--repository", type=Path, default=Path(), help="the repository; here by default")
    parser.add_argument("--out", type=Path, default=None, help="the file to write; below report/ by default")
    return parser


def _file_name(title: str) -> str:
    """Return a title as a file name that no shell or file system minds."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "report"


def _require_renderer() -> None:
    """Refuse before anything is read.

    Raises:
        RequirementError: if the plotting library is not installed.
    """
    try:
        import vl_convert  # noqa: F401
    except ImportError as error:
        raise RequirementError(
            "the page's plots cannot be drawn", expected="vl-convert-python", got=str(error), cure="make setup"
        ) from error


if __name__ == "__main__":
    exit_with(lambda: main(sys.argv[1:]))
