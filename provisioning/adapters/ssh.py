"""Whether an SSH server answers at an address: its first line, and nothing more. Nobody logs in."""

from __future__ import annotations

import errno
import socket
import time

from provisioning.adapters.base import Refused, Strange, Unreachable

PORT = 22
#: RFC 4253, 4.2: lines may come before the one that begins so; it has at most 255 octets
PREFIX, LONGEST, MOST = b"SSH-", 255, 8192
_NO_WAY = frozenset({errno.ENETUNREACH, errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL})


def banner(address: str, port: int = PORT, *, connect: float = 5.0, answer: float = 5.0) -> str:
    """The server's line, such as ``SSH-2.0-OpenSSH_9.2``. *connect* and *answer* in seconds.

    Raises Unreachable (no way there, or no answer to the connection; not retryable where this machine itself has no
    route), Refused (the machine answers, and nothing listens), Strange (something else answers, or nothing is said).
    """
    where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    try:
        connection = socket.create_connection((address, port), timeout=connect)
    except ConnectionRefusedError:
        raise Refused(f"Nothing listens at {where}.", call="SSH", retryable=True) from None
    except TimeoutError:
        raise Unreachable(f"{where} does not answer within {connect:.0f} s.", call="SSH") from None
    except OSError as error:
        why = error.strerror or "it is no address"
        raise Unreachable(
            f"{where} cannot be reached: {why}.", call="SSH", retryable=error.errno not in _NO_WAY
        ) from None
    with connection:
        return _line_of(connection, where, time.monotonic() + answer, answer)


def _line_of(connection: socket.socket, where: str, until: float, answer: float) -> str:
    heard = b""
    try:
        while len(heard) < MOST:
            for line in heard.split(b"\n")[:-1]:
                if line.startswith(PREFIX):
                    return _readable(line)
            connection.settimeout(max(until - time.monotonic(), 0.001))
            more = connection.recv(1024)
            if not more:
                break
            heard += more
    except OSError:  # a time-out, or it hung up
        pass
    said = f"says “{_readable(heard)[:60]}”" if heard.strip() else f"says nothing within {answer:.0f} s"
    raise Strange(f"{where} takes connections and {said}: that is no SSH server.", call="SSH", retryable=True)


def _readable(line: bytes) -> str:
    text = line[:LONGEST].decode("ascii", "replace").strip()
    return "".join(letter if letter.isprintable() else "?" for letter in text)
