"""Programs of this machine: started without a shell, in a session of their own, ended with everything below them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from provisioning.adapters.base import AdapterError, Busy

#: of our own environment, what any program needs; nothing else of it is handed on
PASSED_ON = (
    "PATH", "TZ", "TMPDIR", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip
#: seconds between two looks at whether to go on
LOOK_EVERY = 0.5


class NotInstalled(AdapterError):
    way_out = "Install it on the machine of the worker, then run this again."


class TooLong(AdapterError):
    way_out = "See what holds it up, then run this again."


def go_on() -> None:
    """Nobody asked to stop."""


@dataclass(frozen=True)
class Ended:
    code: int
    out: bytes
    err: str


@dataclass(frozen=True)
class Program:
    """How programs of one kind are started. *check* raises when it is to stop; *watch* too, with what is wrong."""

    env: Mapping[str, str]
    seconds: float = 60.0
    check: Callable[[], None] = go_on
    watch: Callable[[], None] = go_on
    #: descriptors that it and its children hold until they end, such as a lock
    hold: Sequence[int] = field(default=())

    def run(self, argv: Sequence[str | Path], *, cwd: Path, given: bytes = b"") -> Ended:
        """What *argv* says when it has ended, well or not.

        Raises NotInstalled, TooLong, Busy (this machine has no room for a process), and whatever *check* and *watch*
        raise; by then nothing of it runs any more.
        """
        name = Path(argv[0]).name
        try:
            process = subprocess.Popen(
                [os.fspath(part) for part in argv],
                cwd=cwd,
                env={**base_environment(), **self.env},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                pass_fds=self.hold,
                umask=0o077,
            )
        except FileNotFoundError:
            raise NotInstalled(f"The program {name} is not installed here.", call=name) from None
        except OSError as error:
            raise Busy(f"{name} cannot be started: {error.strerror}.", call=name) from None
        try:
            out, err = self._waited(process, name, given)
        finally:
            _end(process)
        return Ended(process.returncode, out, err.decode("utf-8", "replace"))

    def _waited(self, process: subprocess.Popen[bytes], name: str, given: bytes) -> tuple[bytes, bytes]:
        until = time.monotonic() + self.seconds
        feed: bytes | None = given
        while True:
            try:
                return process.communicate(feed, timeout=LOOK_EVERY)
            except subprocess.TimeoutExpired:
                feed = None  # communicate goes on with what it was given first
            self.check()
            self.watch()
            if time.monotonic() > until:
                raise TooLong(f"{name} took longer than {self.seconds:.0f} s and was ended.", call=name)


def base_environment() -> dict[str, str]:
    """English, of fixed form, and without the environment of this application: that has secrets."""
    known = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {"PATH": os.defpath, **known, "LC_ALL": "C.UTF-8", "LANGUAGE": "C"}


def _end(process: subprocess.Popen[bytes]) -> None:
    """Nothing of its session goes on; that it ended well does not mean that its children did."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.poll() is None:
        process.communicate()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            stream.close()
