"""Versions of what a page or an answer showed, and how two people's edits of it come together. Pure.

A page shows parts (the row itself is the part ``""``, an interface ``"interfaces 12"``), a part has fields, a field a
text or, where it names other rows, a set of their ids. A :class:`Version` keeps a short digest of every field, so that
a form can carry it; the rows' values stay in the database.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

Value = str | frozenset[str]
#: part → field → value
Page = Mapping[str, Mapping[str, Value]]

ROW = ""
#: a token longer than this was not made here
LONGEST = 1_000_000
_DIGITS = 12
_WORD = re.compile(r"[\w ]*", re.ASCII)
_MARK = re.compile(rf"[0-9a-f]{{{_DIGITS}}}|\+|(?:\+[\w-]+)+", re.ASCII)


@dataclass(frozen=True)
class Version:
    """What was shown: the site's revision at most, and a mark for each field of each part."""

    revision: int
    marks: Mapping[str, Mapping[str, str]]

    def __str__(self) -> str:
        parts = (
            f"{part}=" + ",".join(f"{name}:{mark}" for name, mark in marks.items())
            for part, marks in self.marks.items()
        )
        return ";".join([str(self.revision), *parts])

    def shows(self, page: Page) -> bool:
        """Whether *page* is what was shown."""
        return self.marks == version_of(page, 0).marks


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def digest_of(values: Mapping[str, object]) -> str:
    """One short name for *values*, whatever order they come in; for ETags and confirmations."""
    return digest("\n".join(f"{name}={values[name]!r}" for name in sorted(values)))


def mark_of(value: Value) -> str:
    """A set is kept as it is: two people's additions to it can then be joined."""
    if isinstance(value, str):
        return digest(value)
    return "+" + "+".join(sorted(value))


def version_of(page: Page, revision: int) -> Version:
    return Version(
        revision,
        {part: {name: mark_of(value) for name, value in values.items()} for part, values in page.items()},
    )


def read(token: str) -> Version | None:
    """The version that *token* says; None for what was never one."""
    if len(token) > LONGEST:
        return None
    revision, *parts = token.split(";")
    if not (revision.isascii() and revision.isdecimal() and len(revision) < 19 and parts):
        return None
    marks: dict[str, dict[str, str]] = {}
    for text in parts:
        part, equals, fields = text.partition("=")
        named = [one.partition(":") for one in fields.split(",") if one]
        if not equals or not _WORD.fullmatch(part) or not all(_MARK.fullmatch(mark) for _, _, mark in named):
            return None
        marks[part] = {name: mark for name, _, mark in named}
    return Version(int(revision), marks)


def _set_of(mark: str) -> frozenset[str]:
    return frozenset(mark.split("+")) - {""}


@dataclass
class Merge:
    """The form to show next, and what to say of it."""

    #: what the form holds: the other's changes where only the other changed, mine elsewhere
    page: dict[str, dict[str, Value]] = field(default_factory=dict)
    #: only the other changed these, or both added to the same set
    adopted: list[tuple[str, str]] = field(default_factory=list)
    #: both changed these, to different values
    conflicts: list[tuple[str, str]] = field(default_factory=list)
    #: parts that the other added
    added: list[str] = field(default_factory=list)
    #: parts that the other deleted and I had left alone
    gone: list[str] = field(default_factory=list)
    #: parts that the other deleted and I edited
    gone_but_edited: list[str] = field(default_factory=list)
    #: parts that I delete and the other edited
    edited_but_deleted: list[str] = field(default_factory=list)

    @property
    def undecided(self) -> Iterator[str]:
        """The keys of what a person must choose: ``part.field``, or ``part`` alone."""
        yield from (f"{part}.{name}" for part, name in self.conflicts)
        yield from self.gone_but_edited
        yield from self.edited_but_deleted


def merge(shown: Version | None, stored: Page, mine: Page, deleted: Collection[str] = ()) -> Merge:
    """Bring *mine*, typed into what was *shown*, together with what is *stored* by now.

    *deleted* are the parts that I delete. Without a readable version everything that differs is a conflict: nobody can
    say who changed it.
    """
    marks = shown.marks if shown else {}
    found = Merge()
    for part, values in stored.items():
        if part not in mine:
            if part not in marks:
                found.added.append(part)
            found.page[part] = dict(values)
            continue
        before = marks.get(part, {})
        if part in deleted:
            found.page[part] = dict(values)
            if any(before.get(name) != mark_of(value) for name, value in values.items()):
                found.edited_but_deleted.append(part)
            continue
        _fields(found, part, before, values, mine[part])
    for part, typed in mine.items():
        if part in stored:
            continue
        before = marks.get(part, {})
        edited = any(before.get(name) != mark_of(value) for name, value in typed.items())
        if edited and part not in deleted:
            found.gone_but_edited.append(part)
            found.page[part] = dict(typed)
        else:
            found.gone.append(part)
    return found


def _fields(
    found: Merge, part: str, before: Mapping[str, str], stored: Mapping[str, Value], mine: Mapping[str, Value]
) -> None:
    taken = found.page.setdefault(part, {})
    for name, theirs in stored.items():
        own, mark = mine.get(name, theirs), before.get(name)
        they_moved, i_moved = mark != mark_of(theirs), mark != mark_of(own)
        taken[name] = own
        if not they_moved or own == theirs:
            continue
        if not i_moved:
            taken[name] = theirs
            found.adopted.append((part, name))
        elif mark and isinstance(own, frozenset) and isinstance(theirs, frozenset):
            base = _set_of(mark)
            taken[name] = (own | (theirs - base)) - (base - theirs)
            found.adopted.append((part, name))
        else:
            found.conflicts.append((part, name))
