"""Plan and apply: the only comparison of a draft with the rows, and the only writer of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError

from inventory import reading
from inventory.changes import change
from inventory.document import writing
from inventory.document.comparing import compare
from inventory.document.draft import SiteDraft, plain
from inventory.document.plans import Entry, Plan
from inventory.document.work import Work
from inventory.models import Site
from inventory.snapshot import Snapshot

#: Makes the draft again, from the site as it is by now.
Again = Callable[[Snapshot], SiteDraft]


def plan(draft: SiteDraft) -> Plan:
    """What applying *draft* now would do. Writes nothing."""
    site = Site.objects.filter(slug=draft.slug).first()
    return plan_of(compare(draft, site), site.revision if site else 0)


def apply(
    draft: SiteDraft,
    *,
    by: Any,
    why: str,
    source: str,
    made_from: int | None = None,
    again: Again | None = None,
) -> Plan:
    """Bring the rows to *draft* in one change, and return what that did. Nothing to do: no revision is spent.

    A draft that was made from revision *made_from* is made *again* when the site moved on before the lock was taken.
    """
    site = Site.objects.filter(slug=draft.slug).first() or new_site(draft)
    is_new = site.pk is None
    with change(site, by=by, why=why, source=source) as the_change:
        if not is_new:
            site.refresh_from_db()
            if again is not None and site.revision != made_from:
                draft = again(reading.load(draft.slug))
        work = compare(draft, site)
        refuse(work)
        if is_new:
            work.entries = as_new(work.entries)
        found = plan_of(work, site.revision)
        if not found.is_empty:
            writing.write(work, the_change)
    found.revision = site.revision
    return found


def new_site(draft: SiteDraft) -> Site:
    return Site(slug=draft.slug, **plain(draft.site, new=True))


def refuse(work: Work) -> None:
    if work.refused:
        raise ValidationError([sentence for _, sentence in work.refused])


def plan_of(work: Work, revision: int) -> Plan:
    return Plan(work.entries, revision, work.draft.slug, work.notes)


def as_new(entries: list[Entry]) -> list[Entry]:
    """The plan of a site that the change itself has just stored."""
    return [Entry("site", entry.name, "create") if entry.noun == "site" else entry for entry in entries]
