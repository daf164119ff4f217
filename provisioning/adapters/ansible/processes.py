"""Processes of one run: who is below whom, and their end. Linux: /proc and prctl."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 1, 4, 36
#: in the environment of every process of a run
MARKER = "MGMTPLANE_RUN"
#: how long processes that were told to end may take to be gone
PATIENCE = 10.0
_PROC = Path("/proc")
#: files that run inside Ansible's own processes, in a container too: each works alone
INSIDE = Path(__file__).parent / "inside"


def die_with_parent() -> None:
    """SIGTERM when the thread that started this process is gone; what is orphaned below becomes its child."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)


def guarded(command: list[str]) -> list[str]:
    """*command* such that it dies with this process, also where this process can do nothing any more."""
    return [sys.executable, "-I", str(INSIDE / "below.py"), str(os.getpid()), *command]


def identity(pid: int) -> str:
    """What no later process with the same number has; empty where there is none. Another namespace has other numbers."""
    try:
        said = (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
        return "" if said[0] in "ZX" else f"{(_PROC / 'self/ns/pid').readlink()} {pid} {said[19]}"
    except (OSError, IndexError):
        return ""


def below(pid: int) -> list[int]:
    """Every living process whose ancestor *pid* is; zombies are not living."""
    children: dict[int, list[int]] = {}
    for process, parent, state in _all():
        if state not in "ZX":
            children.setdefault(parent, []).append(process)
    found: list[int] = []
    waiting = [pid]
    while waiting:
        more = children.get(waiting.pop(), [])
        found += more
        waiting += more
    return found


def marked(marker: str) -> list[int]:
    """Every living process of ours whose environment carries *marker*."""
    entry = f"{MARKER}={marker}".encode()
    found = []
    for process, _, state in _all():
        if state in "ZX" or process == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if entry in (_PROC / str(process) / "environ").read_bytes().split(b"\0"):
                found.append(process)
    return found


def kill_all(find: Callable[[], Collection[int]], *, patience: float = PATIENCE) -> list[int]:
    """Kill what *find* finds until it finds nothing. What may not be killed, or does not go, is returned."""
    until = time.monotonic() + patience
    while left := list(find()):
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > until:
            return left
        time.sleep(0.01)
    return []


def _all() -> list[tuple[int, int, str]]:
    """Process, parent, state."""
    found = []
    for entry in os.scandir(_PROC):
        if not entry.name.isdecimal():
            continue
        with contextlib.suppress(OSError, ValueError, IndexError):
            # the name of the program, in parentheses, may hold anything
            rest = (_PROC / entry.name / "stat").read_text(errors="replace").rpartition(")")[2].split()
            found.append((int(entry.name), int(rest[1]), rest[0]))
    return found
