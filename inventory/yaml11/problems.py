"""What is wrong with a YAML file, and where its keys stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

VAULT = "__ansible_vault"
UNSAFE = "__ansible_unsafe"
RESERVED_KEYS = (VAULT, UNSAFE, "__ansible_type")  # Ansible gives such a mapping in JSON a meaning of its own


class YamlProblem(Exception):
    """A file that cannot be read, or not without changing its meaning. ``str()`` is a full sentence."""

    def __init__(
        self,
        path: str,
        line: int | None,
        message: str,
        hint: str = "",
        column: int | None = None,
        *,
        syntax: bool = False,
    ) -> None:
        super().__init__(path, line, column, message, hint)
        self.path = path
        self.line = line
        self.column = column
        self.message = message
        self.hint = hint
        self.syntax = syntax  # it is no YAML at all; otherwise YAML that cannot be held

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.path, self.line, self.column) if part is not None)
        return f"{place}: {self.message}" + (f" {self.hint}" if self.hint else "")


@dataclass(frozen=True, slots=True)
class Mark:
    """Where one key (or list item) stands, what stands below it, and what kind of key it was."""

    line: int
    below: dict[str, Mark | int] | list[Mark | int] | None = None
    kind: str = ""


class Positions:
    """The line of every key of one file."""

    __slots__ = ("_first", "_root")

    def __init__(
        self, root: dict[str, Mark | int] | list[Mark | int] | None = None, first: int | None = 1
    ) -> None:
        self._root = root
        self._first = first

    def line(self, path: Sequence[str | int]) -> int:
        """The line of the key at *path*; of its nearest known parent where it has none of its own."""
        return self._find(path)[0]

    def key_kind(self, path: Sequence[str | int]) -> str:
        """What the last key of *path* was before it became text ("an integer", "empty", …); else ""."""
        return self._find(path)[1]

    def _find(self, path: Sequence[str | int]) -> tuple[int, str]:
        line, kind = self._first or 1, ""
        below: Any = self._root
        for step in path:
            entry = _entry(below, step)
            if entry is None:
                return line, ""
            if isinstance(entry, int):
                line, below, kind = entry, None, ""
            else:
                line, below, kind = entry.line, entry.below, entry.kind
        return line, kind


def _entry(below: Any, step: str | int) -> Mark | int | None:
    if isinstance(below, dict):
        return below.get(str(step))
    if isinstance(below, list) and str(step).isdecimal() and int(step) < len(below):
        return below[int(step)]
    return None
