"""A long plan, a page at a time. The page is a button of the same form, so that what was asked travels with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inventory.document.plans import Entry

PER_PAGE = 100


@dataclass(frozen=True)
class PlanPage:
    #: (line of the plan, line of the text or 0)
    rows: list[tuple[Entry, int]]
    number: int
    pages: int
    total: int

    @classmethod
    def of(cls, entries: Sequence[Entry], asked: str, lines: Mapping[Entry, int]) -> PlanPage:
        number, pages = which(asked, len(entries))
        cut = entries[(number - 1) * PER_PAGE : number * PER_PAGE]
        return cls([(entry, lines.get(entry, 0)) for entry in cut], number, pages, len(entries))

    @property
    def previous(self) -> int:
        return self.number - 1

    @property
    def next(self) -> int:
        return self.number + 1 if self.number < self.pages else 0


def which(asked: str, total: int) -> tuple[int, int]:
    """(the page that is *asked* for, or the nearest there is; how many there are)."""
    pages = max(1, -(-total // PER_PAGE))
    number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 9 else 1
    return min(max(number, 1), pages), pages
