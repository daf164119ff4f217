"""Local ports of web pages in a draft: one is one page's. Left out, a page keeps the one that it has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from inventory.changes import SiteChange
from inventory.document.draft import Fields
from inventory.document.work import Work
from inventory.models import Service


def kept(fields: Fields) -> Fields:
    """*fields* of a service; without its local port where none is said: what was handed out stays."""
    return {key: value for key, value in fields.items() if key != "local_port" or value is not None}


def compare(work: Work) -> None:
    """Refuse what would give two pages of the site one port, and note a port that a page of another site has."""
    given = {row.local_port: row for row in _given(work)}
    if not given:
        return
    leaving = {row.pk for row in work.removed[Service]}
    staying = {row.pk: row for row in work.services if row.pk and row.pk not in leaving}
    stored = Service.objects.filter(local_port__in=given).select_related("host", "site")
    others = [row for row in stored if row.pk not in leaving and row.pk not in staying]
    for row in [*staying.values(), *others]:
        mine = given.get(row.local_port)
        if mine is None or mine is row:
            continue
        here, port = f"{mine.label} on {mine.host.name}", mine.local_port
        other = f"{row.label} on {row.host.name}"
        if row.pk in staying or row.site_id == getattr(work.site, "pk", None):
            told = f"{here} has local port {port}, which {other} has and keeps; leave one of them out of the document"
            work.refuse("hosts", f"{told}, or give {other} another.")
        else:
            told = f"{here} has local port {port}, which {other} of site {row.site} has as well"
            work.notes.append(f"{told}: tunnels to both cannot be open at once.")


def _given(work: Work) -> Iterator[Service]:
    """The rows that the draft gives a port which they do not have yet."""
    yield from (row for row in work.created.get(Service, []) if row.local_port is not None)
    for row, moved in work.changed.get(Service, []):
        if "local_port" in moved and row.local_port is not None:
            yield row


def free(work: Work, the_change: SiteChange) -> None:
    """Two pages may swap their ports, and one may take that of a page which leaves: for a moment nobody has it."""
    given: dict[Any, Service] = {row.local_port: row for row in _given(work)}
    going = [row for row, moved in work.changed.get(Service, []) if "local_port" in moved]
    going += work.removed[Service]
    keys = [row.pk for row in going]
    stored = Service.objects.filter(pk__in=keys, local_port__in=given) if given and keys else ()
    for row in stored:
        the_change.set_aside(Service, row.pk, "local_port")
