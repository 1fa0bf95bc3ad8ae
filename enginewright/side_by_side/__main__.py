"""`python -m enginewright.side_by_side repro ...`: as `python -m dvc repro ...`, independent stages side by side."""

from __future__ import annotations

import sys

from enginewright.errors import exit_with
from enginewright.side_by_side.program import run

if __name__ == "__main__":
    exit_with(lambda: run(sys.argv[1:]))
