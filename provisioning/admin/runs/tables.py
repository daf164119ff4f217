"""The hosts of a run by how its tasks ended on them, and its tasks by how they ended on how many hosts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Min, Q, QuerySet, Sum

from provisioning.models import PlaybookRun, RunEvent, RunHost
from provisioning.models.runs import CHANGED, FAILED, IGNORED, OK, OUTCOMES, RESCUED, SKIPPED, UNREACHABLE

#: hosts on a page of the matrix; tasks that are listed
HOSTS_A_PAGE, MOST_TASKS = 50, 300
#: as the columns of the matrix stand, the worst beside the name
COLUMNS = (FAILED, UNREACHABLE, CHANGED, OK, SKIPPED, RESCUED, IGNORED)
MOST_PAGES = 10_000


@dataclass(frozen=True)
class Look:
    """How somebody looks at the matrix: *sort* is ``host`` or an outcome, with a minus the other way round."""

    named: str = ""
    fared: str = ""
    sort: str = "host"
    page: int = 1

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Look:
        sort = given.get("sort", "")
        fared, page = given.get("fared", ""), given.get("hosts", "")
        return cls(
            named=given.get("named", "").replace("\0", "").strip()[:255],
            fared=fared if fared in OUTCOMES else "",
            sort=sort if sort.removeprefix("-") in ("host", *OUTCOMES) else "host",
            page=min(max(1, int(page)), MOST_PAGES) if page.isdecimal() and len(page) < 9 else 1,
        )

    @property
    def query(self) -> str:
        """As the end of an address."""
        said = {"named": self.named, "fared": self.fared, "sort": self.sort, "hosts": str(self.page)}
        return urlencode({name: value for name, value in said.items() if value not in ("", "host", "1")})

    def sorted_by(self, column: str) -> Look:
        """By *column*; once more by the same is the other way round. Numbers begin with the highest."""
        first = column if column == "host" else f"-{column}"
        turned = column if first != column else f"-{column}"
        return replace(self, sort=turned if self.sort == first else first, page=1)


@dataclass(frozen=True)
class Column:
    name: str
    query: str
    #: as ARIA has it
    sorted: str


@dataclass(frozen=True)
class Row:
    host: str
    worst: str
    #: (outcome, how many tasks)
    cells: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Matrix:
    """One page of the hosts, and how many there are with the same look."""

    look: Look
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    count: int
    pages: int
    before: str
    after: str


def matrix(run: PlaybookRun, look: Look) -> Matrix:
    """The hosts that *look* keeps; three queries, however many there are."""
    rows = _kept(run, look)
    count = rows.count()
    pages = max(1, -(-count // HOSTS_A_PAGE))
    look = replace(look, page=min(look.page, pages))
    order = [look.sort] if look.sort.removeprefix("-") == "host" else [look.sort, "host"]
    first = (look.page - 1) * HOSTS_A_PAGE
    shown = rows.order_by(*order)[first : first + HOSTS_A_PAGE]
    return Matrix(
        look,
        tuple(_column(look, name) for name in ("host", *COLUMNS)),
        tuple(
            Row(row.host, row.worst, tuple((name, getattr(row, name)) for name in COLUMNS)) for row in shown
        ),
        count,
        pages,
        replace(look, page=look.page - 1).query if look.page > 1 else "",
        replace(look, page=look.page + 1).query if look.page < pages else "",
    )


def _kept(run: PlaybookRun, look: Look) -> QuerySet[RunHost]:
    rows = RunHost.objects.filter(run=run)
    if look.named:
        rows = rows.filter(host__icontains=look.named)
    return rows.filter(**{f"{look.fared}__gt": 0}) if look.fared else rows


def _column(look: Look, name: str) -> Column:
    way = "none"
    if look.sort.removeprefix("-") == name:
        way = "descending" if look.sort.startswith("-") else "ascending"
    return Column(name, look.sorted_by(name).query, way)


def totals(run: PlaybookRun) -> dict[str, int]:
    """Outcome → how many hosts; each under the worst that befell it, as ``models.runs.worst`` has it."""
    left, counted = Q(), {}
    for name in (UNREACHABLE, FAILED, CHANGED):
        befell = Q(**{f"{name}__gt": 0})
        counted[f"n_{name}"] = Count("pk", filter=left & befell)
        left &= ~befell
    counted[f"n_{OK}"] = Count("pk", filter=left)
    found = RunHost.objects.filter(run=run).aggregate(**counted)
    return {name.removeprefix("n_"): number for name, number in found.items()}


@dataclass(frozen=True)
class Task:
    play: str
    name: str
    #: (outcome, on how many hosts), without those that never happened
    ended: tuple[tuple[str, int], ...]
    #: of all hosts together
    seconds: float | None


def tasks(run: PlaybookRun) -> tuple[list[Task], bool]:
    """The tasks as they began, and whether there are more than are listed; one query."""
    counted: dict[str, Any] = {f"n_{name}": Count("pk", filter=Q(outcome=name)) for name in COLUMNS}
    rows: Any = (
        RunEvent.objects.filter(run=run)
        .exclude(task="")
        .order_by()
        .values("play", "task")
        .annotate(began=Min("counter"), spent=Sum("duration"), **counted)
        .order_by("began")[: MOST_TASKS + 1]
    )
    found = [
        Task(
            row["play"],
            row["task"],
            tuple((name, row[f"n_{name}"]) for name in COLUMNS if row[f"n_{name}"]),
            row["spent"],
        )
        for row in rows
    ]
    return found[:MOST_TASKS], len(found) > MOST_TASKS
