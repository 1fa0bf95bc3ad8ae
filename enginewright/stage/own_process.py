"""A stage that reads what somebody else made, in a process of its own: what crashes the reader becomes an error."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable

from enginewright.errors import DataError
from enginewright.lifeline import end_with


def in_own_process(work: Callable[[], object], what: str) -> int:
    """Run `work` in a fork, which ends with this process, and return its exit status.

    what: that it reads, for the error. ONNX, ONNX Runtime, torch and Pillow parse in C++, where a file that they did
    not expect can end the process, and the kernel ends one that takes all memory.

    Raises:
        DataError: if a signal ended it.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    child = os.fork()
    if not child:
        os._exit(_status_of(work, parent))
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        raise DataError(
            f"reading {what} ended the process that read it ({signal.Signals(-code).name})",
            expected="a sound file, and memory enough for it",
            got="a crash of the reader" if -code != signal.SIGKILL else "a kill: by hand, or for want of memory",
            cure="check where the file comes from; what was built before stands",
        )
    return code


def _status_of(work: Callable[[], object], parent: int) -> int:
    """Do the work in the fork, and return how it ended; nothing of the parent's own may run after that."""
    try:
        end_with(parent)
        work()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0
