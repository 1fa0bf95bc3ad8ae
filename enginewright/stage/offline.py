"""No network but for the stages that fetch weights: a stage that asks for one is stopped, by Python's audit hook."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from enginewright.errors import OfflineError

_OUTSIDE = (socket.AF_INET, socket.AF_INET6)
_LOOK_UPS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
_TALKS = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind")

_closed: list[bool] = []
"""Not empty while the network is closed; a hook cannot be taken out again."""

_hooked: list[bool] = []


@contextmanager
def no_network() -> Iterator[None]:
    """Close the network while the block runs, for all of this process's Python; sockets of this machine stay open.

    Within it, whoever looks an address up, connects or listens meets an OfflineError.
    """
    if not _hooked:
        _hooked.append(True)
        sys.addaudithook(_watch)
    _closed.append(True)
    try:
        yield
    finally:
        _closed.pop()


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if not _closed or not event.startswith("socket."):
        return
    if event in _LOOK_UPS:
        _refuse(arguments[0])
    if event in _TALKS and arguments[0].family in _OUTSIDE:
        _refuse(arguments[1] if len(arguments) > 1 else None)


def _refuse(target: object) -> NoReturn:
    raise OfflineError(
        "a stage asked for the network, and none but those that fetch weights may",
        expected="files of earlier stages, and nothing from elsewhere",
        got=target,
        cure="let the checkpoint stage fetch it, with its digest; an adapter makes its module of configuration alone",
    )
