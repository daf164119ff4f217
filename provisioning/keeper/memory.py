"""What the keeper holds: values by scope and name, each until a moment, then forgotten. Pure."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

#: so many at once; more is a mistake, or somebody who wants to fill the memory
MOST = 1000


class Full(Exception):
    """There is no room for another secret."""


@dataclass
class _Kept:
    value: bytearray
    by: str
    until: float


class Memory:
    """Every method looks at *clock* first: what is over is forgotten before anything else is done."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """*clock* tells seconds that only grow, also while the machine sleeps."""
        self._clock = clock
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._lock = threading.Lock()

    def hold(self, scope: str, name: str, value: str, *, seconds: float, by: str) -> None:
        """Hold *value* for *seconds*, in place of an earlier one. Raises Full."""
        with self._lock:
            self._expire()
            if (scope, name) not in self._kept and len(self._kept) >= MOST:
                raise Full(f"{MOST} secrets are held already; lock some.")
            self._forget(scope, name)
            self._kept[scope, name] = _Kept(bytearray(value.encode()), by, self._clock() + seconds)

    def fetch(self, scope: str, name: str) -> str | None:
        with self._lock:
            self._expire()
            found = self._kept.get((scope, name))
            return found.value.decode() if found else None

    def drop(self, scope: str, name: str | None = None) -> int:
        """Forget the one, or all of *scope*; how many there were."""
        with self._lock:
            self._expire()
            going = [key for key in self._kept if key[0] == scope and name in (None, key[1])]
            for key in going:
                self._forget(*key)
            return len(going)

    def held(self, scope: str | None = None) -> list[tuple[str, str, str, float]]:
        """(scope, name, by, seconds left), sorted; no values."""
        with self._lock:
            self._expire()
            now = self._clock()
            return [
                (*key, kept.by, kept.until - now)
                for key, kept in sorted(self._kept.items())
                if scope in (None, key[0])
            ]

    def expire(self) -> None:
        """Forget what is over."""
        with self._lock:
            self._expire()

    def _expire(self) -> None:
        now = self._clock()
        for key in [key for key, kept in self._kept.items() if kept.until <= now]:
            self._forget(*key)

    def _forget(self, scope: str, name: str) -> None:
        kept = self._kept.pop((scope, name), None)
        if kept is not None:
            # this buffer only: what was decoded to be handed out is copied, and not ours to clear
            kept.value[:] = bytes(len(kept.value))
