"""The one error tree. Every message says what was wrong, what was expected, what was got and the cure."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from enginewright.quiet import be_quiet


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


class NotAllowedError(ConfigError):
    """A key or value that is right nowhere: a typo, a wrong type, a number out of range."""


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


class AttestationError(EnginewrightError):
    """A statement, a signature or a key that cannot be used or believed."""


class DataError(EnginewrightError):
    """Images or pairs that cannot be used."""


class RequirementError(EnginewrightError):
    """Something that this machine lacks."""


class OfflineError(EnginewrightError):
    """A stage that asked for the network and may not have it."""


class StorageError(EnginewrightError, OSError):
    """Something that the system did not let us store: the disk is full, or the folder read-only."""


class SweepError(EnginewrightError):
    """A sweep that cannot start, or cannot go on."""


ERROR_FILE = "ENGINEWRIGHT_ERROR_FILE"
"""Environment variable: a file that a command which ends with an error writes its kind and parts to, as JSON."""


def exit_with(main: Callable[[], int | None]) -> None:
    """Run a command; exit with the status that it returns, if any, and after printing a user's error with 1."""
    be_quiet()
    try:
        status = main()
    except EnginewrightError as error:
        print(f"error: {error}", file=sys.stderr)
        _record(error)
        sys.exit(1)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)  # so that whoever waits sees how this ended
    if status:
        sys.exit(status)


def _record(error: EnginewrightError) -> None:
    """Write the error for the program that ran this command, if it asked for that."""
    if path := os.environ.get(ERROR_FILE):
        from enginewright.artifacts import write_bytes

        parts = {name: None if part is None else str(part) for name, part in vars(error).items()}
        with suppress(OSError):  # the error itself was told
            write_bytes(Path(path), json.dumps({"kind": type(error).__name__, **parts}).encode())
