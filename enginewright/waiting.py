"""Whether threads that wait for work sleep, or turn in a loop to be quick when it comes.

They sleep, by default: on a machine with few cores the loop takes a core that the stage beside needs, which
benchmarks/README.md has in figures. OMP_WAIT_POLICY=ACTIVE lets them turn.
"""

from __future__ import annotations

import os

POLICY = "OMP_WAIT_POLICY"
"""OpenMP's own variable, which torch's threads obey."""


def sleep_while_waiting() -> None:
    """Let threads sleep in all processes that are started from here, unless the environment says otherwise."""
    os.environ.setdefault(POLICY, "PASSIVE")


def turns_while_waiting() -> bool:
    """Return whether the environment asks for threads that do not sleep."""
    return os.environ.get(POLICY, "").upper() == "ACTIVE"
