"""The manual floor: what is done by hand, with which cable and which login, before automation can start. Pure.

Its hosts are those that everything else waits for: up to the first stage that has a hypervisor, and the bootstrap node.
Logins are those of the kit's ``ssh/config``: in gateway mode, with what variables and segments say. A jump host that is
not there yet is no way in: a virtual one, or one that comes after the host.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from inventory.exports.ssh_config import alternative_name
from inventory.exports.ssh_plan import plan
from inventory.exports.ssh_words import Entry, SshPlan, Way
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
    names = _by_hand(snapshot)
    return tuple(
        _task(snapshot, snapshot.host_by_name[name], set(names[: number + 1]))
        for number, name in enumerate(names)
    )


def _by_hand(snapshot: Snapshot) -> list[str]:
    """The hosts, in the order in which it is done; the bootstrap node comes before all of them."""
    found: dict[str, None] = {}
    node = snapshot.bootstrap_host
    if node is not None and not node.is_retired:
        found[node.name] = None
    for stage in stages(snapshot):
        hosts = [snapshot.host_by_name[step.host] for step in stage.steps]
        for host in hosts:
            if host.form != "vm" and not host.hypervisor:
                found.setdefault(host.name)
        if any(host.form == "hv" for host in hosts):
            break
    return list(found)


def _task(snapshot: Snapshot, host: HostFacts, there: set[str]) -> Task:
    """*there*: the hosts that stand when it is this one's turn."""
    lines = [*_where(host), *_cables(snapshot, host), *_ways_in(snapshot, host, there)]
    lacking = []
    if not host.location:
        lacking.append("where it stands")
    if not any(interface.switch for interface in host.interfaces) and host.form != "sw":
        lacking.append("which switch port its cable goes to")
    entry = snapshot.once(_entries).get(host.name)
    way = entry.way if entry else Way()
    if not (host.out_of_band or host.access or host.console_kind or way.user):
        lacking.append("how to get in without the network (out-of-band, console, login)")
    return Task(host.name, tuple(lines), tuple(lacking))


def _where(host: HostFacts) -> Iterator[str]:
    if host.location:
        yield f"It stands at: {host.location}."
    if host.platform:
        yield f"It runs {host.platform}."
    if host.notes:
        yield said(host.notes, "notes")


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
    entry = snapshot.once(_entries).get(host.name)
    if entry is None:
        return ""
    passed = _passed(snapshot, entry.way)
    return ", ".join([*_as_whom(entry.way), *(f"through {name}" for name in passed[:1])])


def _as_whom(way: Way) -> Iterator[str]:
    if way.user:
        yield f"as {way.user}"
    if way.port:
        yield f"port {way.port}"
    if way.identity:
        yield f"with the key {way.identity}"


def _plan(snapshot: Snapshot) -> SshPlan:
    return plan(snapshot, "gateway")


def _entries(snapshot: Snapshot) -> dict[str, Entry]:
    return {entry.host: entry for entry in snapshot.once(_plan).entries}


def _passed(snapshot: Snapshot, way: Way) -> list[str]:
    """The hosts that are jumped through, the nearest to the end first; the plan has no circle."""
    entry = snapshot.once(_plan).by_label.get(way.jump)
    return [entry.host, *_passed(snapshot, entry.way)] if entry else []


def _login_now(snapshot: Snapshot, host: HostFacts, there: set[str]) -> str:
    """How ssh logs in to it when only *there* stands: as ever, else through the second jump host, else directly."""
    entry = snapshot.once(_entries).get(host.name)
    late = [name for name in _passed(snapshot, entry.way) if name not in there] if entry else []
    if entry is None or not late:
        return login_of(snapshot, host)
    how = _through_the_second(snapshot, entry, there) or _directly(host, entry)
    return f"{', '.join([*_as_whom(entry.way), how])}. {late[0]}, which leads there otherwise, comes later"


def _through_the_second(snapshot: Snapshot, entry: Entry, there: set[str]) -> str:
    name = alternative_name(snapshot.once(_plan), entry)
    passed = _passed(snapshot, entry.alternative) if name and entry.alternative else []
    return f"through {passed[0]}: ssh -F ssh/config {name}" if passed and there.issuperset(passed) else ""


def _directly(host: HostFacts, entry: Entry) -> str:
    at = entry.addresses[0] if entry.addresses else entry.fqdn
    segment = next((card.segment for card in host.interfaces if at in card.addresses), "")
    here = f" from a machine in {segment}" if segment else ""
    return f"to {at} directly{here}: ssh -F ssh/config -o ProxyJump=none {entry.label}"


def _ways_in(snapshot: Snapshot, host: HostFacts, there: set[str]) -> Iterator[str]:
    if login := _login_now(snapshot, host, there):
        yield f"SSH: {login}."
    if console := console_of(host):
        yield f"Console: {console}."
    if power := power_of(host):
        yield f"Power: {power}."
    for title, name in (("Out of band", "out_of_band"), ("Access", "access")):
        for key, value in shown(getattr(host, name), name).items():
            is_late = key == "jump" and str(value) in snapshot.host_by_name and value not in there
            yield f"{title}, {key}: {said(value)}{', which comes later' if is_late else ''}."
