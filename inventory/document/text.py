"""A file of site documents as values with their lines. Everything wrong with it is collected, nothing raised."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from inventory import yaml11
from inventory.document.form import Path, faults
from inventory.exports.site import schema

#: A key that holds named things → what one of them is called; at the top, and further down.
NOUNS = {
    "hosts": "host",
    "segments": "segment",
    "groups": "group",
    "profiles": "profile",
    "roles": "role",
    "projects": "project",
    "templates": "job template",
    "kit_places": "place of kits",
    "aliases": "alias",
    "serials": "serial of",
}
INNER = {"interfaces": "interface"}
MAX_BYTES = 200_000_000
MAX_VALUES = 20_000_000
MAX_PADDING = 20_000_000  # lines before documents, all together: it grows with the square of their number
_MARKER = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
#: A line that says something: neither empty, nor a comment, nor a directive.
_SAYS = re.compile(r"^(?!%)[ \t\r\ufeff]*+[^ \t\r\ufeff#\n]", re.MULTILINE)


@dataclass(frozen=True, order=True)
class Complaint:
    """What is wrong in one place of the file: the thing, the rule, the way out."""

    file: str
    line: int
    sentence: str
    #: of a table: the header of the cell
    column: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.sentence}" if self.line else f"{self.file}: {self.sentence}"


@dataclass
class Read:
    """One document: its values, where they stand, what is wrong with it so far."""

    file: str
    values: dict[str, Any]
    positions: yaml11.Positions
    complaints: list[Complaint] = field(default_factory=list)
    #: (noun, name) of what was malformed: no use in judging it further
    malformed: set[Path] = field(default_factory=set)
    #: whether what is not named is left alone, not missing
    is_patch: bool = False

    @property
    def slug(self) -> str:
        return str(self.values["site"])

    def line(self, *path: str | int) -> int:
        return self.positions.line(path)

    def complain(self, path: Path, message: str) -> None:
        """Say *message* of the thing at *path*, unless the thing was malformed anyway."""
        if path[:2] not in self.malformed:
            self.complaints.append(Complaint(self.file, self.line(*path), f"{thing_at(path)} {message}"))


def thing_at(path: Path) -> str:
    """``("hosts", "pi01", "interfaces", "eth0", "mac")`` in the operator's words: host pi01: interface eth0: mac."""
    words: list[str] = []
    steps = list(path)
    while steps:
        step = steps.pop(0)
        if isinstance(step, int):
            words.append(f"number {step + 1}")
        elif steps and step in (INNER if words else NOUNS):
            words.append(f"{(INNER if words else NOUNS)[step]} {steps.pop(0)}")
        else:
            words.append(step)
    return ": ".join(words) or "the document"


def read(text: bytes, file: str) -> tuple[list[Read], list[Complaint]]:
    """Every document of *text*, and what is wrong with the file."""
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        return [], [Complaint(file, line, "the file is not text in UTF-8; save it as UTF-8.")]
    found: list[Read] = []
    complaints: list[Complaint] = []
    for part in _parts(decoded):
        if not part:
            sentence = (
                f"the file has too many documents for its length; split it after some {len(found) or 1}."
            )
            complaints.append(Complaint(file, 0, sentence))
            break
        try:
            value, positions = yaml11.read(
                part, file, max_bytes=MAX_BYTES, max_nodes=MAX_VALUES // 40, max_values=MAX_VALUES
            )
        except yaml11.YamlProblem as problem:
            complaints.append(Complaint(file, problem.line or 0, f"{problem.message} {problem.hint}".strip()))
            continue
        if not isinstance(value, dict):
            sentence = "a site document is a mapping; begin with `mgmtplane: 1`."
            complaints.append(Complaint(file, positions.line(()), sentence))
            continue
        document = _checked(value, positions, file)
        if "site" in document.values:
            found.append(document)
        else:
            complaints += document.complaints
    if not found and not complaints:
        complaints.append(
            Complaint(
                file, 1, "the file is empty; a site document begins with `mgmtplane: 1` and `site: <name>`."
            )
        )
    return _one_each(found, complaints), complaints


def _one_each(documents: list[Read], complaints: list[Complaint]) -> list[Read]:
    """The first document of every site."""
    first: dict[str, Read] = {}
    for document in documents:
        there = first.setdefault(document.slug, document)
        if there is not document:
            line = there.line("site")
            document.complain(("site",), f"{document.slug} has a document on line {line} already; keep one.")
            complaints += document.complaints
    return list(first.values())


def _parts(text: str) -> Iterator[str]:
    """The documents of *text*, each with as many empty lines before it as it has lines before it in the file.

    An empty one at the end: there are more, with more empty lines together than anybody waits for.
    """
    ends = [match.start() for match in _MARKER.finditer(text)]
    starts = [0, *ends]
    lines = padded = 0
    for start, end in zip(starts, [*ends, len(text)], strict=True):
        part = text[start:end]
        if _SAYS.search(_MARKER.sub("", part, count=1)):
            padded += lines
            if padded > MAX_PADDING:
                yield ""
                return
            yield "\n" * lines + part
        lines += part.count("\n")


def _checked(value: dict[str, Any], positions: yaml11.Positions, file: str) -> Read:
    document = Read(file, value, positions)
    found = list(faults(value, schema.DOCUMENT))
    for fault in found:
        document.complain(fault.path, fault.message)
    for fault in found:
        drop(value, fault.path)
        document.malformed.add(fault.path[:2])
    return document


def drop(value: Any, path: Path) -> None:
    """Take out the key in which something is malformed, so that the rest can be judged: every problem at once."""
    owner: tuple[dict[str, Any], str] | None = None
    for step in path:
        if isinstance(value, list):
            break  # an item that lost a key is none: the list goes
        if isinstance(value, dict):
            owner = (value, str(step))
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            break  # it went with what it stood in
    if owner is not None:
        owner[0].pop(owner[1], None)
