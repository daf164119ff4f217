"""While somebody types on the page of a host: what it adds to each export, its variables, findings, and what a save refuses.

The form is posted here and read as it would be for a save; nothing is written, and no lock is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from inventory import reading, yaml11
from inventory.admin.drafting import Problem, draft_of, problems_of
from inventory.admin.pages import page, shown
from inventory.ansible.resolving import Resolved, resolved, sealed_files_of, without_ciphertext
from inventory.contribution import Contribution, Draft, Judged, contribution, drafted, judged, reduced
from inventory.models import Host, Site
from inventory.snapshot import SealedFile, Snapshot

#: shown by themselves, before the list of formats
STANZA, BOOT = "ssh-config", "pxe"
#: a value longer than this is folded
LONG = 400

NOTHING_JUDGED = Judged((), (), ())


@dataclass(frozen=True)
class Variable:
    """One resolved variable in words."""

    key: str
    value: str
    origin: str
    overrides: tuple[tuple[str, str], ...]
    is_sealed: bool
    is_long: bool


@dataclass(frozen=True)
class Told:
    """Everything that is said beside the form."""

    draft: Draft | None
    problems: tuple[Problem, ...] = ()
    formats: tuple[Contribution, ...] = ()
    judged: Judged = NOTHING_JUDGED
    variables: tuple[Variable, ...] = ()
    sealed_files: tuple[SealedFile, ...] = ()

    @property
    def stanza(self) -> Contribution | None:
        return self._format(STANZA)

    @property
    def boot(self) -> Contribution | None:
        return self._format(BOOT)

    @property
    def others(self) -> list[Contribution]:
        return [
            one for one in self.formats if one.format not in (STANZA, BOOT) and (one.fragments or one.problem)
        ]

    def _format(self, name: str) -> Contribution | None:
        return next((one for one in self.formats if one.format == name), None)

    @property
    def silent(self) -> list[str]:
        """The formats that do not name the host."""
        return [one.format for one in self.formats if not one.fragments and not one.problem]

    @property
    def named(self) -> int:
        """How many formats name the host."""
        return sum(bool(one.fragments) for one in self.formats)

    @property
    def count(self) -> int:
        return sum(one.count for one in self.formats)


def told(snapshot: Snapshot, draft: Draft | None, problems: Sequence[Problem] = ()) -> Told:
    """What *draft* comes to. Costs the same at a site of any size."""
    if draft is None:
        return Told(None, tuple(problems))
    small = drafted(reduced(snapshot, draft), draft)
    return Told(
        draft,
        tuple(problems),
        contribution(snapshot, draft),
        judged(snapshot, draft, timezone.localdate()),
        tuple(_variable(one) for one in resolved(small, draft.host)),
        sealed_files_of(small, draft.host),
    )


def _variable(one: Resolved) -> Variable:
    value = _text(one.value)
    return Variable(
        one.key,
        value,
        str(one.origin),
        tuple((str(said.origin), _text(said.value)) for said in one.overrides),
        one.is_sealed,
        len(value) > LONG,
    )


def _text(value: Any) -> str:
    """*value* as YAML, ciphertext left out."""
    plain = without_ciphertext(value)
    try:
        return yaml11.dump({"value": plain}).removeprefix("value:").strip("\n").removeprefix(" ")
    except ValueError:  # half a character, which YAML cannot hold
        return ascii(plain)


# --- pages ---


@page("preview/<str:site>/host/<int:host>/", permission="inventory.change_host", methods=("POST",))
def host_preview(request: HttpRequest, site: Site, host: int) -> HttpResponse:
    """What the page of a stored host would save."""
    row = Host.objects.filter(site=site, pk=host).first()
    if row is None:
        raise Http404(f"Site {site} has no such host.")
    return _answer(request, site, _read(request, site, row))


@page("preview/<str:site>/host/new/", permission="inventory.add_host", methods=("POST",))
def new_host_preview(request: HttpRequest, site: Site) -> HttpResponse:
    """What the page for a new host would save."""
    return _answer(request, site, _read(request, site, None))


@page("preview/<str:site>/host/<int:host>/stored/", permission="inventory.view_host")
def host_contribution(request: HttpRequest, site: Site, host: int) -> HttpResponse:
    """What a host adds as it is stored; for people who may look and not edit."""
    row = Host.objects.filter(site=site, pk=host).first()
    if row is None:
        raise Http404(f"Site {site} has no such host.")
    snapshot = reading.load(site.slug)
    facts = snapshot.host_by_name.get(row.name)
    return _answer(request, site, told(snapshot, Draft(facts, facts.name) if facts else None))


def _read(request: Any, site: Site, row: Host | None) -> Told:
    model_admin: Any = admin.site.get_model_admin(Host)
    snapshot = reading.load(site.slug)
    original = row.name if row else ""
    request.declared_site_id = site.pk
    form = model_admin.get_form(request, row, change=row is not None)(request.POST, instance=row)
    form.is_valid()
    if row is None:
        form.instance.site = site
    formsets, _inlines = model_admin._create_formsets(request, form.instance, change=row is not None)
    for formset in formsets:
        formset.is_valid()
    draft = draft_of(form, formsets, snapshot, original)
    problems = problems_of(form, formsets, snapshot, draft)
    if draft and draft.host.name != original and draft.host.name in snapshot.host_by_name:
        draft = None  # there is no site that has both
    return told(snapshot, draft, problems)


def _answer(request: HttpRequest, site: Site, found: Told) -> HttpResponse:
    """The panel's content for htmx, a page of its own for a browser without JavaScript."""
    context = {"told": found, "site": site}
    if request.headers.get("HX-Request"):
        return render(request, "admin/inventory/host/_told.html", context)
    name = found.draft.host.name if found.draft else "a host without a name"
    return shown(request, "host/preview.html", f"Preview of {name}", **context)


def address_for(row: Host | None, slug: str, *, may_edit: bool) -> str:
    """Where the page of *row*, or of a new host, asks; empty where it may not."""
    if row is None:
        return reverse("admin:new_host_preview", args=(slug,)) if may_edit else ""
    return reverse("admin:host_preview" if may_edit else "admin:host_contribution", args=(slug, row.pk))
