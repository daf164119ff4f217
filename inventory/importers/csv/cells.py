"""The cells of a table on their way into a patch: where each stood, what it says, and whether it is news."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from inventory.document.form import Path
from inventory.document.patching import Patch
from inventory.document.text import Complaint
from inventory.importers.csv.columns import CLEAR, TABLES, Column, text

Row = dict[str, str]  # column → cell


class Places:
    """The line of every value of a table; of its nearest known parent where it has none of its own."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.columns: dict[Path, str] = {}

    def note(self, path: Path, line: int, column: str = "") -> None:
        self.lines.setdefault(path, line)
        if column:
            self.columns.setdefault(path, column)

    def line(self, path: Sequence[str | int]) -> int:
        for end in range(len(path), 0, -1):
            if found := self.lines.get(tuple(path[:end])):
                return found
        return 0


@dataclass
class Table:
    noun: str
    #: the column of each cell, in our spelling; empty: ignored
    columns: list[str]
    lines: list[tuple[int, list[str]]]

    def rows(self) -> Iterator[tuple[int, Row]]:
        """(line, the cells that say something)."""
        for line, cells in self.lines:
            yield (
                line,
                {name: cell for name, cell in zip(self.columns, cells, strict=True) if name and cell.strip()},
            )

    def has(self, column: str) -> bool:
        return column in self.columns


class Reader:
    """Cells into one patch."""

    def __init__(self, table: Table, patch: Patch) -> None:
        self.table, self.patch = table, patch
        self.places: Places = patch.positions  # type: ignore[assignment]
        self.known = TABLES[table.noun]

    def complain(self, line: int, column: str, sentence: str, path: Path = ()) -> None:
        """Say *sentence* of one cell; *path* is the thing that cannot be judged further."""
        self.patch.complaints.append(Complaint(self.patch.file, line, sentence, column))
        if path:
            self.patch.malformed.add(path[:2])
            self.patch.wrong.add(path)

    def is_of_site(self, line: int, row: Row) -> bool:
        """A list over all sites may have rows of others; they are told, never guessed at."""
        site = plain(row.get("site", ""))
        if not site or site == self.patch.slug:
            return True
        self.complain(
            line, "site", f"the row is of site {site}; this imports into {self.patch.slug}. Take it out."
        )
        return False

    def value(self, line: int, column: str, cell: str, path: Path) -> Any:
        """What *cell* says: a value, or None when it clears; a complaint and ... when it cannot be read."""
        self.places.note(path, line, column)
        if cell.strip() == CLEAR:
            return None
        known: Column = self.known[column]
        try:
            return known.read(plain(cell))
        except ValueError as error:
            self.complain(line, column, f"{_subject(path)}: {column} {_said(error)}", path)
            return ...


def plain(cell: str) -> str:
    """*cell* without the apostrophe that keeps a spreadsheet from running it, and without blanks around."""
    found = cell.replace("\u00a0", " ").strip()
    return found[1:] if found.startswith("'") else found


def is_same(cell: str, shown: str) -> bool:
    """Whether *cell* is what the list *shows* today: then it says nothing new, however it is written."""
    return cell == shown or text(cell).strip() == text(shown).strip()


def _subject(path: Path) -> str:
    noun, name = str(path[0]), str(path[1])
    inner = f" interface {path[3]}" if len(path) > 3 and path[2] == "interfaces" else ""
    return f"{noun[:-1]} {name}{inner}"


def _said(error: ValueError) -> str:
    message = str(error)
    return message if message.startswith("is ") else f"cannot be: {message}"
