"""The command line of `python -m PACKAGE`, told by the docstring of its module."""

from __future__ import annotations

import argparse


def parser_of(package: str, told: str | None) -> argparse.ArgumentParser:
    """Return a parser that shows `told` as it is written, and takes options by their whole names only.

    What it does not know is the caller's, by `parse_known_args`: Hydra overrides.
    """
    return argparse.ArgumentParser(
        prog=f"python -m {package}",
        description=told,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
