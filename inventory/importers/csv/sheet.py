"""Bytes of a table as rows with their lines, whatever program saved it. Pure.

Delimiters: comma, semicolon, tab; UTF-8 with or without BOM, UTF-16 with one, else Windows-1252; any line ends; quotes as
in RFC 4180; a first line ``sep=;`` as Excel writes it. Rows in which every cell is empty are none.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_ROWS = 200_000
MAX_COLUMNS = 500
#: What a spreadsheet keeps of one cell; a longer one was cut off.
LONGEST_CELL = 32_767
_DELIMITERS = "\t;,"
_SEP = re.compile(r"\ufeff?\"?sep=(.)\"?\s*\Z")
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class Unreadable(ValueError):
    """No table at all; ``line`` says where it ends to be one."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line, self.sentence = line, sentence


@dataclass
class Sheet:
    header: list[str]
    #: the line of the header
    line: int
    #: (line, cells), as many cells as the header has
    rows: list[tuple[int, list[str]]]
    notes: list[str] = field(default_factory=list)
    #: (line, sentence) of rows that cannot be told apart into cells
    problems: list[tuple[int, str]] = field(default_factory=list)


def read(content: bytes) -> Sheet:
    """The table in *content*. Raises Unreadable."""
    text, notes = decoded(content)
    delimiter, skipped = _delimiter(text)
    lines = _rows(text, delimiter)
    header: list[str] | None = None
    sheet = Sheet([], 0, [], notes)
    for line, cells in lines:
        if line <= skipped or not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = cells
            while header and not header[-1].strip():
                header.pop()
            if len(header) > MAX_COLUMNS:
                raise Unreadable(
                    line,
                    f"the table has {len(header):,} columns; {MAX_COLUMNS} are the most. Is this line its header?",
                )
            sheet.header, sheet.line = header, line
            continue
        if len(sheet.rows) >= MAX_ROWS:
            raise Unreadable(line, f"the table has more than {MAX_ROWS:,} rows; split it.")
        more = [cell for cell in cells[len(header) :] if cell.strip()]
        if more:
            sentence = (
                f"has {len(cells)} cells, and the header has {len(header)}; put a cell that holds "
                f"{_NAMES[delimiter]} into quotes."
            )
            sheet.problems.append((line, sentence))
            continue
        sheet.rows.append((line, [*cells[: len(header)], *[""] * (len(header) - len(cells))]))
    if header is None:
        raise Unreadable(
            1, "the table is empty; its first line names the columns, such as host,interface,mac."
        )
    return sheet


_NAMES = {"\t": "a tab", ";": "a semicolon", ",": "a comma"}


def decoded(content: bytes) -> tuple[str, list[str]]:
    """The text of *content*, and what to tell of how it was read. Raises Unreadable."""
    for bom, encoding in _BOMS:
        if content.startswith(bom):
            try:
                return _clean(content.decode(encoding)), []
            except UnicodeDecodeError as error:
                line = content.count(b"\n", 0, error.start) + 1
                raise Unreadable(line, "the text breaks off its own encoding; save it as UTF-8.") from None
    try:
        return _clean(content.decode("utf-8")), []
    except UnicodeDecodeError:
        pass
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Unreadable(line, "the file is neither UTF-8 nor Windows-1252; save it as UTF-8.") from None
    note = "The file is not UTF-8 and was read as Windows-1252; look at letters with accents, or save it as UTF-8."
    return _clean(text), [note]


def _clean(text: str) -> str:
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise Unreadable(line, "holds a NUL character; this is no text table. Save it as CSV in UTF-8.")
    return text.removeprefix("\ufeff")


def _delimiter(text: str) -> tuple[str, int]:
    """What stands between cells, and how many lines come before the header."""
    lines = text.splitlines()
    if lines and (said := _SEP.match(lines[0])):
        return said[1], 1
    first = next((line for line in lines if line.strip()), "")
    outside = re.sub(r'"[^"]*"', "", first)
    return max(_DELIMITERS, key=lambda one: (outside.count(one), one == ",")), 0


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(first line, cells) of every row."""
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except (TypeError, ValueError):
        raise Unreadable(
            1, "names a separator that cannot be one; use a comma, a semicolon or a tab."
        ) from None
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            what = "a quote is opened here and not closed" if "unexpected end" in str(error) else str(error)
            raise Unreadable(line, f"the row cannot be read: {what}; double a quote inside a cell.") from None
        yield line, cells
        line = reader.line_num + 1
