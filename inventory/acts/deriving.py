"""What follows for a host from what is declared: names, MACs, addresses, boot options. Pure; the acts share it."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from inventory import macs, naming
from inventory.acts import free
from inventory.allocation.choosing import Refused, lowest_address, lowest_mac
from inventory.identity import eui64_address, label_problem
from inventory.snapshot import HostFacts, MachineFacts, SegmentFacts, Snapshot

#: The boot file where nobody on the site boots from the network yet.
FIRST_BOOT_FILE = "pxelinux.0"


def named(snapshot: Snapshot, said: str, role: str, form: str, taken: Collection[str]) -> tuple[str, str]:
    """The name and where it comes from: what somebody *said*, else the next of the pattern. Raises Refused."""
    if said:
        if problem := label_problem(said):
            raise Refused(problem)
        departs = naming.problem(snapshot.site, HostFacts(said, form=form, role=role))
        return said, f"as you say. {departs}" if departs else "as you say"
    try:
        name = naming.next_name(snapshot.site, role=role, form=form, taken=taken)
    except naming.NoName as refusal:
        raise Refused(str(refusal)) from None
    return name, f"the next free one of {naming.pattern_of(snapshot.site.naming)}"


def next_like(name: str, taken: Collection[str]) -> str:
    """*name* with the lowest free number behind its own, where no pattern says it; empty when it ends in none."""
    match = re.fullmatch(r"(.*?)(\d+)", name)
    if match is None:
        return ""
    stem, digits = match.groups()
    for number in range(int(digits) + 1, 10 ** len(digits)):
        found = f"{stem}{number:0{len(digits)}d}"
        if found.lower() not in taken:
            return found
    return ""


def assigned_mac(snapshot: Snapshot, ledger: free.Ledger, role: str, group: str, vmid: int | None) -> str:
    """The MAC that the site's encoding gives. Raises Refused or macs.NoMac."""
    site, taken = snapshot.site, ledger.taken("mac")
    if site.mac_encoding == "vmid":
        if vmid is None:
            raise Refused(
                "MACs of this site are made of VMIDs, and this machine has none; give it one first."
            )
        mac = macs.vmid_mac(site, vmid)
        if mac in taken:
            raise Refused(ledger.contest("mac", mac) or f"{mac} is taken; choose another VMID.")
        return mac
    macs.prefix(site)  # what the site lacks is said before what the role lacks
    facts = next((one for one in snapshot.roles if one.slug == role), None)
    if facts is None:
        raise Refused(
            f"The MAC encoding of site {site.slug} names the host's role; choose a role with an RR code."
        )
    return lowest_mac(site, facts, group, taken)


def next_address(snapshot: Snapshot, segment: SegmentFacts, ledger: free.Ledger) -> str:
    """The lowest free address of the segment's static range. Raises Refused."""
    taken = free.taken_addresses(snapshot, ledger)
    if segment.static_range is None and segment.network4 and segment.policy != "dynamic":
        network = ipaddress.ip_network(segment.network4, strict=False)
        raise Refused(
            f"Segment {segment.name} has no static range; give it its first and last static address, or type an address "
            f"of {network} yourself."
        )
    return lowest_address(segment, snapshot.segments, taken)


def misplaced(segment: SegmentFacts, address: str) -> str:
    """Say why *address* is none of a host in *segment*."""
    if not segment.network4:
        return f"Segment {segment.name} has no IPv4 network; declare one, or choose another segment."
    network, value = ipaddress.ip_network(segment.network4, strict=False), ipaddress.ip_address(address)
    if value not in network:
        return f"{address} lies outside {network} of segment {segment.name}."
    if network.prefixlen < 31 and value in (network[0], network[-1]):
        return f"{address} is the network or broadcast address of {network}."
    if address == segment.gateway4:
        return f"{address} is the gateway of segment {segment.name}."
    return ""


def boot_defaults(snapshot: Snapshot, segment: SegmentFacts) -> tuple[str, str]:
    """Boot server and file of a host in *segment*: what it declares, else what most others there have."""
    there = [one for one in snapshot.live_interfaces if one.segment == segment.name and one.pxe_file]
    anywhere = there or [one for one in snapshot.live_interfaces if one.pxe_file]
    servers = Counter(one.pxe_server for one in there if one.pxe_server)
    files = Counter(one.pxe_file for one in anywhere)
    server = segment.next_server or (sorted(servers, key=lambda s: (-servers[s], s)) or [""])[0]
    file = (sorted(files, key=lambda f: (-files[f], f)) or [FIRST_BOOT_FILE])[0]
    return server, file


def machine_defaults(snapshot: Snapshot, hypervisor: str, *, pxe: bool) -> tuple[MachineFacts, str]:
    """What a new machine on *hypervisor* is made from, and whose example that follows. Sizes are nobody's example."""
    known = [host for host in snapshot.live_hosts if host.machine]
    there = [host for host in known if hypervisor and host.hypervisor == hypervisor]
    said = Counter(
        (one.machine.template, one.machine.ciuser, one.machine.ssh_keys)
        for one in there or known
        if one.machine and one.machine.template
    )
    template, ciuser, ssh_keys = min(said, key=lambda one: (-said[one], one)) if said else ("", "", "")
    machine = MachineFacts(template=template, ciuser=ciuser, ssh_keys=ssh_keys)
    if pxe:
        machine = replace(machine, boot="pxe", rng=True)
    return machine, f"as most others on {hypervisor}" if there and said else "as most others" if said else ""


def eui64_in(segment: SegmentFacts | None, mac: str | None) -> str:
    """The address that *mac* makes in the segment's /64; empty when there is none."""
    network = ipaddress.ip_network(segment.network6) if segment and segment.network6 else None
    if not mac or not isinstance(network, ipaddress.IPv6Network) or network.prefixlen != 64:
        return ""
    return str(eui64_address(mac, network))
