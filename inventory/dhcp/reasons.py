"""Why a reservation that somebody asks for is not served, and what to know about one that is. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from inventory.dns.names import dns_name
from inventory.findings import Finding, Severity
from inventory.identity import is_ip_address, mac_problem
from inventory.numbers import number4
from inventory.snapshot import InterfaceFacts, SegmentFacts, Snapshot

#: The BOOTP ``file`` field holds 128 octets with a final NUL (RFC 2131, section 2).
LONGEST_BOOT_FILE = 127
#: 224.0.0.0; what follows is no machine's, up to the broadcast address.
MULTICAST = 0xE000_0000
#: What Kea, dnsmasq and dhcpd all carry in a quoted or bare word: printable ASCII but for `"`, `\` and `,`.
#: A `#` after a blank begins a comment in dnsmasq.
BOOT_FILE_PATTERN = re.compile(r"(?!.* #)[!#-+\--\[\]-~](?:[ !#-+\--\[\]-~]*[!#-+\--\[\]-~])?\Z")


@dataclass(frozen=True, slots=True)
class Ground:
    """A segment whose DHCP is ours to serve: its IPv4 network, ready to compare with."""

    segment: SegmentFacts
    network: ipaddress.IPv4Network
    first: int
    last: int

    def holds(self, address: str) -> bool:
        number = number4(address)
        return number is not None and self.first <= number <= self.last

    def is_usable(self, address: str) -> bool:
        """False for the network and broadcast address; a /31 (RFC 3021) and a /32 have neither."""
        return self.network.prefixlen > 30 or number4(address) not in (self.first, self.last)


@dataclass(frozen=True, slots=True)
class Grounds:
    by_name: Mapping[str, Ground]
    #: segment → the other segments whose networks overlap its own
    overlaps: Mapping[str, tuple[str, ...]]

    @property
    def served(self) -> Iterator[Ground]:
        for name in sorted(self.by_name):
            if name not in self.overlaps:
                yield self.by_name[name]


@dataclass(frozen=True, slots=True)
class Boot:
    """What PXE firmware is told: siaddr, option 66, and the file (BOOTP field and option 67)."""

    next_server: str | None = None
    server_name: str | None = None
    file: str | None = None


def grounds_of(snapshot: Snapshot) -> Grounds:
    grounds = {
        segment.name: _ground(segment, ipaddress.IPv4Network(segment.network4))
        for segment in snapshot.segments
        if segment.network4 and segment.policy != "none"
    }
    return Grounds(grounds, _overlaps(grounds.values()))


def _ground(segment: SegmentFacts, network: ipaddress.IPv4Network) -> Ground:
    return Ground(segment, network, int(network.network_address), int(network.broadcast_address))


def _overlaps(grounds: Iterable[Ground]) -> dict[str, tuple[str, ...]]:
    """Networks nest or are disjoint: walk them in order with the ones around the current one on a stack."""
    overlaps: dict[str, set[str]] = {}
    around: list[Ground] = []
    for ground in sorted(grounds, key=lambda g: (g.network, g.segment.name)):
        while around and not around[-1].network.overlaps(ground.network):
            around.pop()
        for other in around:
            overlaps.setdefault(ground.segment.name, set()).add(other.segment.name)
            overlaps.setdefault(other.segment.name, set()).add(ground.segment.name)
        around.append(ground)
    return {name: tuple(sorted(others)) for name, others in overlaps.items()}


def reasons_against(snapshot: Snapshot, grounds: Grounds, interface: InterfaceFacts) -> Iterator[Finding]:
    """Every reason why the reservation that *interface* asks for cannot be served."""
    yield from _segment_reasons(snapshot, grounds, interface)
    subject = interface.subject
    if interface.addressing != "static" or not interface.ipv4:
        yield Finding(
            "reservation-without-address",
            "warning",
            subject,
            "asks for a DHCP reservation and has no fixed IPv4 address.",
            "Give it a static address, or switch the reservation off.",
        )
    if not interface.mac:
        yield Finding(
            "reservation-unknown-mac",
            "warning",
            subject,
            f"asks for a DHCP reservation of {interface.ipv4 or 'an address'}, and its MAC is unknown.",
            "Read the MAC off the machine, its label or the switch's table, and write it down.",
        )
    elif problem := mac_problem(interface.mac):
        yield Finding("reservation-mac-unusable", "error", subject, problem, "Correct the MAC.")


def _segment_reasons(snapshot: Snapshot, grounds: Grounds, interface: InterfaceFacts) -> Iterator[Finding]:
    subject, name = interface.subject, interface.segment
    if not name or name not in snapshot.segment_by_name:
        yield Finding(
            "reservation-without-segment",
            "error" if name else "warning",
            subject,
            f"asks for a DHCP reservation in the segment {name}, which is not declared."
            if name
            else "asks for a DHCP reservation and belongs to no segment.",
            "Declare the segment, or name the one it is plugged into.",
        )
        return
    ground = grounds.by_name.get(name)
    if ground is None:
        yield Finding(
            "reservation-no-dhcp",
            "warning",
            subject,
            f"asks for a DHCP reservation; the segment {name} has no DHCP (no IPv4 network, or policy none).",
            "Give the segment a network and a policy, or switch the reservation off.",
        )
        return
    if ground.segment.policy == "dynamic":
        yield Finding(
            "reservation-forbidden",
            "warning",
            subject,
            f"asks for a DHCP reservation; the segment {name} takes no static mappings.",
            f"Move it to another segment, switch the reservation off, or set the policy of {name} to both.",
        )
    if interface.addressing == "static" and interface.ipv4:
        yield from _address_reasons(grounds, ground, interface, interface.ipv4)


def _address_reasons(
    grounds: Grounds, ground: Ground, interface: InterfaceFacts, address: str
) -> Iterator[Finding]:
    name = ground.segment.name
    if not ground.holds(address):
        elsewhere = [other for other, its in sorted(grounds.by_name.items()) if its.holds(address)]
        where = f"; it belongs to {' and '.join(elsewhere)}" if elsewhere else ""
        yield Finding(
            "reservation-outside-segment",
            "error",
            interface.subject,
            f"asks for a reservation of {address}, outside the segment {name} ({ground.network}){where}.",
            f"Give it an address of {name}, or declare the segment that it is plugged into.",
        )
    elif not ground.is_usable(address):
        yield Finding(
            "reservation-unusable-address",
            "error",
            interface.subject,
            f"asks for a reservation of {address}, the network or broadcast address of {ground.network}.",
            f"Give it another address of {name}.",
        )


def is_contested(snapshot: Snapshot, interface: InterfaceFacts) -> bool:
    """True when another host claims this MAC or address; the dispute is a finding of its own."""
    return snapshot.is_disputed("mac", interface.mac or "") or snapshot.is_disputed(
        "ip", interface.ipv4 or ""
    )


def repeated(interface: InterfaceFacts, kept: InterfaceFacts) -> Finding:
    """Two interfaces of one host share a MAC or an address in one segment: servers take one of them."""
    same = interface.mac == kept.mac and interface.ipv4 == kept.ipv4
    return Finding(
        "reservation-repeated",
        "info" if same else "warning",
        interface.subject,
        f"asks for {interface.ipv4} with {interface.mac}; {kept.name} of the same host, in the same segment, "
        f"already has {kept.ipv4} with {kept.mac}, which is the one rendered.",
        "Leave the reservation with the one interface that asks for it (the bond, the bridge).",
    )


def on_gateway(interface: InterfaceFacts) -> Finding:
    return Finding(
        "reservation-on-gateway",
        "warning",
        interface.subject,
        f"has a reservation of {interface.ipv4}, its segment's gateway; a router must come up without DHCP.",
        "Configure the address on the router itself and switch the reservation off.",
    )


def hostname_unusable(interface: InterfaceFacts) -> Finding:
    """The reservation stands; it comes without a name."""
    return Finding(
        "name-unusable",
        "warning",
        interface.subject,
        "has a name that is no single DNS label below the zone; its reservation is served without a name.",
        "Name the host in letters, digits and hyphens.",
    )


def boot_of(interface: InterfaceFacts, segment: SegmentFacts) -> tuple[Boot, list[Finding]]:
    """What *interface* boots from, as far as every server can say it, and findings about the rest.

    siaddr takes an address; a server's name can only be said in option 66, which UEFI firmware ignores.
    """
    findings: list[Finding] = []
    server, name = next_server(segment), interface.pxe_server
    if name and is_machine(name):
        server = name
    elif name and dns_name(name) and not is_ip_address(name):
        findings.append(_about_boot(interface, "pxe-server-is-a-name", "info", PXE_NAME))
    elif name:
        findings.append(_about_boot(interface, "pxe-unusable", "warning", PXE_SERVER))
        name = ""
    file = interface.pxe_file
    if file and (len(file) > LONGEST_BOOT_FILE or not BOOT_FILE_PATTERN.match(file)):
        findings.append(_about_boot(interface, "pxe-unusable", "warning", PXE_FILE))
        file = ""
    wanted = bool(interface.pxe_server or interface.pxe_file)
    if not wanted or not (name or file):
        return Boot(), findings
    return Boot(server, (dns_name(name) if name else server), file or None), findings


PXE_NAME = "names its PXE server by name: option 66 alone, while UEFI firmware reads an address (siaddr)."
PXE_SERVER = "has a PXE server that is neither the IPv4 address of a machine nor a name; it is not rendered."
PXE_FILE = "has a boot file that is longer than 127 characters or no plain path; it is not rendered."


def _about_boot(interface: InterfaceFacts, rule: str, severity: Severity, message: str) -> Finding:
    hint = "Write the PXE server as an IPv4 address and the boot file as a short plain path."
    return Finding(rule, severity, interface.subject, message, hint)


def next_server(segment: SegmentFacts) -> str | None:
    """The segment's siaddr, if it is an address."""
    return segment.next_server if segment.next_server and is_machine(segment.next_server) else None


def is_ipv4(text: str) -> bool:
    return number4(text) is not None


def is_machine(text: str) -> bool:
    """True for an IPv4 address that one machine can have: not 0.0.0.0, no multicast, no broadcast (Kea refuses it)."""
    return 0 < (number4(text) or 0) < MULTICAST
