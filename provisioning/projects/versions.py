"""Versions of collections and the ranges that requirements name, as ansible-galaxy reads them. Pure."""

from __future__ import annotations

import re
from functools import total_ordering

_SEMVER = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")
_PART = re.compile(r"\s*(>=|<=|!=|==|=|>|<)?\s*([^\s,<>=!]+)\s*")


@total_ordering
class Version:
    """A semantic version; one before a release (1.0.0-rc.1) comes before it. Raises ValueError."""

    def __init__(self, text: str) -> None:
        found = _SEMVER.fullmatch(text)
        if found is None:
            raise ValueError(f"{text} is no semantic version")
        self.text = text
        self.numbers = tuple(int(part) for part in found.groups()[:3])
        self.before = tuple(map(_rank, found[4].split("."))) if found[4] else ()

    @property
    def is_before_release(self) -> bool:
        return bool(self.before)

    def _key(self) -> tuple[object, ...]:
        return (self.numbers, not self.before, self.before)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key() == other._key()

    def __lt__(self, other: Version) -> bool:
        return (self.numbers, not self.before, self.before) < (other.numbers, not other.before, other.before)

    def __hash__(self) -> int:
        return hash(self._key())

    def __str__(self) -> str:
        return self.text


def _rank(part: str) -> tuple[int, int, str]:
    """Numbers before words, by their value (semver.org, 11.4)."""
    return (0, int(part), "") if part.isdecimal() else (1, 0, part)


def fits(version: Version, wanted: str) -> bool:
    """Whether *version* is one that *wanted* allows: ``1.2.3``, ``>=1.0.0,<2.0.0``, ``!=1.1.0``, ``*``, or nothing.

    A part of a version is filled up with zeros: ``>=8`` is ``>=8.0.0``. What cannot be read is allowed by nobody.
    """
    parts = [part for part in wanted.split(",") if part.strip() not in ("", "*")]
    exact = any(str(version) in part for part in parts)
    if version.is_before_release and not exact:
        return False
    return all(_fits(version, part) for part in parts)


def _fits(version: Version, part: str) -> bool:
    found = _PART.fullmatch(part)
    if found is None:
        return False
    try:
        bound = Version(_filled(found[2]))
    except ValueError:
        return False
    return {
        ">=": version >= bound,
        "<=": version <= bound,
        "!=": version != bound,
        ">": version > bound,
        "<": version < bound,
    }.get(found[1] or "==", version == bound)


def _filled(text: str) -> str:
    numbers, mark, rest = text.partition("-")
    return ".".join([*numbers.split("."), "0", "0"][: max(3, numbers.count(".") + 1)]) + mark + rest
