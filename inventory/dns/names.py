"""Names below a site's zone, in the form that DNS carries. Pure; DHCP and DNS share it.

A name of the inventory may be written relative (``pi01``) or qualified (``pi01.dvntm.example.net``), in any
case and any script. Here it becomes one relative ASCII name, or None where DNS has no form for it (RFC 1123,
section 2.1, for the labels; RFC 1035, section 2.3.4, for the lengths; IDNA 2008 for what is not ASCII).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from inventory import identity
from inventory.snapshot import HostFacts, InterfaceFacts, ServiceFacts, Snapshot

#: Characters of a whole name without the final dot (RFC 1035: 255 octets on the wire).
LONGEST_NAME = 253
#: A zone leaves room for ``hostmaster.`` in its SOA.
LONGEST_ZONE = LONGEST_NAME - len("hostmaster.")
#: Where the reverse zones of the site's own networks stand.
REVERSE_TREES = ("in-addr.arpa", "ip6.arpa")

dns_name = lru_cache(maxsize=65_536)(identity.dns_name)


def zone_of(snapshot: Snapshot) -> str | None:
    """The site's zone as DNS carries it; None when it has no such form or would sit in the reverse tree."""
    zone = dns_name(snapshot.site.zone)
    if not zone or len(zone) > LONGEST_ZONE or in_reverse_tree(zone) or identity.is_ip_address(zone):
        return None
    return zone


def in_reverse_tree(name: str) -> bool:
    """True for the names of reverse zones and for ``arpa`` above them; ``home.arpa`` is for sites (RFC 8375)."""
    return name == "arpa" or f".{name}".endswith(tuple(f".{tree}" for tree in REVERSE_TREES))


@lru_cache(maxsize=131_072)
def name_below(zone: str, text: str) -> str | None:
    """*text*, relative or qualified, as a name below *zone*; None if DNS has no such name."""
    name = dns_name(text)
    if name is None:
        return None
    name = name.removesuffix(f".{zone}")
    return name if len(name) + 1 + len(zone) <= LONGEST_NAME else None


def host_label(zone: str, host: HostFacts) -> str | None:
    """The host's own name below *zone*. A dotted name counts only when it ends in the zone."""
    if "." in host.name and not host.name.lower().endswith(f".{zone}"):
        return None
    return name_below(zone, host.name)


def interface_label(snapshot: Snapshot, zone: str, host: HostFacts, interface: InterfaceFacts) -> str | None:
    """The interface's name below *zone*: the host's own for the primary, ``<host>-<suffix>`` else."""
    own = host_label(zone, host)
    if own is None or interface is host.primary:
        return own
    suffix = snapshot.interface_label(host, interface)[len(host.name) :]
    return name_below(zone, own + suffix)


def service_label(zone: str, service: ServiceFacts) -> str | None:
    """The service's name below *zone*; a dot separates it from its tenant."""
    return name_below(zone, service.label)


@dataclass(frozen=True, slots=True)
class Claims:
    """Who claims a name below the zone, however each of them writes it."""

    #: name → the first host that claims it
    owners: Mapping[str, str]
    #: name → all hosts that claim it, where they are several
    contested: Mapping[str, frozenset[str]]

    def others(self, label: str, host: str) -> frozenset[str]:
        """The hosts besides *host* that claim *label*."""
        several = self.contested.get(label)
        claimants = several if several is not None else {self.owners.get(label, host)}
        return frozenset(claimants) - {host}


def claims_below(zone: str, snapshot: Snapshot) -> Claims:
    owners: dict[str, str] = {}
    contested: dict[str, frozenset[str]] = {}
    for host in snapshot.live_hosts:
        labels = [host_label(zone, host)]
        labels += [interface_label(snapshot, zone, host, i) for i in host.interfaces if i.a_record]
        labels += [service_label(zone, service) for service in host.services]
        for label in filter(None, labels):
            first = owners.setdefault(label, host.name)
            if first != host.name:
                contested[label] = contested.get(label, frozenset()) | {first, host.name}
    return Claims(owners, contested)
