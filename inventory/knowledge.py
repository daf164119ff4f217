"""Answers with what only the database has: the ledger's lines, past ones included, and the last changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import Q

from inventory import reading
from inventory.lookup import Answer, Claim, Touched, resolve
from inventory.lookup.resolving import hosts_of, ledger_keys
from inventory.models import Change, Host, Identity, Interface, Service, Site
from inventory.snapshot import Snapshot

#: Of a value that wandered for years the newest lines say enough.
MOST_CLAIMS = 50
MOST_CHANGES = 5


#: what a person needs to see the subjects of each kind
PERMISSIONS = {
    "host": "inventory.view_host",
    "interface": "inventory.view_interface",
    "service": "inventory.view_service",
    "alias": "inventory.view_alias",
    "segment": "inventory.view_segment",
    "group": "inventory.view_group",
    "profile": "inventory.view_workloadprofile",
    "role": "inventory.view_role",
    "project": "inventory.view_project",
    "template": "inventory.view_jobtemplate",
    "site": "inventory.view_site",
}

#: (permission, site) → whether the asker has it there
May = Callable[[str, Site], bool]


def everything(permission: str, site: Site) -> bool:
    return True


def kinds_seen(site: Site, may: May) -> frozenset[str]:
    """The kinds of things that the asker may see at *site*."""
    return frozenset(kind for kind, permission in PERMISSIONS.items() if may(permission, site))


def ask(
    text: str, sites: Iterable[Site], *, with_references: bool = True, may: May = everything
) -> list[Answer]:
    """What each of *sites* knows of *text*; those that know nothing are there too, with what looks alike.

    *may* says what the asker may see there besides hosts; the rest is left out.
    """
    found = []
    for site in sites:
        snapshot = reading.load(site.slug)
        looks = may("inventory.view_change", site)
        answer = resolve(
            snapshot,
            text,
            claims=_claims(site, snapshot, text),
            changes=_changes(site, hosts_of(snapshot, text)) if looks else (),
            with_references=with_references,
        )
        found.append(_seen(answer, site, may))
    return found


def _seen(answer: Answer, site: Site, may: May) -> Answer:
    kinds = kinds_seen(site, may)
    if len(kinds) < len(PERMISSIONS):
        answer = replace(
            answer,
            declared=tuple(one for one in answer.declared if one.subject.partition(" ")[0] in kinds),
            references=tuple(one for one in answer.references if one.subject.partition(" ")[0] in kinds),
            near=(),
        )
    return answer if may("inventory.view_identity", site) else replace(answer, claims=())


def _claims(site: Site, snapshot: Snapshot, text: str) -> list[Claim]:
    keys = ledger_keys(snapshot, text)
    if not keys:
        return []
    wanted = Q()
    for kind, value in keys:
        wanted |= Q(kind=kind, value=value)
    rows: Any = Identity.objects.filter(wanted, site=site).order_by("-since", "-pk")
    found = rows.values_list("kind", "value", "state", "host_name", "since", "until")[:MOST_CLAIMS]
    return [
        Claim(kind, value, state, host, _iso(since), _iso(until))
        for kind, value, state, host, since, until in found
    ]


def _changes(site: Site, hosts: tuple[str, ...]) -> list[Touched]:
    """The newest changes that wrote one of *hosts* or a part of it; four short queries."""
    if not hosts:
        return []
    ids = list(Host.objects.filter(site=site, name__in=hosts).order_by().values_list("pk", flat=True))
    seen: set[int] = set()
    for model, path in ((Host, "id"), (Interface, "host_id"), (Service, "host_id")):
        rows: Any = model.history.model.objects.filter(**{f"{path}__in": ids}).exclude(change=None)
        seen |= set(rows.order_by("-history_id").values_list("change", flat=True)[: MOST_CHANGES * 2])
    found = Change.objects.filter(pk__in=seen).order_by("-revision")[:MOST_CHANGES]
    return [Touched(one.revision, _iso(one.at), one.by_name, one.why) for one in found]


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
