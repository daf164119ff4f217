"""Gives memory back to the system after a large rendering."""

from __future__ import annotations

import ctypes
import gc
from typing import Any

#: From here on (bytes) a rendering leaves enough behind to be worth the few milliseconds.
LARGE = 1_000_000

_trim: Any
try:
    _trim = ctypes.CDLL(None).malloc_trim
except (OSError, AttributeError):  # not glibc: its allocator has its own ways
    _trim = None


def give_back(size: int) -> None:
    """Return what a rendering of *size* bytes used to the system; nothing for small ones."""
    if size < LARGE:
        return
    gc.collect()
    if _trim is not None:
        _trim(0)
