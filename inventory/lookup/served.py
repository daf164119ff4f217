"""What goes out about hosts, addresses and names: records, reservations, inventory; for either authority. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from inventory import dhcp, dns
from inventory.dns.names import zone_of
from inventory.dns.plan import DnsPlan, Record
from inventory.lookup.answers import Exported
from inventory.snapshot import AuthorityMode, Snapshot

MODES: tuple[AuthorityMode, ...] = ("gateway", "bootstrap")

#: (what, text) → the modes that say so
Lines = dict[tuple[str, str], list[str]]


def about(
    snapshot: Snapshot, hosts: Collection[str], addresses: Collection[str], names: Collection[str]
) -> tuple[Exported, ...]:
    """Records and reservations of *hosts*, and those that name one of *addresses* or absolute *names*."""
    lines: Lines = defaultdict(list)
    modes = MODES if snapshot.bootstrap_host else MODES[:1]
    for mode in modes:
        for line in (
            *_reservations(snapshot, mode, hosts, addresses),
            *_records(snapshot, mode, hosts, addresses, names),
        ):
            lines[line].append(mode)
    found = [
        Exported(what, text, "" if len(said) == len(modes) else said[0])  # type: ignore[arg-type]
        for (what, text), said in lines.items()
    ]
    live = [name for name in hosts if (host := snapshot.host_by_name.get(name)) and not host.is_retired]
    found += [Exported("Ansible inventory", f"host {name}") for name in sorted(live)]
    return tuple(found)


def _reservations(
    snapshot: Snapshot, mode: AuthorityMode, hosts: Collection[str], addresses: Collection[str]
) -> Iterable[tuple[str, str]]:
    planned = dhcp.plan(snapshot, mode)
    for subnet in planned.subnets:
        for one in subnet.reservations:
            if one.host in hosts or one.address in addresses:
                name = f" {one.hostname}" if one.hostname else ""
                yield "DHCP reservation", f"{one.mac} → {one.address}{name} (segment {subnet.segment})"
    subjects = {f"host {name}" for name in hosts}
    for finding in planned.left_out:
        owner = finding.subject.partition("/")[0].replace("interface ", "host ")
        if owner in subjects:
            yield "left out", f"DHCP: {finding.subject} {finding.message}"


def _records(
    snapshot: Snapshot,
    mode: AuthorityMode,
    hosts: Collection[str],
    addresses: Collection[str],
    names: Collection[str],
) -> Iterable[tuple[str, str]]:
    planned = dns.plan(snapshot, mode)
    zone = zone_of(snapshot)
    mine = {f"{name}.{zone}" for name in hosts} | set(names)
    mine |= {planned.pointers[address] for address in addresses if address in planned.pointers}
    by_owner = snapshot.once(_by_gateway if mode == "gateway" else _by_bootstrap_node)
    seen: set[tuple[str, str]] = set()
    for owner in sorted(mine):
        for record in by_owner.get(owner, ()):
            line = ("DNS record", f"{record.name} {record.type} {record.value}")
            if line not in seen:
                seen.add(line)
                yield line


Owned = dict[str, list[Record]]


def _by_gateway(snapshot: Snapshot) -> Owned:
    return _by_name(dns.plan(snapshot, "gateway"))


def _by_bootstrap_node(snapshot: Snapshot) -> Owned:
    return _by_name(dns.plan(snapshot, "bootstrap"))


def _by_name(planned: DnsPlan) -> Owned:
    """A record is about the name that it has, and about the one that it points at."""
    found: Owned = defaultdict(list)
    for zone in planned.zones:
        for record in zone.records:
            found[record.name].append(record)
            if record.type in ("CNAME", "PTR"):
                found[record.value].append(record)
    return found
