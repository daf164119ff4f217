"""The keeper's process: a Unix socket, a memory that nothing else may look into, and nothing on disk.

Whoever dies takes it along: there is no way to get a secret back but that a person enters it again.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import resource
import signal
import socket
import socketserver
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from provisioning.keeper import wire
from provisioning.keeper.memory import Full, Memory

PR_SET_DUMPABLE = 4  # linux/prctl.h
#: seconds for one question and its answer
PATIENCE = 5.0
#: seconds between two looks at what is over
LOOK_EVERY = 0.5
#: seconds for which anything is held at most, as JOB_WAIT_HOURS goes; people get less, see UNLOCK_MINUTES_MOST
LONGEST = 87_600 * 3600.0


class Refused(Exception):
    """The keeper cannot start; the message says why."""


def serve(data_dir: Path) -> None:
    """Hold secrets until SIGTERM. Raises Refused where another keeper is at it, or the memory cannot be closed."""
    close_memory()
    with _only_one(data_dir / "keeper.lock"), _listening(data_dir / wire.SOCKET) as listener:
        signal.signal(signal.SIGTERM, _leave)
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)  # a shell's background job has it ignored
        with contextlib.suppress(KeyboardInterrupt):
            _Server(listener).serve_forever(LOOK_EVERY)


def close_memory() -> None:
    """No core, and nobody but root may attach or read /proc/PID/mem and environ."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise Refused("The kernel does not close this process's memory to others (prctl PR_SET_DUMPABLE).")


def _leave(*_: object) -> None:
    raise KeyboardInterrupt


def now() -> float:
    """Seconds that go on while the machine sleeps, and that nobody sets."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@contextlib.contextmanager
def _only_one(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Refused(
            f"A keeper is already running over {path.parent}; `make up` starts one itself."
        ) from None
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _listening(path: Path) -> Iterator[socket.socket]:
    """The socket at *path*, its owner's alone. The lock says that whoever left one there is gone."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        with wire.address(path) as address:
            listener.bind(address)
    finally:
        os.umask(before)
    listener.listen(64)
    try:
        yield listener
    finally:
        path.unlink(missing_ok=True)
        listener.close()


class _Server(socketserver.ThreadingMixIn, socketserver.BaseServer):
    """A thread for each question, so that one who is silent holds nobody up."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, listener: socket.socket) -> None:
        super().__init__(listener.getsockname(), _Question)
        self.socket = listener
        self.memory = Memory(now)

    def fileno(self) -> int:
        return self.socket.fileno()

    def get_request(self) -> tuple[socket.socket, Any]:
        return self.socket.accept()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        return wire.uid_of_peer(request) == os.geteuid()

    def shutdown_request(self, request: Any) -> None:
        request.close()

    def service_actions(self) -> None:
        self.memory.expire()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Never a traceback: it might hold what was said."""
        sys.stderr.write(f"keeper: a question failed ({type(sys.exception()).__name__})\n")


class _Question(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.request.settimeout(PATIENCE)
        try:
            asked = wire.read(self.request)
            told = _answer(self.server.memory, asked)
        except (wire.Garbled, KeyError, TypeError, ValueError):
            told = {"refused": "The keeper does not understand this; are both of one version?"}
        except Full as full:
            told = {"refused": str(full)}
        with contextlib.suppress(OSError):
            wire.write(self.request, told)


def _answer(memory: Memory, asked: dict[str, Any]) -> dict[str, Any]:
    does = asked["do"]
    if does == "hold":
        seconds = float(asked["seconds"])
        if not 0 < seconds <= LONGEST:
            return {"refused": "A secret is held for more than no time, and for ten years at most."}
        value = asked["value"]
        if not isinstance(value, str) or not value or len(value.encode()) > wire.LONGEST_VALUE:
            return {"refused": f"A secret has 1 to {wire.LONGEST_VALUE} bytes."}
        memory.hold(
            _word(asked, "scope"), _word(asked, "name"), value, seconds=seconds, by=str(asked["by"])[:150]
        )
        return {}
    if does == "fetch":
        return {"value": memory.fetch(_word(asked, "scope"), _word(asked, "name"))}
    if does == "drop":
        name = None if asked["name"] is None else _word(asked, "name")
        return {"dropped": memory.drop(_word(asked, "scope"), name)}
    if does == "held":
        return {"held": memory.held(None if asked["scope"] is None else _word(asked, "scope"))}
    raise KeyError(does)


def _word(asked: dict[str, Any], name: str) -> str:
    word = asked[name]
    if not isinstance(word, str) or not word or len(word) > wire.LONGEST_WORD:
        raise ValueError(name)
    return word
