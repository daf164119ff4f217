"""Services that are not where they survive, and what goes down together."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from inventory.findings import Finding
from inventory.rules.places import named
from inventory.snapshot import HostFacts, Snapshot

#: What a site needs while every hypervisor is down, by the names that consumers use: dns, dns2, ns1, dhcp, gateway, …
OF_THE_ROUTER = re.compile(r"(?:dns|ns|resolver|dhcp|gateway|gw|nat|firewall)-?[0-9]*\Z")


def findings(snapshot: Snapshot) -> Iterable[Finding]:
    yield from _on_machines(snapshot)
    yield from _gateways(snapshot)
    yield from _shared(snapshot)


def is_of_the_router(label: str) -> bool:
    """True for the service of a site; a tenant's own (``dns.tenant-a``) is no affair of the router's."""
    return bool(OF_THE_ROUTER.match(label))


def carries_the_network(host: HostFacts) -> bool:
    """True for routers, and for machines that do a router's work: their addresses are configured on themselves."""
    return host.form == "rt" or any(is_of_the_router(service.label) for service in host.services)


def _on_machines(snapshot: Snapshot) -> Iterator[Finding]:
    for host in snapshot.live_hosts:
        if host.form != "vm":
            continue
        for service in host.services:
            if is_of_the_router(service.label):
                yield Finding(
                    "service-on-vm",
                    "warning",
                    f"service {service.label} on {host.name}",
                    "is carried by a virtual machine, and is needed while every hypervisor is down.",
                    "Move it to the router.",
                )


def _gateways(snapshot: Snapshot) -> Iterator[Finding]:
    gateways = {
        address: segment.name
        for segment in snapshot.segments
        for address in (segment.gateway4, segment.gateway6)
        if address
    }
    for host in snapshot.live_hosts:
        if host.form != "vm":
            continue
        for interface in host.interfaces:
            routed = [gateways[address] for address in interface.addresses if address in gateways]
            if routed:
                yield Finding(
                    "gateway-on-vm",
                    "warning",
                    interface.subject,
                    f"is the gateway of segment {named(dict.fromkeys(routed))}, and a virtual machine: while its hypervisor "
                    "is down, nobody leaves the segment.",
                    "Move the gateway's address to the router.",
                )


def _shared(snapshot: Snapshot) -> Iterator[Finding]:
    """Each failure domain once. What belongs on the router is meant to be together."""
    below: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for host in snapshot.live_hosts:
        services = [s.label for s in host.services if not is_of_the_router(s.label)]
        if len(services) > 1:
            yield Finding(
                "services-share-host",
                "info",
                host.subject,
                f"carries {len(services)} services, which fail together: {named(services)}.",
                "Nothing to do if that is meant; else move one that the others' users need to another host.",
            )
        domain = host.hypervisor or (host.name if host.form == "hv" else "")
        if domain and services:
            below[domain][host.name] = services
    for hypervisor, carried in sorted(below.items()):
        if len(carried) > 1:
            machines = [f"{', '.join(services)} on {name}" for name, services in sorted(carried.items())]
            yield Finding(
                "services-share-hypervisor",
                "info",
                f"host {hypervisor}",
                f"goes down with the services of {len(carried)} machines: {named(machines)}.",
                "Nothing to do if that is meant; else run one of them on another hypervisor.",
            )
