"""What travels between a hypervisor and a storage of the network, and whether it crosses the router. Pure.

A clone or a backup is tens of gigabytes. Through the core router it takes the place of everybody else's traffic, and
does not work at all while the router is being mended.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from inventory.snapshot import HostFacts, Snapshot
from provisioning.machines.facts import StorageFacts
from provisioning.surveying.survey import Survey

#: types of storage whose data lies on another machine
REMOTE = frozenset(
    {"cephfs", "cifs", "esxi", "glusterfs", "iscsi", "iscsidirect", "nfs", "pbs", "rbd", "zfs"}
)


def from_storage(snapshot: Snapshot, survey: Survey, storage: str, what: str) -> tuple[str, ...]:
    """A sentence where reading *what* (“the clone of debian-13”) from *storage* crosses the router; else nothing."""
    return tuple(_said(snapshot, survey, storage, f"{what} reads from"))


def to_storage(snapshot: Snapshot, survey: Survey, storage: str, what: str) -> tuple[str, ...]:
    return tuple(_said(snapshot, survey, storage, f"{what} writes to"))


def _said(snapshot: Snapshot, survey: Survey, storage: str, deed: str) -> Iterator[str]:
    found = survey.storage_by_name.get(storage)
    if found is None or found.kind not in REMOTE:
        return
    deed = deed[:1].upper() + deed[1:]
    if not found.server:
        yield (
            f"{deed} {storage} ({found.kind}), a storage of the network; where its server is, the node does not say, "
            "so the way may cross the router."
        )
        return
    for server in _servers(found):
        addresses = _addresses(snapshot, server)
        if not addresses:
            yield (
                f"{deed} {storage} on {server}, whose address is not declared: whether that crosses the router is not known."
            )
        elif not any(_is_neighbour(snapshot, survey.hypervisor, one) for one in addresses):
            through = _segment_of(snapshot, addresses[0])
            place = f" in segment {through}" if through else ""
            yield f"{deed} {storage} on {server}{place}: {survey.hypervisor} is not there, so it crosses the router."


def _servers(storage: StorageFacts) -> tuple[str, ...]:
    """``server`` or ``monhost`` as Proxmox writes them: one or several, some with a port."""
    return tuple(_without_port(one) for one in storage.server.replace(";", " ").replace(",", " ").split())


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    host, colon, port = text.partition(":")
    return host if colon and port.isdigit() else text


def _addresses(snapshot: Snapshot, server: str) -> tuple[str, ...]:
    """*server* itself where it is an address; else the addresses of the host, interface or service of that name."""
    try:
        return (str(ipaddress.ip_address(server)),)
    except ValueError:
        pass
    name = server.lower().rstrip(".").removesuffix(f".{snapshot.site.zone}")
    for host in snapshot.live_hosts:
        if name == host.name or name in {service.name for service in host.services}:
            primary = host.primary
            return primary.addresses if primary else ()
    return ()


def _is_neighbour(snapshot: Snapshot, hypervisor: str, address: str) -> bool:
    """Whether *hypervisor* has an interface in the network of *address*."""
    host = snapshot.host_by_name.get(hypervisor)
    return host is not None and any(
        ipaddress.ip_address(address) in network for network in _networks(snapshot, host)
    )


def _networks(snapshot: Snapshot, host: HostFacts) -> Iterator[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    for card in host.interfaces:
        segment = snapshot.segment_of(card)
        if segment is not None:
            for text in (segment.network4, segment.network6):
                if text:
                    yield ipaddress.ip_network(text)


def _segment_of(snapshot: Snapshot, address: str) -> str:
    for segment in snapshot.segments:
        for text in (segment.network4, segment.network6):
            if text and ipaddress.ip_address(address) in ipaddress.ip_network(text):
                return segment.name
    return ""
