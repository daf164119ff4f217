"""The pages of undo: what it would do, what stands in the way, who has read it already; then the reason, and done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html

from inventory.acts.effects import Effect
from inventory.admin.moments import revision_named
from inventory.admin.pages import page, shown
from inventory.admin.told import Item, Noun, told
from inventory.models import Change, Site
from inventory.permissions import may
from inventory.undoing.plan import Refusal
from inventory.undoing.undo import (
    MOVED,
    NOTHING_LEFT,
    WHY_MISSING,
    Moved,
    Preview,
    Refused,
    lacking,
    of_request,
    preview,
    since,
    undo,
)

#: how a row moves when its change is undone
WORDS = ("comes back", "is deleted", "is put back")
#: what is sent to have a large one tried: others who write wait meanwhile, so that no link does it
TRY = "_try"
EFFECTS_SHOWN = 40
CHANGES_SHOWN = 20


@dataclass(frozen=True)
class Blocked:
    """A refusal, and the page that undoes what is in the way."""

    sentence: str
    revision: str = ""
    page: str = ""


def undo_address(change: Change) -> str:
    return f"{reverse('admin:undo_page', args=(change.site_slug,))}?revision={change.revision}"


def asked_changes(request: HttpRequest, site: Site) -> list[Change]:
    """The changes that the address names: ``revision`` (with ``whole`` its whole request), or all ``since``."""
    given = request.GET
    text = given.get("since", "")
    if text:
        return since(site, revision_named(site, text))
    text = given.get("revision", "")
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise Http404("Say which revision is to be undone.")
    found = Change.objects.filter(site=site, revision=int(text)).first()
    if found is None:
        raise Http404(f"Site {site} has no revision {text}.")
    return of_request(found) if given.get("whole") else [found]


@page("undo/<str:site>/", permission="inventory.view_change", methods=("GET", "HEAD", "POST"))
def undo_page(request: HttpRequest, site: Site) -> HttpResponse:
    if not (request.GET.get("since") or request.GET.get("revision")):
        return redirect("admin:what_changed", site.slug)
    changes = [
        one for one in asked_changes(request, site) if may(request.user, "inventory.view_change", one.site_id)
    ]
    asked = TRY in request.POST
    if request.method == "POST" and not asked and (done := _done(request, changes)):
        return done
    sites = list(Site.objects.filter(pk__in={one.site_id for one in changes}).order_by("slug"))
    previews = [preview(one, changes, tried=asked or None, render=asked or None) for one in sites]
    missing = sorted(
        {f"{name} at {one.site}" for one in previews for name in lacking(request.user, one.plan, one.site)}
    )
    possible = any(not one.plan.is_empty for one in previews) and not any(one.refusals for one in previews)
    return shown(
        request,
        "undo.html",
        _title(site, changes),
        site=site,
        changes=list(reversed(changes))[:CHANGES_SHOWN],
        more_changes=max(0, len(changes) - CHANGES_SHOWN),
        previews=[_shown(request, one) for one in previews],
        possible=possible,
        nothing=NOTHING_LEFT
        if changes and not any(one.refusals for one in previews)
        else "Nothing changed since.",
        lacking=missing,
        others=_others(changes, request),
        expected=[(one.site.pk, one.fingerprint) for one in previews],
        reason_missing=request.method == "POST" and not asked and not request.POST.get("why", "").strip(),
        back=reverse("admin:inventory_change_changelist"),
        here=request.get_full_path(),
        ask_to_try=TRY,
    )


def _title(site: Site, changes: Sequence[Change]) -> str:
    if not changes:
        return f"Undo at {site}"
    first, last = changes[0].revision, changes[-1].revision
    if len({one.site_id for one in changes}) > 1:
        return f"Undo the request of revision {next(c.revision for c in changes if c.site_id == site.pk)} of {site}?"
    return (
        f"Undo revision {last} of {site}?"
        if len(changes) == 1
        else f"Undo revisions {first} to {last} of {site}?"
    )


def _shown(request: HttpRequest, found: Preview) -> dict[str, Any]:
    plan = found.plan
    items = [Item(row, None, row.before) for row in plan.created]
    items += [Item(row, row.now, None) for row in plan.deleted]
    items += [
        Item(
            edit.row,
            {name: now for name, (now, _) in edit.columns.items()},
            {name: then for name, (_, then) in edit.columns.items()},
        )
        for edit in plan.edits
    ]
    nouns: list[Noun] = told(items, words=WORDS)
    return {
        "site": found.site,
        "nouns": nouns,
        "size": plan.size,
        "blocked": _blocked(found.refusals),
        "readers": found.readers,
        "new_findings": found.new_findings[:EFFECTS_SHOWN],
        "settled_findings": found.settled_findings[:EFFECTS_SHOWN],
        "effects": [_effect(effect) for effect in found.effects[:EFFECTS_SHOWN]],
        "rendered": found.rendered,
        "judged": found.judged,
        "possible": found.is_possible,
    }


def _effect(effect: Effect) -> dict[str, Any]:
    """One file that changes."""
    return {
        "format": effect.format,
        "path": effect.path,
        "added": len(effect.added),
        "removed": len(effect.removed),
        "lines": effect.lines,
        "more": effect.more,
    }


def _blocked(refusals: Sequence[Refusal]) -> list[Blocked]:
    known = Change.objects.in_bulk({one.change for one in refusals if one.change})
    found = []
    for one in refusals:
        change = known.get(one.change or 0)
        address = undo_address(change) if change and change.site_id else ""
        found.append(Blocked(one.sentence, str(change.revision) if change else "", address))
    return found


def _others(changes: Sequence[Change], request: HttpRequest) -> list[Change]:
    """Further changes of the same request, when one of several was asked for."""
    if len(changes) != 1 or request.GET.get("since"):
        return []
    mine = of_request(changes[0])
    return [
        one
        for one in mine
        if one.pk != changes[0].pk and may(request.user, "inventory.view_change", one.site_id)
    ]


def _done(request: HttpRequest, changes: Sequence[Change]) -> HttpResponse | None:
    """Undo *changes* as they were shown; None: the page must be shown, with a message of what stands in the way."""
    why = request.POST.get("why", "").strip()
    if not why:
        messages.error(request, WHY_MISSING)
        return None
    expected = {
        int(site): mark
        for site, _, mark in (text.partition(":") for text in request.POST.getlist("expected"))
        if site.isascii() and site.isdecimal() and len(site) < 19
    }
    try:
        made = undo(changes, by=request.user, why=why[:1000], expected=expected, user=request.user)
    except Moved:
        messages.warning(request, MOVED)
        return None
    except Refused as refused:
        for refusal in refused.refusals[:5]:
            messages.error(request, refusal.sentence)
        return None
    for one in made:
        messages.success(
            request,
            format_html(
                'Undone: revision {} of {}. <a href="{}" class="mp-strong">Undo that</a>',
                one.revision,
                one.site_slug,
                undo_address(one),
            ),
        )
    return redirect("admin:inventory_change_change", made[0].pk)
