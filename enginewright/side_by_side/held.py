"""DVC locks a stage's files anew in each step that it takes with the stage; what is held already needs nothing more.

Each lock and each release reads and writes one file of all locks. Other processes of DVC find the same files locked as
before.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from dvc import rwlock  # type: ignore[import-untyped]

Edit = Callable[[], AbstractContextManager[dict[str, Any]]]

_USED = ("_edit_rwlock", "_check_blockers", "_acquire_read", "_acquire_write", "_release_read", "_release_write")


def lock_files_once() -> None:
    """Let this process lock a file only where none of its stages holds it. Its threads have to take turns at that."""
    if all(hasattr(rwlock, name) for name in _USED):
        rwlock.rwlock = _Held().locked


class _Held:
    """The files that this process holds, and how often it asked for each: for reading, and for writing."""

    def __init__(self) -> None:
        self._read: Counter[str] = Counter()
        self._write: Counter[str] = Counter()

    @contextmanager
    def locked(self, folder: str, fs: Any, cmd: str, *wanted: Any) -> Iterator[None]:
        """Hold files while the block runs, with the arguments and errors of DVC's `rwlock`."""
        read, write, hardlink = {*wanted[0]}, {*wanted[1]}, wanted[2]
        info, edit = {"pid": os.getpid(), "cmd": cmd}, partial(rwlock._edit_rwlock, folder, fs, hardlink)
        writing = [path for path in write if not self._write[path]]
        reading = [path for path in read if not self._write[path] and not self._read[path]]
        if reading or writing:
            with edit() as lock:
                rwlock._check_blockers(folder, lock, info, mode="write", waiters=reading + writing)
                rwlock._check_blockers(folder, lock, info, mode="read", waiters=writing)
                rwlock._acquire_read(lock, info, reading)
                rwlock._acquire_write(lock, info, writing)
        self._read.update(read)
        self._write.update(write)
        try:
            yield
        finally:
            self._read.subtract(read)
            self._write.subtract(write)
            self._release(edit, info, read, write)

    def _release(self, edit: Edit, info: dict[str, Any], read: set[str], write: set[str]) -> None:
        """Give back what nobody here asks for any more; what was written and is still read stays held for that."""
        written = [path for path in write if not self._write[path]]
        gone = [path for path in read if not self._read[path] and not self._write[path]]
        if written or gone:
            with edit() as lock:
                rwlock._acquire_read(lock, info, [path for path in written if self._read[path]])
                rwlock._release_write(lock, info, written)
                rwlock._release_read(lock, info, [path for path in gone if info in lock["read"].get(path, ())])
