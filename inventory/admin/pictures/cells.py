"""Cells of a grid as templates draw them, and where things lead: hosts and services by name, identities by value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.defaultfilters import date
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode

from inventory.models import Site
from inventory.permissions import may

#: what stands in a cell beside its colour, so that nobody needs to see colours
LETTERS = {
    "disputed": "!",
    "gateway": "G",
    "infrastructure": "S",
    "reserved": "R",
    "host": "H",
    "used": "H",
    "quarantined": "Q",
    "edge": "–",  # noqa: RUF001 - a dash that is seen
    "delegated": "X",
    "pool": "P",
    "free": "+",
    "outside": "·",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One cell: what stands in it, what is told of it, where it leads."""

    label: str
    state: str
    told: str
    url: str = ""
    #: not of the state that is asked for
    off: bool = False

    @property
    def letter(self) -> str:
        return LETTERS[self.state]

    @property
    def css(self) -> str:
        return "off" if self.off else self.state


@dataclass(frozen=True, slots=True)
class Key:
    """An entry of a legend, which is a filter as well."""

    state: str
    words: str
    number: int
    url: str
    chosen: bool = False

    @property
    def letter(self) -> str:
        return LETTERS[self.state]


def legend(counts: dict[Any, int], words: dict[str, str], chosen: str, **query: str) -> list[Key]:
    """One key for each state that occurs, or is asked for; a second click on it takes the filter away."""
    found = []
    for state, number in counts.items():
        if number or state == chosen:
            given = {name: value for name, value in query.items() if value}
            url = f"?{urlencode(given if state == chosen else {**given, 'state': state})}"
            found.append(Key(state, words[state], number, url, state == chosen))
    return found


def day(moment: str) -> str:
    """The day of an ISO 8601 *moment*, where the person is; empty for an empty one."""
    found = parse_datetime(moment) if moment else None
    return str(date(timezone.localtime(found), "j M Y")) if found else moment[:10]


def lasting(since: str, until: str) -> str:
    """“since 1 Jan 2026, until 1 Feb 2026”, as far as it is known."""
    parts = [f"since {day(since)}" if since else "", f"until {day(until)}" if until else ""]
    return ", ".join(filter(None, parts))


def page_of(site: Site, noun: str, name: str) -> str:
    return reverse("admin:go", args=(site.slug, noun, name))


def ledger_of(site: Site, kind: str, value: str) -> str:
    """The identities of that value, as the ledger has them."""
    query = urlencode({"q": value, "kind__exact": kind, "on_site": site.slug})
    return f"{reverse('admin:inventory_identity_changelist')}?{query}"


def require(request: HttpRequest, site: Site, *permissions: str) -> None:
    """Raise PermissionDenied for whoever lacks one of *permissions* at *site*: a picture shows several nouns."""
    for permission in permissions:
        if not may(request.user, permission, site):
            raise PermissionDenied(f"This picture needs the permission {permission} at site {site}.")


def number_in(request: HttpRequest, name: str) -> int | None:
    """A number out of the query string; None for anything else."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else None
