"""Files that somebody else may have put there, read whole: nothing that never ends, nothing beyond a size."""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path

_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
"""Without waiting: the other end of a pipe may never come."""

MOST_BYTES = 4 * 1024**3
"""No file that the pipeline reads is larger (4 GiB)."""


def read_input(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return the bytes of a regular file of at most `most` bytes; links to one are followed.

    Raises:
        OSError: if there is none, it is a folder, pipe, device or socket, it is larger, or its name cannot be one.
    """
    with open_input(path, most) as file:
        return file.read()


def open_input(path: Path, most: int = MOST_BYTES) -> io.FileIO:
    """Return the file, open for reading, that `read_input` reads.

    Raises:
        OSError: as `read_input` does.
    """
    try:
        file = io.FileIO(os.open(path, _OPEN), "rb")
    except ValueError as error:  # a name with a NUL
        raise OSError(errno.EINVAL, str(error), str(path)) from error
    found = os.fstat(file.fileno())
    if stat.S_ISREG(found.st_mode) and found.st_size <= most:
        return file
    file.close()
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    raise OSError(errno.EFBIG, f"it has {found.st_size} bytes, more than {most}", str(path))
