"""Whether a service answers at an address: it takes a connection, and where a path is known answers there. Reads only."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl

from provisioning.adapters.base import Refused, Strange, Unreachable

#: seconds
PATIENCE = 5.0
#: ports on which HTTP is spoken under TLS
TLS_PORTS = frozenset({443, 8443})
_NO_WAY = frozenset({errno.ENETUNREACH, errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL})


def connects(address: str, port: int) -> None:
    """Raises Unreachable (no answer; not retryable where this machine has no route), Refused (nothing listens)."""
    where = _where(address, port)
    try:
        socket.create_connection((address, port), timeout=PATIENCE).close()
    except OSError as error:
        raise _fault(where, error) from None


def answers(address: str, port: int, path: str) -> int:
    """The status that *path* is answered with: below 400. Raises as ``connects`` does, and Strange for every other answer.

    A certificate is not looked at: whose name it has is not what is asked here, and nothing is sent but the path.
    """
    where = f"{_where(address, port)}{path}"
    connection = _connection(address, port)
    try:
        connection.request("GET", path, headers={"User-Agent": "mgmtplane"})
        status = connection.getresponse().status
    except OSError as error:
        raise _fault(where, error) from None
    except http.client.HTTPException as error:
        raise Strange(
            f"{where} speaks no HTTP ({type(error).__name__}).", call="GET", retryable=True
        ) from None
    finally:
        connection.close()
    if status >= 400:
        raise Strange(f"{where} answers with the status {status}.", call="GET", retryable=True)
    return status


def _connection(address: str, port: int) -> http.client.HTTPConnection:
    if port not in TLS_PORTS:
        return http.client.HTTPConnection(address, port, timeout=PATIENCE)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(address, port, timeout=PATIENCE, context=context)


def _where(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _fault(where: str, error: OSError) -> Refused | Unreachable:
    if isinstance(error, ConnectionRefusedError):
        return Refused(f"Nothing listens at {where}.", call="GET", retryable=True)
    if isinstance(error, TimeoutError):
        return Unreachable(f"{where} does not answer within {PATIENCE:.0f} s.", call="GET")
    why = error.strerror or "it is no address"
    return Unreachable(f"{where} cannot be reached: {why}.", call="GET", retryable=error.errno not in _NO_WAY)
