"""Who sets a variable, to what, and what it comes to where; and what a group gives its hosts, beside its form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from inventory import reading, yaml11
from inventory.admin.judgement import pages_of
from inventory.admin.pages import page, shown
from inventory.ansible import group_variables
from inventory.ansible.resolving import Origin, members
from inventory.models import Group, Site
from inventory.permissions import visible_sites
from inventory.rules.masking import HIDDEN, SEALED, masked
from inventory.snapshot import Snapshot

#: so many are listed; the rest is counted
MOST_MEMBERS, MOST_HOSTS, MOST_NAMES, MOST_SETTERS = 200, 8, 500, 200
LONGEST_NAME = 200


@dataclass(frozen=True)
class Place:
    """Who says something, and where his page is."""

    text: str
    page: str = ""


@dataclass(frozen=True)
class Row:
    """A variable of a group, in words."""

    key: str
    value: str
    origin: Place
    is_own: bool
    instead: tuple[tuple[Place, str], ...]
    others: tuple[tuple[str, Place], ...]
    others_count: int
    who: str


def text_of(key: str, value: Any) -> str:
    """*value* as YAML; sealed values and what looks like a secret by a word."""
    plain = masked(key, value)
    if plain in (SEALED, HIDDEN):
        return str(plain)
    try:
        if plain and isinstance(plain, dict | list):
            return yaml11.dump(plain).rstrip("\n")
        return yaml11.dump({"value": plain}).removeprefix("value:").strip("\n").removeprefix(" ")
    except (ValueError, TypeError):  # half a character, which YAML cannot hold
        return ascii(plain)


class Places:
    """Origins and hosts → their pages; asks the database once for each kind of thing."""

    def __init__(self, site: Site, origins: Iterable[Origin], hosts: Iterable[str] = ()) -> None:
        subjects = {self._subject(origin, site) for origin in origins} | {f"host {name}" for name in hosts}
        self.site = site
        self._pages = pages_of(site.pk, subjects)

    def _subject(self, origin: Origin, site: Site) -> str:
        return f"site {site.slug}" if origin.kind == "site" else f"{origin.kind} {origin.name}"

    def of(self, origin: Origin) -> Place:
        return Place(str(origin), self._pages.get(self._subject(origin, self.site), ""))

    def host(self, name: str) -> Place:
        return Place(name, self._pages.get(f"host {name}", ""))


def who_sets(site: Site | str, key: str) -> str:
    """The address of the page that says who sets *key*."""
    slug = site if isinstance(site, str) else site.slug
    return f"{reverse('admin:who_sets_variable', args=(slug,))}?{urlencode({'key': key})}"


# --- the page of a group ---


class GroupTold:
    """For the ModelAdmin of groups and profiles: members and variables below the form."""

    change_form_outer_after_template = "admin/inventory/group/after.html"
    change_form_outer_before_template = "admin/provisioning/runs/hosts_of.html"

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        row = kwargs.get("obj")
        if row is not None and row.pk:
            context["group_told"] = _told(row, reading.load(row.site.slug))
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]


def _told(group: Group, snapshot: Snapshot) -> dict[str, Any]:
    name = group_variables.tree_name(group.kind, group.name)
    inside = members(snapshot, name)
    given = group_variables.given(snapshot, name)
    others = group_variables.others(snapshot, name)
    few = {key: found[:MOST_HOSTS] for key, found in others.items()}
    origins = {origin for one in given for origin in (one.origin, *(said.origin for said in one.overrides))}
    origins |= {one.origin for found in few.values() for one in found if one.origin.kind != "host"}
    hosts = {one.host for one in inside[:MOST_MEMBERS]} | {
        one.host for found in few.values() for one in found
    }
    places = Places(group.site, origins, hosts)
    own = Origin("profile" if group.kind == "profile" else "group", group.name)
    rows = [
        Row(
            one.key,
            text_of(one.key, one.value),
            places.of(one.origin),
            one.origin == own,
            tuple((places.of(said.origin), text_of(one.key, said.value)) for said in one.overrides),
            tuple((other.host, _says(other, places)) for other in few.get(one.key, ())),
            len(others.get(one.key, ())),
            who_sets(group.site, one.key),
        )
        for one in given
    ]
    of_site = {one.key for one in given if one.origin.kind == "site"}
    return {
        "members": [(places.host(one.host), one.path[1:]) for one in inside[:MOST_MEMBERS]],
        "count": len(inside),
        "direct": sum(one.is_direct for one in inside),
        "rows": [row for row in rows if row.key not in of_site],
        "of_site": [row for row in rows if row.key in of_site],
    }


def _says(other: group_variables.Other, places: Places) -> Place:
    """Who gives the host another value: itself, or a group."""
    return places.host(other.host) if other.origin.kind == "host" else places.of(other.origin)


# --- one variable ---


@page("variables/", permission="inventory.view_group")
def variables(request: HttpRequest) -> HttpResponse:
    """The sites whose variables can be looked at; the only one at once."""
    sites = list(visible_sites(request.user, "inventory.view_group"))
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    if len(sites) == 1:
        return redirect(f"{reverse('admin:who_sets_variable', args=(sites[0].slug,))}{query}")
    return shown(request, "variables/sites.html", "Variables", sites=sites, query=query)


@page("variables/<str:site>/", permission="inventory.view_group")
def who_sets_variable(request: HttpRequest, site: Site) -> HttpResponse:
    """Every variable that somebody sets; of one, who, to what, and what it comes to on which hosts."""
    snapshot = reading.load(site.slug)
    every = group_variables.settings(snapshot)
    key = request.GET.get("key", "").replace("\0", "").strip()[:LONGEST_NAME]
    if key not in every:
        wanted = key.lower()
        names = [(name, len(said)) for name, said in every.items() if wanted in name.lower()]
        return shown(
            request, "variables/names.html", f"Variables of {site.slug}",
            site=site, key=key, names=names[:MOST_NAMES], count=len(names),
        )  # fmt: skip
    said = every[key]
    found = group_variables.outcomes(snapshot, key)
    places = Places(
        site,
        {one.origin for one in said[:MOST_SETTERS]} | {one.origin for one in found if one.origin},
        {name for one in found for name in one.hosts[:MOST_HOSTS]},
    )
    return shown(
        request, "variables/who.html", f"Who sets {key}",
        site=site,
        key=key,
        count=len(said),
        setters=[(places.of(one.origin), text_of(key, one.value)) for one in said[:MOST_SETTERS]],
        outcomes=[_outcome(key, one, places) for one in found[:MOST_SETTERS]],
        outcomes_count=len(found),
        of_facts=key in group_variables.made_of_facts(snapshot),
    )  # fmt: skip


def _outcome(key: str, one: group_variables.Outcome, places: Places) -> dict[str, Any]:
    origin = one.origin
    return {
        "is_set": origin is not None,
        "value": text_of(key, one.value) if origin else "",
        "origin": Place("the host itself")
        if origin and origin.kind == "host"
        else origin and places.of(origin),
        "hosts": _hosts(one.hosts, places),
        "count": len(one.hosts),
        "more": max(0, len(one.hosts) - MOST_HOSTS),
    }


def _hosts(names: Sequence[str], places: Places) -> list[Place]:
    return [places.host(name) for name in names[:MOST_HOSTS]]
