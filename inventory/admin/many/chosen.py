"""The rows that a person chose in a list, carried from page to page by their numbers in one field."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from inventory.document.bulk import Name
from inventory.models import Group, Host, Interface, Segment, Service, Site
from inventory.permissions import may

#: More than this is a whole inventory; a document says it better.
MOST = 20_000
#: From here on one query for the sites is cheaper than asking for the rows by number.
MANY = 500

MODELS: dict[str, Any] = {
    "host": Host, "interface": Interface, "segment": Segment, "service": Service, "group": Group,
}  # fmt: skip
#: What a row is called, and its site.
_COLUMNS = {
    "host": ("name", "site__slug"),
    "interface": ("host__name", "name", "host__site__slug"),
    "segment": ("name", "site__slug"),
    "service": ("name", "tenant", "host__name", "site__slug"),
    "group": ("name", "site__slug"),
}


@dataclass
class Chosen:
    noun: str
    #: site → names of the rows there that the person may change
    names: dict[str, dict[Name, int]] = field(default_factory=lambda: defaultdict(dict))
    #: the same for rows at sites where the person may not
    forbidden: dict[str, dict[Name, int]] = field(default_factory=lambda: defaultdict(dict))
    ids: list[int] = field(default_factory=list)
    #: how many of the numbers lead to nothing any more
    gone: int = 0

    @property
    def carried(self) -> str:
        return ",".join(map(str, self.ids))

    @property
    def number(self) -> int:
        return len(self.ids)

    def page(self, slug: str, name: Name) -> str:
        pk = self.names.get(slug, {}).get(name) or self.forbidden.get(slug, {}).get(name)
        return reverse(f"admin:inventory_{self.noun}_change", args=(pk,)) if pk else ""


def chosen(request: HttpRequest, noun: str, ids: list[int]) -> Chosen:
    """The rows of those numbers that the person may look at, by site."""
    found = Chosen(noun, ids=sorted(set(ids)))
    wanted = set(found.ids)
    rows = admin.site._registry[MODELS[noun]].get_queryset(request).order_by()
    if len(wanted) <= MANY:
        rows = rows.filter(pk__in=wanted)
    by_site: dict[str, dict[Name, int]] = defaultdict(dict)
    for pk, *name, slug in rows.values_list("pk", *_COLUMNS[noun]):
        if pk in wanted:
            by_site[slug][tuple(name)] = pk
    sites = {site.slug: site for site in Site.objects.filter(slug__in=by_site)}
    for slug, names in sorted(by_site.items()):
        allowed = may(request.user, f"inventory.change_{noun}", sites.get(slug))
        (found.names if allowed else found.forbidden)[slug] = names
    found.gone = len(wanted) - sum(map(len, by_site.values()))
    return found


def numbers(text: str) -> list[int]:
    """The numbers in *text*, at most :data:`MOST` of them; what is none is left out."""
    parts = (part.strip() for part in text.split(",", MOST + 1)[: MOST + 1])
    return [int(part) for part in parts if part.isascii() and part.isdecimal() and len(part) < 18]


def said(noun: str, name: Name) -> str:
    """What people call the row."""
    if noun == "interface":
        return "/".join(name)
    if noun == "service":
        return f"{'.'.join(part for part in name[:2] if part)} on {name[2]}"
    return name[0]
