"""What is said between the keeper and who asks it: one line of JSON each way, over a Unix socket of the same user."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SOCKET = "keeper.sock"
#: bytes of one secret; a key, not a disk image given by mistake
LONGEST_VALUE = 64 * 1024
LONGEST_WORD = 200
#: bytes of a line: a value whose every byte is escaped, and the words beside it
LONGEST_LINE = 6 * LONGEST_VALUE + 16 * 1024
#: bytes of an address of a Unix socket, with the zero at its end (sys/un.h)
LONGEST_ADDRESS = 108


class Garbled(Exception):
    """What came is no line of ours."""


def write(connection: socket.socket, message: dict[str, Any]) -> None:
    connection.sendall(json.dumps(message).encode() + b"\n")


def read(connection: socket.socket) -> dict[str, Any]:
    """One message. Raises Garbled, and OSError as the socket does."""
    line = bytearray()
    while not line.endswith(b"\n"):
        chunk = connection.recv(65536)
        line += chunk
        if not chunk or len(line) > LONGEST_LINE:
            raise Garbled("The line is cut, or too long.")
    try:
        found = json.loads(line)
    except ValueError:
        raise Garbled("The line is no JSON.") from None
    if not isinstance(found, dict):
        raise Garbled("The line is no object.")
    return found


def uid_of_peer(connection: socket.socket) -> int:
    """Whose process is at the other end, as the kernel has it."""
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", told)[1])


@contextlib.contextmanager
def address(path: Path) -> Iterator[str]:
    """What to bind to, or connect to, for *path*, however long it is: a longer one goes by its folder's descriptor."""
    if len(os.fsencode(path)) < LONGEST_ADDRESS:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
