"""What two versions make of the same facts, side by side. Pure but for reading the two folders."""

from __future__ import annotations

import difflib
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

LINES_OF_A_FILE = 40
#: of a zone that differs it is the time at which it was rendered
SERIAL = re.compile(r"( IN SOA \S+ \S+) \d+")

Export = tuple[str, str, str]  # site, authority, format


@dataclass(frozen=True)
class Difference:
    """One file of one export that is not what it was."""

    site: str
    authority: str
    format: str
    file: str
    words: str

    @property
    def where(self) -> tuple[str, str, str, str]:
        return self.site, self.authority, self.format, self.file


@dataclass(frozen=True)
class Comparison:
    exports: int
    differences: tuple[Difference, ...]
    #: formats that the previous version did not have
    new_formats: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """Names exactly these differences, whenever they were looked at."""
        words = SERIAL.sub(r"\1", "\n".join(one.words for one in self.differences))
        return hashlib.sha256(words.encode()).hexdigest()[:12]

    @property
    def where(self) -> frozenset[tuple[str, str, str, str]]:
        return frozenset(one.where for one in self.differences)


def compare(before: Path, after: Path) -> Comparison:
    """Every file of every export in *before* against *after*; a format that only *after* has is no difference."""
    old, new = _files(before), _files(after)
    formats = {export[2] for export in old}
    told = sorted({export[2] for export in new} - formats)
    differences = []
    for export in sorted(set(old) | {one for one in new if one[2] in formats}):
        one, other = old.get(export, {}), new.get(export, {})
        for name in sorted(set(one) | set(other)):
            if one.get(name) != other.get(name):
                differences.append(
                    Difference(*export, name, _words(export, name, one.get(name), other.get(name)))
                )
    return Comparison(len(old), tuple(differences), tuple(told))


def _files(folder: Path) -> dict[Export, dict[str, bytes]]:
    found: dict[Export, dict[str, bytes]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            site, authority, format, *name = path.relative_to(folder).parts
            found.setdefault((site, authority, format), {})[str(PurePosixPath(*name))] = path.read_bytes()
    return found


def _words(export: Export, name: str, one: bytes | None, other: bytes | None) -> str:
    site, authority, format = export
    title = f"{format} of {site}, {authority}: {name}"
    if one is None:
        return f"{title} is new\n"
    if other is None:
        return f"{title} is gone\n"
    lines = difflib.unified_diff(
        one.decode(errors="replace").splitlines(),
        other.decode(errors="replace").splitlines(),
        "before",
        "after",
        lineterm="",
        n=1,
    )
    return f"{title}\n" + "".join(f"  {line}\n" for line in lines)


def shortened(words: str) -> str:
    """The beginning of a long difference."""
    lines = words.splitlines(keepends=True)
    if len(lines) <= LINES_OF_A_FILE:
        return words
    return "".join(lines[:LINES_OF_A_FILE]) + f"  … and {len(lines) - LINES_OF_A_FILE} lines more\n"
