"""Exactly one copy of the application writes a site: which one, whether it is this one, and why not.

``Site.live_copy`` names the copy that writes, ``Copy.uid`` this database. They differ after a restore, without a write to
any site: the copy is read-only until it is promoted. They also count as different where a consumer brought proof (its
``signature``) of another copy that is live in the same epoch or a later one: two that write would part, and which one
shall go on is for a person to say.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from inventory.models import Copy, OtherCopy, Site, Token
from inventory.models.copies import new_uid

#: a copy that is met again and again is written down so often
NOTE_EVERY = timedelta(minutes=1)
#: for so long a copy that nobody proved is spoken of after it was told of last
KEEP_RUMOURS = timedelta(days=7)


class ReadOnly(ValidationError):
    """The site is not written by this copy; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one site stands in this copy."""

    site_id: int
    slug: str
    epoch: int
    #: of the copy that writes the site, as far as this one knows
    live_copy: str
    is_live: bool
    #: a consumer met another copy that is live in the same epoch or a later one, proven or not
    has_met: bool = False
    #: why it is read-only, or what a consumer says of another copy; a sentence with the way out
    trouble: str = ""

    @property
    def is_read_only(self) -> bool:
        return not self.is_live


# --- this copy ---


def uid() -> str:
    """The id of this database. One query; the first ever makes it."""
    known = Copy.objects.values_list("uid", flat=True).first()
    return known or Copy.objects.get_or_create(pk=Copy.ONLY)[0].uid


def renew(restored_from: str, model: Any = Copy) -> str:
    """Make this database another copy: from here on no site is live in it. For what was put back from an archive, in the
    transaction of its rows; *model* is ``Copy`` as it was then."""
    fresh = new_uid()
    said = {"uid": fresh, "since": timezone.now(), "restored_from": restored_from[:200]}
    if not model.objects.filter(pk=Copy.ONLY).update(**said) and Site.objects.exists():
        model.objects.create(pk=Copy.ONLY, **said)
    return fresh


# --- which sites it writes ---


def with_standing(sites: QuerySet[Site]) -> QuerySet[Any]:
    """*sites* with ``here`` (it is this copy that writes them) and ``met`` (another one is proven to as well)."""
    rival = OtherCopy.objects.filter(site=OuterRef("pk"), proven=True, epoch__gte=OuterRef("epoch"))
    return sites.annotate(
        here=Exists(Copy.objects.filter(uid=OuterRef("live_copy"))),
        met=Exists(rival.exclude(uid=OuterRef("live_copy"))),
    )


def live(sites: QuerySet[Site]) -> QuerySet[Any]:
    """Those of *sites* that this copy writes."""
    return with_standing(sites).filter(here=True, met=False)


def is_live(site: Site | int | None) -> bool:
    """Whether this copy writes the site. What belongs to no site is written where any site is, or none is declared."""
    if site is None:
        return live(Site.objects.all()).exists() or not Site.objects.exists()
    return live(Site.objects.filter(pk=site.pk if isinstance(site, Site) else site)).exists()


def require_live(site: Site | int | None) -> None:
    """Raise ReadOnly unless this copy writes the site (None: any)."""
    if is_live(site):
        return
    if site is None:
        raise ReadOnly(all_read_only())
    told = standings(Site.objects.filter(pk=site.pk if isinstance(site, Site) else site))
    raise ReadOnly([one.trouble for one in told if not one.is_live] or ["The site is gone."])


def all_read_only() -> str:
    return (
        f"This copy of the application is read-only: {_whence()} Nothing is written and nothing is done outside. Make it "
        'the live copy of a site with `manage.py promote SITE --why "…"`, or use the copy that is.'
    )


# --- in words ---


def standings(sites: QuerySet[Site]) -> list[Standing]:
    """Every site with where it stands; three queries at most, one where all is well."""
    rows = list(with_standing(sites).order_by("slug"))
    others = _others([row.pk for row in rows])
    troubled = [row for row in rows if not row.here or row.pk in others]
    whence = _whence() if any(not row.here for row in troubled) else ""
    return [
        Standing(
            row.pk,
            row.slug,
            row.epoch,
            row.live_copy,
            row.here and not row.met,
            row.pk in others,
            _trouble(row, others.get(row.pk, []), whence),
        )
        for row in rows
    ]


def troubles(sites: QuerySet[Site] | None = None) -> list[Standing]:
    """The sites of which there is something to say; one query where there is nothing."""
    rows = with_standing(Site.objects.all() if sites is None else sites)
    doubted = heard().filter(site=OuterRef("pk"), epoch__gte=OuterRef("epoch"))
    doubted = doubted.exclude(uid=OuterRef("live_copy"))
    found = list(rows.filter(Q(here=False) | Exists(doubted)).values_list("pk", flat=True))
    return standings(Site.objects.filter(pk__in=found)) if found else []


def silence() -> str:
    """What ``/readyz`` says to anybody, so without names: it goes on serving, and says what it does not write."""
    found = troubles()
    closed, met = (sum(getattr(one, what) for one in found) for what in ("is_read_only", "has_met"))
    said = []
    if closed:
        said.append(f"read-only for {closed} of {Site.objects.count()} sites")
    if met:
        said.append(f"another live copy was met of {met}")
    return f"{'; '.join(said)}; manage.py promote says why" if said else ""


def _others(sites: Iterable[int]) -> dict[int, list[OtherCopy]]:
    found: dict[int, list[OtherCopy]] = {}
    rows = heard().filter(site__in=list(sites), epoch__gte=F("site__epoch"))
    for row in rows.exclude(uid=F("site__live_copy")).order_by("site", "-epoch", "-proven", "uid"):
        found.setdefault(row.site_id, []).append(row)
    return found


def _trouble(site: Any, others: list[OtherCopy], whence: str) -> str:
    met = f" {_met(site, others[0])}" if others else ""
    if not site.here:
        said = f"Site {site.slug} is read-only in this copy: {whence}{met}"
    elif site.met:
        said = f"Site {site.slug} is read-only now:{met}"
    elif others:
        return (
            f"Site {site.slug} may have two copies that write:{met} It could not be proven, so this copy goes on. Look at "
            f"the other; whichever shall be the only one, `{_promotion(site, others)}` there."
        )
    else:
        return ""
    return (
        f"{said} Change it in the copy that is live, or make this one live with `{_promotion(site, others)}`."
    )


def _promotion(site: Site, others: list[OtherCopy]) -> str:
    """The command that ends it: a later epoch that nobody proved is stepped over only where it is named."""
    rumour = max((one.epoch for one in others if not one.proven), default=0)
    known = max((site.epoch, *(one.epoch for one in others if one.proven)))
    above = f" --above {rumour}" if rumour > known else ""
    return f'manage.py promote {site.slug}{above} --why "…"'


def _whence() -> str:
    here = Copy.objects.first()
    if here is None or not here.restored_from:
        return "another copy of the application is the one that writes it."
    when = _at(here.since)
    return f"it was restored from {here.restored_from} ({when}), and the copy that it came from may still be live."


def _met(site: Site, other: OtherCopy) -> str:
    rank = "the same epoch" if other.epoch == site.epoch else "a later epoch"
    return (
        f"{other.told_by or 'a consumer'} met another live copy, {other.uid}, in {rank} ({other.epoch}; here {site.epoch}), "
        f"last told {_at(other.last_seen)}."
    )


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


# --- what consumers met ---


def heard() -> QuerySet[OtherCopy]:
    """The copies that consumers met: proven, or told of in the last days."""
    return OtherCopy.objects.filter(Q(proven=True) | Q(last_seen__gt=timezone.now() - KEEP_RUMOURS))


def rumoured(site: Site) -> int:
    """The highest epoch that somebody told of and nobody proved, where a promotion would not step over it; else 0."""
    (above,) = heard().filter(site=site, proven=False).aggregate(top=Max("epoch")).values()
    return above if above is not None and above >= next_epoch(site) else 0


def forget_rumours(site: Site | None = None) -> int:
    """Remove what nobody proved: of *site* all of it, else what was told of long ago. How many."""
    rows = OtherCopy.objects.filter(proven=False)
    old = Q(last_seen__lte=timezone.now() - KEEP_RUMOURS)
    return (rows.filter(old) if site is None else rows.filter(site=site)).delete()[0]


def note_met(
    site_id: int, *, epoch: int, other: str, proven: bool, told_by: str, token_id: int | None = None
) -> bool:
    """Remember that a consumer met *other*, live in *epoch*; True when that is news. Lower epochs are of no interest.

    What is not proven is told by its token, and of each token one such copy is kept: who reads could make up any number.
    """
    site = Site.objects.filter(pk=site_id).values("epoch", "live_copy").first()
    if site is None or epoch < site["epoch"] or other == site["live_copy"]:
        return False
    now = timezone.now()
    if not proven and not OtherCopy.objects.filter(site_id=site_id, epoch=epoch, uid=other).exists():
        return _note_rumour(site_id, epoch, other, _token_name(token_id) or told_by)
    row, made = OtherCopy.objects.get_or_create(
        site_id=site_id, epoch=epoch, uid=other, defaults={"proven": proven, "told_by": told_by}
    )
    if not made and (now - row.last_seen > NOTE_EVERY or proven > row.proven):
        said = {"last_seen": now, "proven": row.proven or proven}
        OtherCopy.objects.filter(pk=row.pk).update(**said, **({"told_by": told_by} if proven else {}))
    return made or (proven and not row.proven)


def _note_rumour(site_id: int, epoch: int, other: str, told_by: str) -> bool:
    now = timezone.now()
    said = {"epoch": epoch, "uid": other, "last_seen": now}
    own = OtherCopy.objects.filter(site_id=site_id, proven=False, told_by=told_by).order_by("pk").first()
    if own is None:
        OtherCopy.objects.create(site_id=site_id, told_by=told_by, **said)
        return True
    recent = Q(last_seen__gte=now - NOTE_EVERY)
    return bool(OtherCopy.objects.exclude(recent).filter(pk=own.pk).update(first_seen=now, **said))


def _token_name(token_id: int | None) -> str:
    name = Token.objects.filter(pk=token_id).values_list("name", flat=True).first() if token_id else None
    return f"token {name}"[:200] if name else ""


def next_epoch(site: Site) -> int:
    """The epoch that a promotion gives: above this copy's own and above every one that is proven."""
    proven = OtherCopy.objects.filter(site=site, proven=True).order_by("-epoch").values("epoch")[:1]
    now = Site.objects.filter(pk=site.pk).values_list("epoch", Subquery(proven)).get()
    return max(number for number in now if number is not None) + 1
