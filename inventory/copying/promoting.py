"""A site made live in this copy of the application: a deliberate act of a person, with the site's name typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from inventory.changes import change
from inventory.copying import copies
from inventory.door import bulk_allowed
from inventory.models import Change, Site

SOURCE = "promote"


class NotPromoted(Exception):
    """Why nothing was promoted; a sentence with the way out."""


@dataclass(frozen=True)
class Promoted:
    epoch: int
    revision: int


def promote(
    site: Site, *, typed: str, by: Any, why: str, shown: int | None = None, above: int = 0
) -> Promoted:
    """Make this copy the one that writes *site*, in a new epoch, which consumers prefer to every earlier one.

    *typed* is the site's name as a person typed it, *shown* the epoch that the person was told would come; *above* asks
    for an epoch higher than that. Recorded as a change of the site. Raises NotPromoted.
    """
    if typed.strip() != site.slug:
        raise NotPromoted(f"The name that was typed is not the site's. Type {site.slug} to promote it.")
    if not why.strip():
        raise NotPromoted("Say why this copy is to be the live one; people will ask.")
    with transaction.atomic():
        row = Site.objects.select_for_update(no_key=True).filter(pk=site.pk).first()
        if row is None:
            raise NotPromoted(f"Site {site.slug} is gone.")
        epoch = max(copies.next_epoch(row), above + 1)
        if epoch > LARGEST:
            raise NotPromoted(
                f"It would be epoch {epoch}, and consumers compare no epoch above {LARGEST}. Ask for a lower one; where "
                "this copy itself stands there, declare the site anew under another name."
            )
        if shown is not None and shown != epoch:
            raise NotPromoted(
                f"By now the epoch would be {epoch} and not {shown}: somebody promoted this copy, or another was met. "
                "Look again."
            )
        with bulk_allowed():
            Site.objects.filter(pk=row.pk).update(epoch=epoch, live_copy=copies.uid())
        row.refresh_from_db()
        with change(row, by=by, why=why.strip(), source=SOURCE):
            row.save()
        copies.forget_rumours(row)  # a person looked; who still meets another copy says so again
    return Promoted(epoch, row.revision)


#: nine digits: more than anybody promotes, and what every consumer compares without overflowing
LARGEST = 999_999_999


def last(site: Site) -> Change | None:
    """The newest promotion of *site*."""
    return Change.objects.filter(site=site, source=SOURCE).order_by("-pk").first()
