"""The command line of `python -m PACKAGE`, told by the docstring of its module."""

from __future__ import annotations

import argparse
import re


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


def at_least_one(text: str) -> int:
    """Return a number of things to do, for `add_argument(type=...)`.

    Raises:
        ArgumentTypeError: if it is none, or less than 1.
    """
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


def pattern(text: str) -> str:
    """Return a regular expression, for `add_argument(type=...)`.

    Raises:
        ArgumentTypeError: if it is none.
    """
    try:
        re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no regular expression: {error}") from error
    return text
