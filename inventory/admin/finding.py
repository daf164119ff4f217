"""One field for everything: what a value is, where words stand; live while typing, and as a page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.http import urlencode

from inventory import knowledge
from inventory.admin import found
from inventory.admin.findings import list_of
from inventory.admin.judgement import pages_of
from inventory.admin.pages import page, shown
from inventory.lookup import Answer
from inventory.lookup.asking import understood
from inventory.models import Segment, Site
from inventory.permissions import may, visible_sites

LONGEST = 200
MOST, MOST_LIVE, MOST_OF_ONE = 10, 4, 500
#: kinds of values that are asked for rather than searched
VALUES = ("mac", "address", "vmid")


@page("find/", permission="inventory.view_host")
def find(request: HttpRequest) -> HttpResponse:
    """What is known of the text as a value, then everything in which its words stand.

    With ``go`` the only thing of that name or value is gone to at once; with ``kind`` all of one kind are listed.
    """
    text, sites = _text(request), _sites(request)
    kind = request.GET.get("kind", "")
    if text and kind in found.WORDS:
        sections = found.declared(request.user, sites, text, MOST_OF_ONE, (kind,))
        return shown(
            request,
            "find/page.html",
            f"{found.WORDS[kind]} with “{text}”",
            text=text,
            find_text=text,
            sections=sections,
            kind=kind,
        )
    every = _ask(request, text, sites, with_references=False) if text else []
    if request.GET.get("go") and (there := _only(every, sites)):
        return _gone_to(request, text, *there)
    answers = [answer for answer in every if answer.is_known or answer.says]
    return shown(
        request,
        "find/page.html",
        "Find",
        text=text,
        find_text=text,
        answers=[_told(answer, sites, request.user) for answer in answers],
        sections=found.sections(request.user, sites, text, MOST) if text else [],
        near=_near(every) if not answers else [],
        ways=_ways_to_declare(request.user, sites, text) if text and not answers else [],
    )


@page("find/live/", permission="inventory.view_host")
def find_live(request: HttpRequest) -> HttpResponse:
    """The first results, as the list below the field."""
    text, sites = _text(request), _sites(request)
    is_value = understood(text).kind in VALUES
    answers = _ask(request, text, sites, with_references=False) if is_value else []
    context = {
        "text": text,
        "answers": [answer for answer in answers if not answer.declared and (answer.is_known or answer.says)],
        "sections": found.declared(request.user, sites, text, MOST_LIVE)[:5] if text else [],
        "all": f"{reverse('admin:find')}?{urlencode({'q': text})}",
    }
    return render(request, "admin/inventory/find/live.html", context)


@page("resolve/", permission="inventory.view_host")
def resolve(request: HttpRequest) -> HttpResponse:
    """Everything known about one value, the places that name it included."""
    text, sites = _text(request), _sites(request)
    every = _ask(request, text, sites) if text else []
    known = [answer for answer in every if answer.is_known or answer.says]
    return shown(
        request,
        "find/resolve.html",
        f"Everything about {text}" if text else "Resolve",
        text=text,
        find_text=text,
        answers=[_told(answer, sites, request.user) for answer in known],
        near=_near(every) if not known else [],
    )


def _text(request: HttpRequest) -> str:
    return request.GET.get("q", "").replace("\0", "").strip()[:LONGEST]


def _sites(request: HttpRequest) -> list[Site]:
    return list(visible_sites(request.user, "inventory.view_host"))


def _ask(request: HttpRequest, text: str, sites: list[Site], *, with_references: bool = True) -> list[Answer]:
    return knowledge.ask(
        text,
        sites,
        with_references=with_references,
        may=lambda permission, site: may(request.user, permission, site),
    )


def _near(answers: Iterable[Answer]) -> list[str]:
    return sorted({name for answer in answers for name in answer.near})


# --- the only one ---


def _only(answers: list[Answer], sites: list[Site]) -> tuple[str, str] | None:
    """(address, what it is) of the one thing that the text names; None where it names none, or several.

    An interface stands for its host: who asks for an address asks whose it is.
    """
    things = {
        (answer.site, _host_of(one.subject)): f"{one.subject}: {one.role}"
        for answer in answers
        for one in answer.declared
    }
    if len(things) != 1:
        return None
    ((slug, subject), said) = things.popitem()
    site = next(site for site in sites if site.slug == slug)
    address = pages_of(site.pk, [subject]).get(subject)
    return (address, said) if address else None


def _host_of(subject: str) -> str:
    kind, _, name = subject.partition(" ")
    return f"host {name.partition('/')[0]}" if kind == "interface" else subject


def _gone_to(request: HttpRequest, text: str, address: str, said: str) -> HttpResponse:
    every = f"{reverse('admin:find')}?{urlencode({'q': text})}"
    link = '“{}” is here: {}. <a href="{}" class="mp-strong">Everything about it</a>'
    messages.info(request, format_html(link, text, said, every))
    return redirect(address)


# --- what is told ---


def _told(answer: Answer, sites: Iterable[Site], user: Any) -> dict[str, Any]:
    """An answer beside the addresses of what it speaks of, and what can be done next."""
    site = next(one for one in sites if one.slug == answer.site)
    subjects = {one.subject for one in answer.declared} | {place.subject for place in answer.references}
    pages = pages_of(site.pk, subjects)
    return {
        "answer": answer,
        "declared": [(one, pages.get(one.subject, "")) for one in answer.declared],
        "references": [(place, pages.get(place.subject, "")) for place in answer.references],
        "claims": [
            (one, parse_datetime(one.since), parse_datetime(one.until) if one.until else None)
            for one in answer.claims
        ],
        "changes": [(one, parse_datetime(one.at)) for one in answer.changes],
        "ledger": f"{list_of('identity')}?{urlencode({'q': answer.value, 'on_site': answer.site})}",
        "ways": _ways_to_allocate(answer, site, user),
    }


#: (what it is called, its address)
Ways = list[tuple[str, str]]


def _ways_to_allocate(answer: Answer, site: Site, user: Any) -> Ways:
    """What can be done with an address that nobody has."""
    if answer.kind != "address" or answer.is_known:
        return []
    ways: Ways = []
    names = [one.split(" ")[2] for one in answer.says if one.startswith("in segment ")]
    if may(user, "inventory.view_segment", site):
        for row in Segment.objects.filter(site=site, name__in=names).only("name"):
            ways.append((f"Segment {row.name}", reverse("admin:inventory_segment_change", args=(row.pk,))))
    if any(one.startswith("free") for one in answer.says) and may(user, "inventory.add_host", site):
        ways.append(("New VM", reverse("admin:new_vm", args=(site.slug,))))
        ways.append(("New bare-metal host", reverse("admin:new_machine", args=(site.slug,))))
    return ways


def _ways_to_declare(user: Any, sites: Iterable[Site], text: str) -> Ways:
    """Where a host of that name would be declared."""
    if understood(text).kind != "name":
        return []
    name, add = text.partition(".")[0], reverse("admin:inventory_host_add")
    return [
        (
            f"Declare a host “{name}” at {site.slug}",
            f"{add}?{urlencode({'site': str(site.pk), 'name': name})}",
        )
        for site in sites
        if may(user, "inventory.add_host", site)
    ][:5]
