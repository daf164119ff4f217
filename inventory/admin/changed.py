"""What changed at a site between two revisions, or since a moment: the net difference of each row."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from inventory.admin.moments import SINCE, revision_named
from inventory.admin.pages import page, shown
from inventory.admin.told import SHOWN_PER_NOUN, Item, told
from inventory.models import Change, Site
from inventory.undoing.gathering import gather, numbers
from inventory.undoing.plan import Touched

CHANGES_SHOWN = 50


@page("changed/<str:site>/", permission="inventory.view_change")
def what_changed(request: HttpRequest, site: Site) -> HttpResponse:
    asked, until = request.GET.get("since") or "yesterday", request.GET.get("until", "").strip()
    first = revision_named(site, asked)
    last = revision_named(site, until, end=True) if until else None
    rows = Change.objects.filter(site=site, revision__gt=first)
    changes = list((rows if last is None else rows.filter(revision__lte=last)).order_by("revision"))
    found = gather(changes, most=SHOWN_PER_NOUN + 1) if changes else []
    items = [Item(row, row.before, row.after) for row in found if row.before != row.after]
    return shown(
        request,
        "changed.html",
        f"What changed at {site}",
        site=site,
        moments=SINCE,
        asked=asked,
        until=until,
        first=first,
        last=changes[-1].revision if changes else first,
        nouns=told(items, numbers=_net(numbers(changes), found, items) if changes else None),
        changes=list(reversed(changes))[:CHANGES_SHOWN],
        number=len(changes),
        more_changes=max(0, len(changes) - CHANGES_SHOWN),
        undo="" if until or not changes else f"{reverse('admin:undo_page', args=(site.slug,))}?since={first}",
    )


def _net(wrote: dict[str, int], found: list[Touched], items: list[Item]) -> dict[str, int]:
    """How many rows differ; rows that came back to what they were do not count, where they were looked at."""
    same: dict[str, int] = {}
    for row in found:
        same[row.noun.name] = same.get(row.noun.name, 0) + (row.before == row.after)
    return {noun: number - same.get(noun, 0) for noun, number in wrote.items()}
