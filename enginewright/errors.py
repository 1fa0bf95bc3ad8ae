"""The one error tree. Every message says what was wrong, what was expected, what was got and the cure."""

from __future__ import annotations

import sys
from collections.abc import Callable


class EnginewrightError(Exception):
    """Base of every error that a user can cause and mend.

    Args:
        what: what was wrong, in one sentence.
        expected: what would have been right.
        got: what was found instead.
        cure: what the user can do about it.
    """

    def __init__(
        self,
        what: str,
        *,
        expected: object = None,
        got: object = None,
        cure: str | None = None,
    ) -> None:
        self.what, self.expected, self.got, self.cure = what, expected, got, cure
        rows = [("expected", expected), ("got", got), ("cure", cure)]
        super().__init__("\n".join([what, *(f"  {name}: {text}" for name, text in rows if text is not None)]))


class ConfigError(EnginewrightError):
    """A configuration value that no stage can work with."""


class CheckpointError(EnginewrightError):
    """Weights that could not be fetched, or are not the weights that were asked for."""


class NetworkError(EnginewrightError):
    """An unknown network, or one whose module breaks the contract of its kind."""


class GraphError(EnginewrightError):
    """An ONNX graph that is broken, or is not what was asked for."""


class CompareError(EnginewrightError):
    """A comparison that found a breach, or that would prove nothing."""


class BuildError(EnginewrightError):
    """An engine that could not be built, or must not be loaded."""


class DataError(EnginewrightError):
    """Images or pairs that cannot be used."""


class RequirementError(EnginewrightError):
    """Something that this machine lacks."""


def exit_with(main: Callable[[], int | None]) -> None:
    """Run a command; exit with the status that it returns, if any, and after printing a user's error with 1."""
    try:
        status = main()
    except EnginewrightError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    if status:
        sys.exit(status)
