"""Runs the processes of one machine: starts them, passes on what they say, restarts the dead, stops them all.

Only the standard library, and one thread: each child is forked from this process, in which everything is
already imported. Children so share the memory of the code, and a restart takes no time. Nothing that does not
survive a fork (threads, database connections) may exist here.

No child outlives its supervisor: it asks the kernel to be killed on its parent's death (Linux). And it holds
the lock on the data directory as long as it lives, so that no second supervisor starts beside a leftover.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gc
import io
import os
import selectors
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

STOP_TIMEOUT = 8.0  # seconds between asking a child to stop and killing it
LONGEST_PAUSE = 30.0  # seconds before the next restart, at most
HEALTHY_AFTER = 60.0  # seconds; a child that lived that long starts with a short pause again
TICK = 0.2  # seconds between two looks at the children
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15  # linux/prctl.h


class Refused(Exception):
    """The supervisor cannot start; the message says why and what to do."""


@dataclass
class Child:
    """A process that should be running: what it does, and how it fares."""

    name: str
    run: Callable[[], object]
    pid: int | None = None
    output: io.FileIO | None = None
    rest: bytes = b""  # the beginning of a line whose end has not come yet
    started: float = 0.0
    restart_at: float = 0.0
    pause: float = field(default=1.0)


class Supervisor:
    """Keeps *children* running from ``run()`` until a signal to stop arrives, or until *until* returns True."""

    def __init__(
        self,
        children: list[Child],
        when_ready: Callable[[], bool] | None = None,
        until: Callable[[], bool] = lambda: False,
    ) -> None:
        """*when_ready* is called again and again until it returns True: the place to announce the address."""
        self.children = children
        self._when_ready = when_ready
        self._until = until
        self._asked = False
        self._selector = selectors.DefaultSelector()
        self._stopping = False
        self._wake_read, self._wake_write = os.pipe()
        for end in (self._wake_read, self._wake_write):
            os.set_blocking(end, False)

    def run(self) -> bool:
        """Start every child and keep it running; return when all have stopped: False where somebody asked for it."""
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        with self._signals():
            gc.collect()
            gc.freeze()  # or the first collection in a child would write to, and so copy, every shared page
            try:
                while not (self._stopping or self._until()):
                    self._start_due()
                    self._announce()
                    self._listen(TICK)
                    self._reap()
            finally:
                self._stop_all()
        return not self._asked

    # --- signals ---

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Ctrl-C, SIGTERM and a closed terminal ask to stop; a dead child wakes the loop."""
        handlers = {
            signal.SIGINT: self._ask_to_stop,
            signal.SIGTERM: self._ask_to_stop,
            signal.SIGHUP: self._ask_to_stop,
            signal.SIGCHLD: lambda *_: None,
        }
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        wakeup_before = signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup_before)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _ask_to_stop(self, *_: object) -> None:
        if self._stopping:  # asked twice: somebody is in a hurry
            self._signal_all(signal.SIGKILL)
        self._stopping = self._asked = True

    # --- children ---

    def _start_due(self) -> None:
        for child in self.children:
            if child.pid is None and time.monotonic() >= child.restart_at:
                self._start(child)

    def _start(self, child: Child) -> None:
        """Fork *child* into its own process group, its output into a pipe."""
        read_end, write_end = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become(child, parent, write_end)
        os.close(write_end)
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)  # both sides do it: whoever comes first
        child.pid, child.started = pid, time.monotonic()
        child.output = io.FileIO(read_end, "rb")
        os.set_blocking(read_end, False)
        self._selector.register(child.output, selectors.EVENT_READ, child)

    def _become(self, child: Child, parent: int, output: int) -> NoReturn:
        """The forked side of ``_start``: be *child*, and never return."""
        code = 1
        try:
            os.setpgid(0, 0)
            self._forget()
            die_with(parent)
            show_as(child.name)
            with Path(os.devnull).open("rb") as nothing:
                os.dup2(nothing.fileno(), 0)
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.close(output)
            child.run()
            code = 0
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)  # the parent's clean-up (atexit, finally) is not the child's business

    def _forget(self) -> None:
        """Undo in a child what belongs to the supervisor alone."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)
        for other in self.children:
            if other.output is not None:
                other.output.close()

    def _reap(self) -> None:
        """Take note of children that ended, and when each is due again."""
        for child in self.children:
            status = _exit_status(child.pid)
            if child.pid is None or status is None:
                continue
            _signal_group(child.pid, signal.SIGKILL)  # what it started must not go on beside its successor
            self._drain(child)
            lived = time.monotonic() - child.started
            child.pid = None
            if self._stopping:
                continue
            if lived > HEALTHY_AFTER:
                child.pause = 1.0
            say(f"{child.name} {describe(status)}; starting it again in {child.pause:.0f} s")
            child.restart_at = time.monotonic() + child.pause
            child.pause = min(child.pause * 2, LONGEST_PAUSE)

    def _stop_all(self) -> None:
        """Ask every child to stop, wait for it, kill what is left of its process group."""
        self._stopping = True
        say("stopping")
        self._signal_all(signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT
        while any(child.pid for child in self.children) and time.monotonic() < deadline:
            self._listen(TICK)
            self._reap()
        for child in self.children:
            if child.pid is not None:
                say(f"{child.name} did not stop within {STOP_TIMEOUT:.0f} s; killing it")
        self._signal_all(signal.SIGKILL)
        while any(child.pid for child in self.children):
            self._listen(TICK)
            self._reap()

    def _signal_all(self, number: signal.Signals) -> None:
        """Kill whole groups; ask only their leaders, which know how to stop what they started."""
        for child in self.children:
            if child.pid is None:
                continue
            if number == signal.SIGKILL:
                _signal_group(child.pid, number)
            else:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child.pid, number)

    # --- output ---

    def _listen(self, timeout: float) -> None:
        """Pass on what the children say until *timeout* seconds are over or something happens."""
        for key, _ in self._selector.select(timeout):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_read, 4096)
            else:
                self._read(key.data)

    def _read(self, child: Child) -> None:
        """Print the complete lines that *child* has written, each with its name in front."""
        if child.output is None:
            return
        chunk = child.output.read(65536)
        if chunk is None:
            return
        if not chunk:
            self._close_output(child)
            return
        *lines, child.rest = (child.rest + chunk).split(b"\n")
        for line in lines:
            _print_line(child.name, line)

    def _drain(self, child: Child) -> None:
        """The last words of a child that ended; its own children may still hold the pipe open."""
        while child.output is not None and self._has_more(child):
            self._read(child)
        self._close_output(child)

    @staticmethod
    def _has_more(child: Child) -> bool:
        with selectors.DefaultSelector() as selector:
            selector.register(child.output or 0, selectors.EVENT_READ)
            return bool(selector.select(0))

    def _close_output(self, child: Child) -> None:
        if child.output is None:
            return
        if child.rest:
            _print_line(child.name, child.rest)
        self._selector.unregister(child.output)
        child.output.close()
        child.output, child.rest = None, b""

    def _announce(self) -> None:
        if self._when_ready is not None and self._when_ready():
            self._when_ready = None


def say(message: str) -> None:
    """One line of the supervisor itself."""
    _print_line("mgmtplane", message.encode())


def _print_line(name: str, line: bytes) -> None:
    """A line on stdout; a reader that went away must not stop the work."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(f"{name:>12} | {line.decode(errors='replace')}\n")
        sys.stdout.flush()


def _exit_status(pid: int | None) -> int | None:
    """The wait status of *pid* if it has ended."""
    if pid is None:
        return None
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return 0
    return status if ended else None


def describe(status: int) -> str:
    """A wait status in words."""
    if os.WIFSIGNALED(status):
        return f"was killed by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"ended with exit status {os.waitstatus_to_exitcode(status)}"


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when *parent* dies, however it dies. Does nothing but on Linux."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:  # it died before the request
            os._exit(1)


def show_as(name: str) -> None:
    """Let `top` and `ps -o comm` show *name* (its first 15 characters) for this process. On Linux only."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode(), 0, 0, 0)


def run_once(work: Callable[[], object]) -> int:
    """Do *work* in a forked child and return its exit code: what it loads and opens leaves no trace here."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    code = 1
    try:
        work()
        code = 0
    except KeyboardInterrupt:
        code = 130
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


@contextlib.contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Hold the lock on *data_dir*; Refused if another supervisor, or a child it left behind, holds it."""
    path = data_dir / "supervisor.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        raise Refused(
            f"already running over the data directory {data_dir} (process {owner}); "
            "stop that one, or give this one its own with DATA_DIR=… and PORT=…"
        ) from None
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
