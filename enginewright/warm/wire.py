"""What a stage tells the server, and the socket between them."""

from __future__ import annotations

import json
import os
import socket
import struct
from dataclasses import asdict, dataclass
from pathlib import Path

_CREDENTIALS = struct.Struct("3i")
_LENGTH = struct.Struct("!I")
_STREAMS = 3
"""Standard input, output and error travel with the message."""


@dataclass(frozen=True)
class Job:
    """A stage to run: the module that `python -m` names, its arguments, and the packages to have imported before."""

    module: str
    arguments: list[str]
    folder: str
    environment: dict[str, str]
    packages: list[str]


def address(owner: int) -> str:
    """Return the abstract address of the server for the process `owner`: no file that could be left behind.

    Containers can share a network, and with it abstract addresses, and still mean other processes and files.
    """
    spaces = "-".join(str(Path(f"/proc/self/ns/{name}").readlink()) for name in ("pid", "mnt"))
    return f"\0enginewright-{os.getuid()}-{spaces}-{owner}"


def listening_for(owner: int) -> socket.socket:
    """Return a socket that listens at the address of the server for the process `owner`.

    Raises:
        OSError: if one listens there already.
    """
    listening = socket.socket(socket.AF_UNIX)
    try:
        listening.bind(address(owner))
        listening.listen()
    except OSError:
        listening.close()
        raise
    return listening


def is_own(connection: socket.socket) -> bool:
    """Return whether the other side runs as this user: anybody can take an abstract address."""
    packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return bool(_CREDENTIALS.unpack(packed)[1] == os.getuid())


def send_job(connection: socket.socket, job: Job) -> None:
    """Send a job with this process's three standard streams."""
    body = json.dumps(asdict(job)).encode()
    socket.send_fds(connection, [_LENGTH.pack(len(body))], list(range(_STREAMS)))
    connection.sendall(body)


def receive_job(connection: socket.socket) -> tuple[Job, list[int]]:
    """Return a job and the three streams that came with it.

    Raises:
        EOFError: if the other side went away.
        PermissionError: if it is another user's.
    """
    if not is_own(connection):
        raise PermissionError("another user asks")
    head, streams, _, _ = socket.recv_fds(connection, _LENGTH.size, _STREAMS)
    if len(head) != _LENGTH.size:
        raise EOFError("no job came")
    return Job(**json.loads(_received(connection, _LENGTH.unpack(head)[0]))), list(streams)


def _received(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise EOFError("the job was cut short")
        data += part
    return data
