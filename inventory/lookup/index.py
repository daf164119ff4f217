"""Where every declared value of a site is: made once for a Snapshot. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from inventory.dns.names import dns_name, host_label, interface_label, service_label, zone_of
from inventory.lookup.answers import Declared
from inventory.snapshot import HostFacts, InterfaceFacts, Snapshot

#: what belongs to a value, and the host that it leads to (empty: none)
Found = tuple[Declared, str]


@dataclass
class Index:
    macs: dict[str, list[Found]] = field(default_factory=lambda: defaultdict(list))
    addresses: dict[str, list[Found]] = field(default_factory=lambda: defaultdict(list))
    #: relative names below the zone, in their DNS form; and whole ones elsewhere
    names: dict[str, list[Found]] = field(default_factory=lambda: defaultdict(list))
    numbers: dict[str, list[Found]] = field(default_factory=lambda: defaultdict(list))
    #: switch ports in lower case, alone and behind their switch
    ports: dict[str, list[Found]] = field(default_factory=lambda: defaultdict(list))


def index_of(snapshot: Snapshot) -> Index:
    """The index of *snapshot*, kept with it."""
    return snapshot.once(_made)


def _made(snapshot: Snapshot) -> Index:
    index = Index()
    zone = zone_of(snapshot) or snapshot.site.zone
    for host in snapshot.hosts:
        _add_host(index, snapshot, zone, host)
    for segment in snapshot.segments:
        subject = f"segment {segment.name}"
        _name(index, segment.name, Declared(subject, "its name"), "")
        if segment.vlan is not None:
            index.numbers[str(segment.vlan)].append((Declared(subject, "its VLAN id"), ""))
        for what, text in (
            ("its IPv4 gateway", segment.gateway4),
            ("its IPv6 gateway", segment.gateway6),
            ("its boot server", segment.next_server),
            *(("a DNS server that it hands out", text) for text in segment.dns_servers),
        ):
            if text:
                index.addresses[text].append((Declared(subject, what), ""))
    for alias in snapshot.aliases:
        declared = Declared(f"alias {alias.name}", f"its name; points at service {alias.service}")
        for name in (alias.name, f"{alias.name}.{snapshot.site.root_domain}"):
            _name(index, name, declared, "")
    for noun, rows in (("group", snapshot.groups), ("profile", snapshot.profiles)):
        for row in rows:
            _name(index, row.name, Declared(f"{noun} {row.name}", "its name"), "")
    for role in snapshot.roles:
        _name(
            index,
            role.slug,
            Declared(f"role {role.slug}", f"its name; RR code {role.code or 'none yet'}"),
            "",
        )
    return index


def _add_host(index: Index, snapshot: Snapshot, zone: str, host: HostFacts) -> None:
    status = f", {host.status}" if host.status != "active" else ""
    _name(index, host_label(zone, host) or host.name, Declared(host.subject, f"its name{status}"), host.name)
    if host.vmid is not None:
        on = f", on {host.hypervisor}" if host.hypervisor else ""
        index.numbers[str(host.vmid)].append((Declared(host.subject, f"its VMID{on}{status}"), host.name))
    for interface in host.interfaces:
        _add_interface(index, snapshot, zone, host, interface)
    for service in host.services:
        declared = Declared(f"service {service.label}", f"its name; carried by {host.name}{status}")
        _name(index, service_label(zone, service) or service.label, declared, host.name)


def _add_interface(
    index: Index, snapshot: Snapshot, zone: str, host: HostFacts, interface: InterfaceFacts
) -> None:
    where = f"in segment {interface.segment}" if interface.segment else "in no segment"
    if interface.mac:
        role = f"its {interface.mac_kind} MAC, {where}"
        index.macs[interface.mac].append((Declared(interface.subject, role), host.name))
    for address in interface.addresses:
        role = f"its address, {interface.addressing}, {where}"
        index.addresses[address].append((Declared(interface.subject, role), host.name))
    if interface.bootstrap_ipv4:
        role = f"its address in bootstrap mode, {where}"
        index.addresses[interface.bootstrap_ipv4].append((Declared(interface.subject, role), host.name))
    if interface.switch_port:
        on = f" of {interface.switch}" if interface.switch else ""
        plugged = Declared(interface.subject, f"plugged into port {interface.switch_port}{on}")
        for text in {interface.switch_port, f"{interface.switch or ''} {interface.switch_port}".strip()}:
            index.ports[text.lower()].append((plugged, host.name))
    if interface is not host.primary and interface.a_record:
        label = interface_label(snapshot, zone, host, interface)
        if label:
            _name(index, label, Declared(interface.subject, f"its name, {where}"), host.name)


def _name(index: Index, name: str, declared: Declared, host: str) -> None:
    index.names[dns_name(name) or name.lower()].append((declared, host))
