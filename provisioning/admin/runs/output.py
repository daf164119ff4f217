"""What a run said, a piece at a time: pages hold a window of it, however long it is.

Lines are numbered as they were written, from 1. A filter keeps the lines of some events; what it keeps is cut into pieces
of ``PIECE`` lines as well, so that a page knows how high everything is before it has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from urllib.parse import urlencode

from django.db.models import F, QuerySet, Sum, Window
from django.utils.safestring import SafeString, mark_safe

from provisioning.admin.runs.coloured import html_lines, plain
from provisioning.models import PlaybookRun, RunEvent
from provisioning.models.runs import FAILED, OUTCOMES, UNREACHABLE

#: lines of one piece
PIECE = 200
#: so many places of a search are listed
MOST_FOUND = 100
LONGEST_WORD, LONGEST_FOUND = 200, 300
#: characters of a filter's value
LONGEST_VALUE = 500


@dataclass(frozen=True)
class Filter:
    """Which events' lines are shown; empty: all of them."""

    host: str = ""
    outcome: str = ""
    play: str = ""
    task: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Filter:
        """As an address has it; an outcome that there is not is none."""
        found = {
            name: given.get(name, "").replace("\0", "")[:LONGEST_VALUE] for name in ("host", "play", "task")
        }
        outcome = given.get("outcome", "")
        return cls(**found, outcome=outcome if outcome in OUTCOMES else "")

    def __bool__(self) -> bool:
        return any(asdict(self).values())

    @property
    def query(self) -> str:
        """As the end of an address, ready to be followed by more."""
        return urlencode({name: value for name, value in asdict(self).items() if value})

    def events(self, run: PlaybookRun) -> QuerySet[RunEvent]:
        """The events of *run* that it keeps, as they came."""
        wanted = {name: value for name, value in asdict(self).items() if value}
        return RunEvent.objects.filter(run=run, lines__gt=0, **wanted).order_by("counter")


@dataclass(frozen=True)
class Line:
    number: int
    html: SafeString


def lines_of(run: PlaybookRun, wanted: Filter) -> int:
    """How many lines there are to be shown."""
    if not wanted:
        return run.lines
    return wanted.events(run).aggregate(sum=Sum("lines"))["sum"] or 0


def piece(run: PlaybookRun, wanted: Filter, number: int) -> list[Line]:
    """The lines of the piece *number*, from 0; none where there is none."""
    first = number * PIECE
    events = _filtered(run, wanted, first) if wanted else _of_all(run, first)
    return [
        Line(event.first_line + at, mark_safe(html))  # noqa: S308 (html_lines escapes)
        for event, before in events
        for at, html in enumerate(_html(event))
        if first <= before + at < first + PIECE
    ]


def _html(event: RunEvent) -> list[str]:
    """As many as were counted, also where the text was kept short: a page asks until it has all of them."""
    found = html_lines(event.text)[: event.lines]
    return [*found, *[""] * (event.lines - len(found))]


def _of_all(run: PlaybookRun, first: int) -> list[tuple[RunEvent, int]]:
    """(event, lines before it) of those with lines from *first* on, counted from 0."""
    rows = RunEvent.objects.filter(run=run, lines__gt=0).only("run_id", "first_line", "lines", "text")
    begun = rows.filter(first_line__lte=first + 1).order_by("-first_line").first()
    later = rows.filter(first_line__gt=first + 1, first_line__lte=first + PIECE).order_by("first_line")
    return [(event, event.first_line - 1) for event in [*([begun] if begun else []), *later]]


def _filtered(run: PlaybookRun, wanted: Filter, first: int) -> list[tuple[RunEvent, int]]:
    """The same of the lines that a filter keeps, which have to be counted up."""
    counted = (
        wanted.events(run)
        .annotate(until=Window(Sum("lines"), order_by=F("counter").asc()))
        .filter(until__gt=first, until__lte=first + PIECE + F("lines"))
        .values_list("pk", "until")
    )
    until: dict[int, int] = dict(counted)
    rows = RunEvent.objects.filter(pk__in=until).only("run_id", "first_line", "lines", "text")
    return [(event, until[event.pk] - event.lines) for event in rows.order_by("counter")]


def piece_of_line(number: int) -> int:
    """The piece of everything that has the line *number*."""
    return max(0, number - 1) // PIECE


def first_failure(run: PlaybookRun) -> int:
    """The number of the first line that tells of a failure or of a host that could not be reached; 0: none."""
    bad = RunEvent.objects.filter(run=run, lines__gt=0, outcome__in=(FAILED, UNREACHABLE))
    return bad.order_by("counter").values_list("first_line", flat=True).first() or 0


@dataclass(frozen=True)
class Found:
    """The lines with a word: the first of them, and whether there are more."""

    lines: tuple[tuple[int, str], ...]
    is_all: bool


def found(run: PlaybookRun, wanted: Filter, word: str) -> Found:
    """The lines of *run* with *word*, in capitals or not; colours are looked through."""
    word = word.replace("\0", "").strip()[:LONGEST_WORD]
    if not word:
        return Found((), True)
    places: list[tuple[int, str]] = []
    for place in _places(run, wanted, word.casefold()):
        if len(places) == MOST_FOUND:
            return Found(tuple(places), False)
        places.append(place)
    return Found(tuple(places), True)


def _places(run: PlaybookRun, wanted: Filter, word: str) -> Iterator[tuple[int, str]]:
    rows = wanted.events(run).values_list("first_line", "text")
    for first, text in rows.iterator(chunk_size=500):
        if word not in plain(text).casefold():
            continue
        for at, line in enumerate(plain(one) for one in text.split("\n")):
            if word in line.casefold():
                yield first + at, _around(line, word)


def _around(line: str, word: str) -> str:
    """*line*, or the part of a long one that has *word*."""
    if len(line) <= LONGEST_FOUND:
        return line
    at = max(0, line.casefold().find(word) - LONGEST_FOUND // 3)
    return f"…{line[at : at + LONGEST_FOUND]}…"


def as_text(run: PlaybookRun, wanted: Filter) -> Iterator[str]:
    """Everything that was said, without colours; a piece of text for each event."""
    for text in wanted.events(run).values_list("text", flat=True).iterator(chunk_size=500):
        yield "".join(f"{plain(line)}\n" for line in text.split("\n"))
