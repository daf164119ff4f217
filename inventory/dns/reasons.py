"""Why a name, an alias or an address is not in DNS as declared. Pure."""

from __future__ import annotations

from inventory.findings import Finding
from inventory.snapshot import AliasFacts, HostFacts, InterfaceFacts, ServiceFacts, Snapshot


def zone_unusable(snapshot: Snapshot) -> Finding:
    return Finding(
        "zone-unusable",
        "error",
        f"site {snapshot.site.slug}",
        f"has the zone {snapshot.site.zone}, which is no name that DNS can serve; no zone is rendered.",
        "Write the site's slug and root domain in letters, digits and hyphens.",
    )


def name_unusable(subject: str, zone: str) -> Finding:
    return Finding(
        "name-unusable",
        "warning",
        subject,
        f"has a name that cannot stand below {zone}; it has no record.",
        "Use letters, digits and hyphens, at most 63 to a label, or a qualified name that ends in the zone.",
    )


def no_address(interface: InterfaceFacts) -> Finding:
    return Finding(
        "a-record-without-address",
        "warning",
        interface.subject,
        "asks for an A record and has no fixed address.",
        "Give it a static address, or switch the A record off.",
    )


def link_local(interface: InterfaceFacts) -> Finding:
    return Finding(
        "address-link-local",
        "info",
        interface.subject,
        "has a link-local address, which means nothing in DNS; it has no record.",
        "Nothing to do, unless another address was meant.",
    )


def service_subject(service: ServiceFacts) -> str:
    return f"service {service.label}"


def cname_shadows(service: ServiceFacts, host: HostFacts) -> Finding:
    return Finding(
        "cname-shadows",
        "warning",
        service_subject(service),
        f"has the name of its own host {host.name} or of one of its interfaces; a CNAME cannot stand beside "
        "the address records.",
        "Nothing breaks: the name resolves to the host. Rename the service if it may move one day.",
    )


def cname_dangles(service: ServiceFacts, host: HostFacts) -> Finding:
    return Finding(
        "cname-dangles",
        "error",
        service_subject(service),
        f"points at {host.name}, which has no address record under its own name; it has no CNAME.",
        f"Give the primary interface of {host.name} an address and an A record, or move the service.",
    )


def alias_dangles(alias: AliasFacts) -> Finding:
    return Finding(
        "alias-dangles",
        "error",
        f"alias {alias.name}",
        f"points at the service {alias.service}, which no one host with an address carries; it has no zone.",
        "Point it at a service of this site, and give that service's host an address record.",
    )


def alias_unusable(alias: AliasFacts) -> Finding:
    return Finding(
        "alias-unusable",
        "error",
        f"alias {alias.name}",
        "has no name of its own below the root domain (no DNS name, the site's own zone, or given twice).",
        "Choose another name; an alias inside the site is a service.",
    )


def ptr_outside(address: str, owner: str) -> Finding:
    return Finding(
        "ptr-outside",
        "info",
        f"address {address}",
        f"is public and in no whole /24 or /64 of the site; {owner} has no PTR record here.",
        "Ask whoever runs the reverse zone, or declare the segment that the address belongs to.",
    )
