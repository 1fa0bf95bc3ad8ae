"""Stages of one `dvc repro` share the import of heavy packages.

DVC starts a process for each stage, and importing torch costs each of them more than a second. So the first stage that
needs it starts a server, which imports it once; every stage runs in a fork of that server, with its own arguments,
folder, environment, standard streams and exit status. The server imports packages, never this project's code, serves
one `dvc` process and ends with it. Without it (another system than Linux, a stage run by hand, or
ENGINEWRIGHT_WARM=0) a stage does the same work in its own process.
"""

from enginewright.warm.client import hand_over, hand_over_child

__all__ = ["hand_over", "hand_over_child"]
