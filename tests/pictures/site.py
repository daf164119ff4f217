"""Snapshots by hand, of what a test mentions."""

from __future__ import annotations

from typing import Any

from inventory.addressing import Range
from inventory.snapshot import HostFacts, InterfaceFacts, SegmentFacts, ServiceFacts, SiteFacts, Snapshot


def segment(name: str = "management", network: str | None = "192.0.2.0/24", **facts: Any) -> SegmentFacts:
    for field in ("pool", "static_range"):
        if field in facts:
            facts[field] = Range(*facts[field])
    if "delegated" in facts:
        facts["delegated"] = tuple(Range(*span) for span in facts["delegated"])
    return SegmentFacts(name, network4=network, **facts)


def host(name: str, *addresses: str | None, **facts: Any) -> HostFacts:
    """A host with one interface for each of *addresses*, in segment ``management`` unless told otherwise."""
    of_interface = {
        key: facts.pop(key)
        for key in (
            "segment",
            "reservation",
            "switch",
            "switch_port",
            "mac",
            "mac_kind",
            "ipv6",
            "bootstrap_ipv4",
        )
        if key in facts
    }
    of_interface.setdefault("segment", "management")
    services = tuple(ServiceFacts(service, name) for service in facts.pop("services", ()))
    interfaces = tuple(
        InterfaceFacts(name, f"eth{number}", ipv4=address, addressing="static", **of_interface)
        for number, address in enumerate(addresses)
    )
    return HostFacts(name, interfaces=interfaces, services=services, **facts)


def site(*parts: Any, **facts: Any) -> Snapshot:
    """A Snapshot of segments and hosts in any order."""
    of_site = {
        key: facts.pop(key)
        for key in ("organisation", "environment", "mac_encoding", "vmid_first", "vmid_last")
        if key in facts
    }
    return Snapshot(
        SiteFacts("lab", "example.net", **of_site),
        segments=tuple(sorted((p for p in parts if isinstance(p, SegmentFacts)), key=lambda p: p.name)),
        hosts=tuple(sorted((p for p in parts if isinstance(p, HostFacts)), key=lambda p: p.name)),
        **facts,
    )
