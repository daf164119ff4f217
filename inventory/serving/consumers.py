"""Who takes exports, what they have, and who is behind. Observed on the side, never declared.

A consumer is *failed* when its last report says so; *behind* when what it applied (or fetched, where it never
reports) has other content than the newest rendering; *silent* when it has not been heard of for a day; else
*current*. Content is compared, not revisions: a change of the site that leaves the file alone makes nobody late.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    Count,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models import CharField as Text
from django.db.models import DateTimeField as Moment
from django.db.models.functions import Coalesce, Concat, Greatest, Left, Right
from django.utils import timezone

from inventory.models import Consumer, Rendering
from inventory.serving.best_effort import best_effort

#: A fetch is written down when it brings something new, else this often.
NOTE_EVERY = timedelta(minutes=1)
SILENT_AFTER = timedelta(days=1)
STATES = ("current", "behind", "failed", "silent")

#: As ``renderings.etag_of`` writes it; the quotes may be missing.
ETAG = re.compile(
    r'(?:W/)?"?(?P<revision>\d{1,18})-(?:e(?P<epoch>\d{1,9})-)?(?P<content>[0-9a-f]{20})"?', re.ASCII
)
#: bytes of the content's name and the closing quote
TAIL = 21
LONGEST_NAME, LONGEST_MESSAGE = 200, 1000

_REMEMBERED = 10_000
#: what this process has written: key → (etag, when)
_noted: OrderedDict[tuple[Any, ...], tuple[str, datetime]] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Taking:
    """One consumer's use of one export."""

    site_id: int
    format: str
    variant: str
    name: str
    token_id: int | None = None

    @property
    def key(self) -> dict[str, Any]:
        return {
            "site_id": self.site_id,
            "format": self.format,
            "variant": self.variant,
            "name": self.name,
        }


def forget() -> None:
    """Drop what this process remembers; for tests that roll the database back."""
    _noted.clear()


def clean_name(given: str) -> str:
    """*given* as a name: letters, digits and ``._@:-``; may come out empty."""
    return re.sub(r"[^\w.@:-]+", "-", given, flags=re.ASCII).strip("-")[:LONGEST_NAME]


def clean_message(given: str) -> str:
    """*given* without what controls a terminal or turns a line around, and what no database takes; at most 1000
    characters."""
    readable = given.encode("utf-8", "replace").decode()
    line = re.sub(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\s]+", " ", readable).strip()
    return line if len(line) <= LONGEST_MESSAGE else f"{line[: LONGEST_MESSAGE - 1]}…"


def read_etag(given: str) -> tuple[str, int] | None:
    """The ETag in its one spelling, and its revision; None for what never was an ETag of ours."""
    match = ETAG.fullmatch(given.strip())
    if match is None:
        return None
    epoch = f"e{match['epoch']}-" if match["epoch"] else ""
    return f'"{match["revision"]}-{epoch}{match["content"]}"', int(match["revision"])


def named(etag: str) -> tuple[int, str] | None:
    """Revision and content that *etag* names; None for none of ours."""
    match = ETAG.fullmatch(etag)
    return (int(match["revision"]), match["content"]) if match else None


def note_fetched(taking: Taking, etag: str) -> None:
    """Remember that the consumer has the export with *etag*. One query at most, none within a minute."""
    now = timezone.now()
    noted = _noted.get((*taking.key.values(),))
    known = read_etag(etag)
    if known is None or (noted and noted[0] == etag and now - noted[1] < NOTE_EVERY):
        return
    with best_effort(f"fetch by {taking.name}"):
        _write(taking, fetched_at=now, fetched_etag=known[0], fetched_revision=known[1])
        _noted[(*taking.key.values(),)] = (etag, now)
        while len(_noted) > _REMEMBERED:
            _noted.popitem(last=False)


def report(taking: Taking, *, etag: str, ok: bool, message: str) -> None:
    """Store what the consumer says became of the rendering with *etag*; one that it applied is kept from then on.

    Raises ValueError when *etag* is none.
    """
    known = read_etag(etag)
    if known is None:
        raise ValueError(etag)
    text, revision = known
    now = timezone.now()
    outcome: dict[str, Any] = {"applied_at": now, "ok": ok, "message": clean_message(message)}
    if ok:
        outcome |= {"applied_etag": text, "applied_revision": revision}
        Rendering.objects.filter(
            site=taking.site_id,
            format=taking.format,
            variant=taking.variant,
            revision=revision,
            sha256__startswith=text[-TAIL:-1],
        ).update(applied=now)
    _write(taking, **outcome)


def _write(taking: Taking, **seen: Any) -> None:
    """Insert or update in one statement; another process may meet the same consumer at the same moment."""
    fields = [*seen, "token"] if taking.token_id else [*seen]
    Consumer.objects.bulk_create(
        [Consumer(**taking.key, token_id=taking.token_id, **seen)],
        update_conflicts=True,
        unique_fields=["site", "format", "variant", "name"],
        update_fields=fields,
    )


# --- who is behind ---


def judged(now: datetime | None = None) -> QuerySet[Any]:
    """Every consumer with ``state`` (see above), ``seen`` (when last heard of) and ``newest_revision``."""
    silent_since = (now or timezone.now()) - SILENT_AFTER
    newest = Rendering.objects.filter(
        site=OuterRef("site"), format=OuterRef("format"), variant=OuterRef("variant")
    ).order_by("-revision")
    has = Case(
        When(applied_etag__gt="", then=Right("applied_etag", TAIL)),
        default=Right("fetched_etag", TAIL),
        output_field=Text(),
    )
    content = Concat(Left(Subquery(newest.values("sha256")[:1]), TAIL - 1), Value('"'), output_field=Text())
    late = ExpressionWrapper(Q(newest_revision__isnull=False) & ~Q(has=F("content")), BooleanField())
    return Consumer.objects.annotate(
        newest_revision=Subquery(newest.values("revision")[:1]),
        has=has,
        content=content,
        seen=_last_heard(),
        late=late,
        state=Case(
            When(ok=False, then=Value("failed")),
            When(late=True, then=Value("behind")),
            When(seen__lt=silent_since, then=Value("silent")),
            default=Value("current"),
            output_field=Text(),
        ),
    )


def _last_heard() -> Any:
    """The later of fetch and report. SQLite's greatest of anything and NULL is NULL."""
    return Greatest(
        Coalesce("fetched_at", "first_seen", output_field=Moment()),
        Coalesce("applied_at", "first_seen", output_field=Moment()),
        output_field=Moment(),
    )


def counted(site: str | None = None) -> Iterable[tuple[str, str, str, int]]:
    """(site, format, state, how many), of every site or of one; one query."""
    rows = judged().filter(site__slug=site) if site else judged()
    grouped = rows.order_by().values("site__slug", "format", "state").annotate(number=Count("pk"))
    found = grouped.values_list("site__slug", "format", "state", "number")
    return sorted((str(slug), str(format), str(state), int(number)) for slug, format, state, number in found)
