"""Sizes of disks and memory. Pure.

Proxmox's units are powers of 1024. A number without a letter is bytes where it names a disk, MiB where it names memory.
"""

from __future__ import annotations

import re

KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40
_UNITS = {"": 1, "K": KIB, "M": MIB, "G": GIB, "T": TIB}
_SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>[KMGT]?)\Z")


def disk_bytes(text: str | int) -> int:
    """``64G``, ``65536M`` or ``68719476736`` → bytes. Raises ValueError with a sentence."""
    found = _SIZE.match(str(text).strip())
    if not found:
        raise ValueError(f"“{text}” is no size of a disk; write a number with K, M, G or T, such as 64G.")
    whole, _, fraction = found["number"].partition(".")
    unit = _UNITS[found["unit"]]
    return int(whole) * unit + (int(fraction) * unit // 10 ** len(fraction) if fraction else 0)


def disk_text(size: int) -> str:
    """Bytes as Proxmox writes them: the largest unit that leaves a whole number."""
    if size <= 0:
        raise ValueError(f"A disk of {size} bytes is none.")
    for letter in "TGMK":
        if size % _UNITS[letter] == 0:
            return f"{size // _UNITS[letter]}{letter}"
    return str(size)


def memory_mib(text: str | int) -> int:
    """The ``memory`` of a machine (``"2048"``, 2048 or ``current=2048``) → MiB."""
    number = str(text).strip().removeprefix("current=")
    if not number.isdigit():
        raise ValueError(f"“{text}” is no size of memory; write it in MiB, such as 2048.")
    return int(number)
