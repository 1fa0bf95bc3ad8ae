"""DVC's list of files that are in use (.dvc/tmp/rwlock), which it writes in place and then cannot read.

DVC itself strikes off whoever has ended, but by process number alone, and that may be another program's by now.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

BUSY = Path(".dvc/tmp/rwlock")


def mend_busy() -> list[str]:
    """Remove the list if it is cut short, or if nobody whom it names is a DVC at work, and say so."""
    if not BUSY.is_file():
        return []
    try:
        value: Any = json.loads(BUSY.read_bytes())
    except ValueError:
        BUSY.unlink(missing_ok=True)
        return [f"{BUSY} was cut short by a killed run: removed"]
    if not (users := set(_users(value))) or any(map(_runs_python, users)):
        return []
    BUSY.unlink(missing_ok=True)
    return [f"{BUSY} names only processes that have ended: removed"]


def _users(value: Any) -> list[int]:
    """Return the processes that the list names: {"write": {path: user}, "read": {path: [user]}}."""
    rows = [*value.get("write", {}).values(), *(user for users in value.get("read", {}).values() for user in users)]
    return [int(user["pid"]) for user in rows]


def _runs_python(process: int) -> bool:
    """Return whether a process lives and could be DVC; where the system does not tell, it could."""
    if not Path("/proc/self").exists():
        return True
    try:
        return b"python" in Path(f"/proc/{process}/exe").readlink().name.encode()
    except FileNotFoundError:
        return False
    except OSError:
        return True
