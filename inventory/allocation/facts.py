"""What allocation looks at: the facts of a site, and who has which values. A few short queries inside the door."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from inventory.addressing import Range, addresses_in
from inventory.allocation.choosing import Refused, Taken
from inventory.models import Host, Identity, Interface, Role, Segment, Site
from inventory.rows.sites import segment_facts
from inventory.snapshot import RoleFacts, SegmentFacts, SiteFacts

#: What allocation asks of a site; its variables may be long.
_OF_SITE = (
    "slug", "root_domain", "organisation", "environment", "mac_encoding", "vmid_first", "vmid_last", "naming",
)  # fmt: skip


def of_site(site: Site) -> SiteFacts:
    """As the site is now, inside the door: the row in hand may be older."""
    found: Any = Site.objects.values(*_OF_SITE).get(pk=site.pk)
    return SiteFacts(**found)


def segments(site: Site) -> list[SegmentFacts]:
    found: Any = Segment.objects.filter(site=site).order_by("name").values()
    return [segment_facts(row) for row in found]


def role_facts(role: Role) -> RoleFacts:
    return RoleFacts(role.slug, role.code, role.title)


def taken(site: Site, kind: str, prefix: str = "", *, at: datetime | None = None) -> Taken:
    """The values of *kind* that somebody claims or that are withheld. A quarantine that has passed withholds nothing.

    *at*: the moment by which it would have passed; without: now.
    """
    over = Q(state="quarantined", until__isnull=False, until__lte=at or timezone.now())
    rows = Identity.objects.active().filter(site=site, kind=kind, value__startswith=prefix).exclude(over)
    found = list(rows.order_by().values_list("value", "state"))
    return Taken(
        frozenset(value for value, _ in found),
        frozenset(value for value, state in found if state == "quarantined"),
    )


def taken_addresses(site: Site, span: Range | None = None, *, at: datetime | None = None) -> Taken:
    """Beside the ledger: what stands in fields that claim nothing, so that nobody else is put there.

    Only what may lie in *span* is asked of the ledger: a large site has tens of thousands.
    """
    ledger = taken(site, "ip", _beginning(span) if span else "", at=at)
    interfaces = Interface.objects.filter(host__site=site).exclude(host__status="retired").order_by()
    beside = set(interfaces.exclude(bootstrap_ipv4=None).values_list("bootstrap_ipv4", flat=True))
    beside |= set(interfaces.exclude(pxe_server="").values_list("pxe_server", flat=True).distinct())
    consoles: Any = Host.objects.active().filter(site=site).exclude(out_of_band={}).order_by()
    for value in consoles.values_list("out_of_band", flat=True):
        beside |= set(addresses_in(value))
    return Taken(ledger.values | {str(text) for text in beside}, ledger.quarantined)


def _beginning(span: Range) -> str:
    """The octets that all addresses of *span* begin with, as text."""
    pairs = zip(span.first.split(".")[:3], span.last.split(".")[:3], strict=False)
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)
    return "".join(f"{octet}." for octet, _ in same)


def taken_names(site: Site, *, at: datetime | None = None) -> frozenset[str]:
    """Names in the ledger, and those of all hosts: a retired one keeps its own."""
    hosts = Host.objects.filter(site=site).order_by().values_list("name", flat=True)
    return taken(site, "name", at=at).values | {name.lower() for name in hosts}


# --- rows by the names that people type ---


def host_named(site: Site, name: str) -> Host:
    found: Host | None = Host.objects.select_related("role", "site").filter(site=site, name=name).first()
    if found is None:
        raise Refused(f"Site {site.slug} has no host “{name}”; declare it first, or correct the name.")
    if found.status == Host.Status.RETIRED:
        raise Refused(f"{name} is retired; reactivate it first.")
    return found


def role_named(site: Site, slug: str) -> Role:
    found: Role | None = Role.objects.filter(site=site, slug=slug).first()
    if found is None:
        known = ", ".join(Role.objects.filter(site=site).values_list("slug", flat=True)) or "none yet"
        raise Refused(
            f"Site {site.slug} has no role “{slug}”; add it to the registry of roles, or choose one: {known}."
        )
    return found


def segment_named(site: Site, name: str) -> Segment:
    found: Segment | None = Segment.objects.filter(site=site, name=name).first()
    if found is None:
        known = ", ".join(Segment.objects.filter(site=site).values_list("name", flat=True)) or "none yet"
        raise Refused(f"Site {site.slug} has no segment “{name}”; segments are: {known}.")
    return found
