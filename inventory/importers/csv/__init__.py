"""A table (CSV, or pasted out of a spreadsheet) as a patch of a site: rows → partial site document with its lines.

Only the columns that the table has change, and only of the rows that it names: a table never retires or removes what it
leaves out. What is wrong is complained of in the patch, each with line and column.
"""

from __future__ import annotations

from inventory.document.patching import Patch
from inventory.document.text import Complaint
from inventory.importers.csv import aliases, host_parts, hosts, nouns, services
from inventory.importers.csv.cells import Places, Table
from inventory.importers.csv.columns import KEYS, TABLES, canonical_name, column_of, table_of, unknown_column
from inventory.importers.csv.sheet import Sheet, Unreadable
from inventory.importers.csv.sheet import read as read_sheet
from inventory.snapshot import Snapshot

__all__ = ["KEYS", "TABLES", "read"]


def read(
    content: bytes, file: str, stored: Snapshot, *, noun: str = "", ignore_unknown: bool = False
) -> Patch:
    """What *content* says of the site *stored*. *noun* names the table; empty: its header tells."""
    places = Places()
    patch = Patch(file, {"site": stored.site.slug}, places)  # type: ignore[arg-type]
    patch.columns = places.columns
    try:
        sheet = read_sheet(content)
    except Unreadable as problem:
        patch.complaints.append(Complaint(file, problem.line, problem.sentence))
        return patch
    patch.notes += sheet.notes
    patch.complaints += [Complaint(file, line, f"the row {sentence}") for line, sentence in sheet.problems]
    table = _table(sheet, patch, noun, ignore_unknown)
    if table is not None:
        _READERS[table.noun](table, patch, stored)
    return patch


_READERS = {
    "hosts": hosts.read,
    "services": services.read,
    "aliases": aliases.read,
    "hypervisors": host_parts.read,
    "machines": host_parts.read,
    **dict.fromkeys(("segments", "groups", "profiles", "roles"), nouns.read),
}


def _table(sheet: Sheet, patch: Patch, noun: str, ignore_unknown: bool) -> Table | None:
    """The cells of *sheet* by column; None where the header does not name the rows."""
    names = [canonical_name(said) for said in sheet.header]
    noun = noun or table_of([name for name in names if name])
    if not noun:
        keys = ", ".join(sorted(KEYS.values()))
        sentence = (
            f"the header ({', '.join(sheet.header)[:200]}) names no rows. One column must be one of {keys}; or choose "
            "what the table holds and call that column name."
        )
        patch.complaints.append(Complaint(patch.file, sheet.line, sentence))
        return None
    columns: list[str] = []
    ignored: list[str] = []
    for at, name in enumerate(names):
        column = column_of(name, noun) if name else ""
        said = sheet.header[at].strip()
        if column and column in columns:
            _complain(patch, sheet, said, f"is there twice, as {column}; keep one.")
            column = ""
        elif not column and (name or any(cells[at].strip() for _, cells in sheet.rows)):
            if ignore_unknown:
                ignored.append(said or f"number {at + 1}")
            else:
                _complain(patch, sheet, said or f"number {at + 1}", unknown_column(name, noun))
        columns.append(column)
    if ignored:
        patch.notes.append(f"Ignored: {', '.join(ignored)}, which {noun} do not have.")
    if KEYS[noun] not in columns:
        _complain(patch, sheet, KEYS[noun], f"is missing, and names the rows of {noun}; add it.")
        return None
    return Table(noun, columns, sheet.rows)


def _complain(patch: Patch, sheet: Sheet, column: str, sentence: str) -> None:
    patch.complaints.append(Complaint(patch.file, sheet.line, f"the column {column} {sentence}", column))
