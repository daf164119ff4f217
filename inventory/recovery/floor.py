"""The manual floor: what is done by hand, with which cable and which login, before automation can start. Pure.

Its hosts are those that everything else waits for: up to the first stage that has a hypervisor, and the bootstrap node.
Logins are those of the kit's ``ssh/config``: in gateway mode, with what variables and segments say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from inventory.exports.ssh_plan import plan
from inventory.exports.ssh_words import Way
from inventory.recovery.order import stages
from inventory.recovery.said import said, shown
from inventory.snapshot import HostFacts, InterfaceFacts, Snapshot


@dataclass(frozen=True, slots=True)
class Task:
    """What to do at one host, line by line; ``lacking`` says what nobody wrote down."""

    host: str
    lines: tuple[str, ...]
    lacking: tuple[str, ...] = ()


def floor(snapshot: Snapshot) -> tuple[Task, ...]:
    """In the order in which it is done."""
    return tuple(_task(snapshot, snapshot.host_by_name[name]) for name in _by_hand(snapshot))


def _by_hand(snapshot: Snapshot) -> list[str]:
    found: list[str] = []
    for stage in stages(snapshot):
        hosts = [snapshot.host_by_name[step.host] for step in stage.steps]
        found += [host.name for host in hosts if host.form != "vm" and not host.hypervisor]
        if any(host.form == "hv" for host in hosts):
            break
    node = snapshot.bootstrap_host
    if node is not None and not node.is_retired:
        found = [node.name, *(name for name in found if name != node.name)]
    return found


def _task(snapshot: Snapshot, host: HostFacts) -> Task:
    lines = [*_where(host), *_cables(snapshot, host), *_ways_in(snapshot, host)]
    lacking = []
    if not host.location:
        lacking.append("where it stands")
    if not any(interface.switch for interface in host.interfaces) and host.form != "sw":
        lacking.append("which switch port its cable goes to")
    way, _ = snapshot.once(_ways).get(host.name, (Way(), ""))
    if not (host.out_of_band or host.access or host.console_kind or way.user):
        lacking.append("how to get in without the network (out-of-band, console, login)")
    return Task(host.name, tuple(lines), tuple(lacking))


def _where(host: HostFacts) -> Iterator[str]:
    if host.location:
        yield f"It stands at: {host.location}."
    if host.platform:
        yield f"It runs {host.platform}."
    if host.notes:
        yield host.notes


def _cables(snapshot: Snapshot, host: HostFacts) -> Iterator[str]:
    for interface in host.interfaces:
        yield " ".join(_cable(snapshot, interface)) + "."


def _cable(snapshot: Snapshot, interface: InterfaceFacts) -> Iterator[str]:
    yield f"{interface.name} (MAC {interface.mac or 'unknown'})"
    if interface.switch:
        yield f"goes to {interface.switch} port {interface.switch_port or '?'}"
    segment = snapshot.segment_of(interface)
    if segment is not None:
        yield f"in {segment.name}" + (f", VLAN {segment.vlan}" if segment.vlan is not None else "")
    if interface.addresses:
        yield f"and has {', '.join(interface.addresses)}"


CONSOLES = {
    "serial": "serial line",
    "sol": "serial over LAN (IPMI)",
    "redfish": "Redfish",
    "kvm": "KVM over IP",
    "proxmox": "Proxmox console",
    "local": "screen and keyboard",
}
POWERS = {
    "pdu": "PDU",
    "wol": "Wake-on-LAN",
    "ipmi": "IPMI",
    "redfish": "Redfish",
    "proxmox": "Proxmox",
    "hand": "by hand",
}


def console_of(host: HostFacts) -> str:
    """How one sees its screen without its network, and where; empty: nobody wrote it down."""
    parts = (
        CONSOLES.get(host.console_kind, host.console_kind),
        said(host.console_address, "console_address"),
    )
    return ", ".join(filter(None, parts))


def power_of(host: HostFacts) -> str:
    """How it is switched on from afar: “PDU, pdu01, outlet 5”; empty: nobody wrote it down."""
    outlet = f"outlet {host.power_outlet}" if host.power_outlet else ""
    kind, address = POWERS.get(host.power_kind, host.power_kind), said(host.power_address, "power_address")
    return ", ".join(filter(None, (kind, address, outlet)))


def login_of(snapshot: Snapshot, host: HostFacts) -> str:
    """How ssh logs in to it: “as ops, port 2222, through jump01”; empty: nobody declared anything of that."""
    way, jump = snapshot.once(_ways).get(host.name, (Way(), ""))
    parts = (
        f"as {way.user}" if way.user else "",
        f"port {way.port}" if way.port else "",
        f"with the key {way.identity}" if way.identity else "",
        f"through {jump}" if jump else "",
    )
    return ", ".join(filter(None, parts))


def _ways(snapshot: Snapshot) -> dict[str, tuple[Way, str]]:
    """Host → the way to it, and the host that is jumped through (empty: none)."""
    made = plan(snapshot, "gateway")
    hosts = {entry.label: entry.host for entry in made.entries}
    return {entry.host: (entry.way, hosts.get(entry.way.jump, "")) for entry in made.entries}


def _ways_in(snapshot: Snapshot, host: HostFacts) -> Iterator[str]:
    if login := login_of(snapshot, host):
        yield f"SSH: {login}."
    if console := console_of(host):
        yield f"Console: {console}."
    if power := power_of(host):
        yield f"Power: {power}."
    for title, name in (("Out of band", "out_of_band"), ("Access", "access")):
        for key, value in shown(getattr(host, name), name).items():
            yield f"{title}, {key}: {said(value)}."
