"""Moments as people name them, in their own time zone: today, yesterday, a date, or the revision of a site."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.http import Http404
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from inventory.models import Site
from inventory.undoing.undo import revision_at

#: what people choose from: the value in addresses, and its words
SINCE = [("today", "today"), ("yesterday", "yesterday"), ("7days", "7 days ago"), ("30days", "30 days ago")]
_DAYS = {"today": 0, "yesterday": 1, "7days": 7, "30days": 30}


def moment_of(text: str, *, end: bool = False) -> datetime | None:
    """The moment that *text* names; a day means its beginning, or its *end*. None for anything else."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    if text in _DAYS:
        return midnight - timedelta(days=_DAYS[text])
    try:
        at, day = parse_datetime(text), parse_date(text)
    except ValueError:
        return None
    if day is not None:
        at = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - the person's zone, below
        if end:
            at += timedelta(days=1)
    if at is None:
        return None
    try:
        return timezone.make_aware(at) if timezone.is_naive(at) else at
    except (OverflowError, ValueError):
        return None


def is_revision(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def revision_named(site: Site, text: str, *, end: bool = False) -> int:
    """The revision that *text* names at *site*: itself, or what the site had at that moment. Raises Http404."""
    if is_revision(text):
        return int(text)
    moment = moment_of(text, end=end)
    if moment is None:
        raise Http404(f"“{text[:40]}” is no revision and no moment; write 41, yesterday or 2026-01-31.")
    return revision_at(site, moment)
