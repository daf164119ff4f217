"""Shutting a site down and powering it up again, as plans from what depends on what. Pure.

Power-up is the order of rebuilding (``order.py``), in which a host also waits for who switches its power, for the jump
host that it is reached through and for the relay that wakes it. Where these close a circle, the first that was taken
counts: what carries a host, then power, jump hosts, relays, what people declared it to need, gateways, and last who
serves names and boot files.
Shutting down is the same the other way round: nobody goes while somebody who needs it, or is reached through it, still
runs. Routers, switches, access points and what switches their power stay until everybody else is off, and are switched
off by hand: they are the path. So are hosts that nobody logs in to (``logins.py``).

A jump host that runs on the hypervisor that is reached through it goes down, and comes up, with that hypervisor.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from inventory.bootstrap import mode_of, served
from inventory.exports.ssh_plan import plan as ssh_plan
from inventory.exports.ssh_words import SshPlan
from inventory.pictures.fate import carriers
from inventory.recovery.logins import Logins
from inventory.recovery.order import (
    BOOT,
    DECLARED,
    DNS,
    GATEWAY,
    PLUGGED,
    Need,
    arranged,
    carried,
    declared,
    depth,
    everything,
    is_network,
    owners,
    served_by,
    servers,
    wait,
)
from inventory.recovery.said import said
from inventory.snapshot import AuthorityMode, HostFacts, InterfaceFacts, Snapshot

How = Literal["ssh", "hypervisor", "wake", "with", "hand", "left"]
#: they are switched on, and need not answer
NOT_AWAITED = {"standby": "a standby", "maintenance": "in maintenance"}


@dataclass(frozen=True, slots=True)
class Move:
    """What is done about one host; ``why`` tells people what it waits for, or why it is done that way."""

    host: str
    how: How
    #: what ssh is told to reach it by address; empty: nobody can log in
    way: str = ""
    why: str = ""
    #: with what people switch it, as declared
    by: str = ""
    #: of a virtual machine: its number, and how its hypervisor is reached
    vmid: int | None = None
    through: str = ""
    #: of a host that is woken: its MAC, the broadcast address, and how its relay is reached (empty: from here)
    mac: str = ""
    broadcast: str = ""
    #: it is not waited for: whoever leads to it goes with it, or nobody logs in to it
    is_blind: bool = False
    #: the address of its way, or of ``through`` where its hypervisor shuts it down, and how the jump host before that
    #: is reached (empty: nobody is jumped through)
    address: str = ""
    gate: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    number: int
    moves: tuple[Move, ...]


def shutdown(snapshot: Snapshot, authority: AuthorityMode | None = None) -> tuple[Stage, ...]:
    """In the order in which it is done; each live host once. Ways and addresses are those of *authority*."""
    site = _site(snapshot, authority)
    stages = [[site.placed(site.down(name)) for name in stage] for stage in reversed(site.stages)]
    last = [move for moves in stages for move in moves if site.is_path(move)]
    found = [[move for move in moves if not site.is_path(move)] for moves in stages]
    return _numbered([*found, last])


def power_up(snapshot: Snapshot, authority: AuthorityMode | None = None) -> tuple[Stage, ...]:
    """In the order in which it is done; each live host once. Ways and addresses are those of *authority*."""
    site = _site(snapshot, authority)
    return _numbered([[site.placed(site.up(name)) for name in stage] for stage in site.stages])


def _numbered(stages: list[list[Move]]) -> tuple[Stage, ...]:
    return tuple(Stage(number, tuple(moves)) for number, moves in enumerate(filter(None, stages), start=1))


class _Site:
    """One site as both plans need it."""

    def __init__(self, given: Snapshot, authority: AuthorityMode) -> None:
        self.snapshot = snapshot = served(given, authority).snapshot
        self.ssh: SshPlan = ssh_plan(given, authority)
        self.by_host = {entry.host: entry for entry in self.ssh.entries}
        self.jumps = {name: self._jump(name) for name in self.by_host}
        #: jump host → the hypervisor that is reached through it and carries it
        self.within = dict(self._within())
        self.logins = Logins(snapshot)
        self.needs = carried(snapshot)
        #: host → the relay that would wake it, and needs it
        self.unwakeable: dict[str, str] = {}
        self._wait_for_power()
        self._wait_for_jump_hosts()
        self._wait_for_relays()
        for name, need in declared(snapshot):
            wait(self.needs, name, need)
        for _, name, need in sorted(self._served(), key=lambda one: one[0]):
            wait(self.needs, name, need)
        self.everybody = dict.fromkeys(servers(snapshot), ("all that it serves",))
        self.followers = self._followers()
        self.path = set().union(
            *(everything(self.needs, name) for name in self.needs if self.is_network(name))
        )
        self.stages = list(self._stages())

    def _stages(self) -> Iterator[list[str]]:
        """Hosts that need each other come one after the other: who carries others first."""
        for stage in arranged(self.snapshot, self.needs):
            names = [step.host for step in stage.steps]
            if not stage.circle:
                yield names
                continue
            depths = {name: depth(self.snapshot, name) for name in names}
            for level in sorted(set(depths.values())):
                yield [name for name in names if depths[name] == level]

    def _followers(self) -> dict[str, list[str]]:
        """Host → who waits for it to be carried, reached, woken or given power, or was declared to need it.

        What a router, switch or access point needs goes before it all the same: these are the path, and switched off last.
        """
        found: dict[str, list[str]] = {}
        for name, needs in sorted(self.needs.items()):
            for need in needs:
                if need.why == DECLARED and self.is_network(name):
                    continue
                if not need.why.startswith((GATEWAY, DNS, BOOT)):
                    found.setdefault(need.host, []).append(name)
        return found

    def _served(self) -> Iterator[tuple[bool, str, Need]]:
        """(whether it comes second, host, who serves it): a gateway is part of the way to a host, so it comes first."""
        for name, what, need in served_by(self.snapshot):
            yield what != GATEWAY, name, need

    def _jump(self, name: str) -> str:
        label = self.by_host[name].way.jump
        return self.ssh.by_label[label].host if label in self.ssh.by_label else ""

    def _within(self) -> Iterator[tuple[str, str]]:
        for name, jump in sorted(self.jumps.items()):
            if jump and name in carriers(self.snapshot, self.snapshot.host_by_name[jump]):
                yield jump, name

    def _wait_for_power(self) -> None:
        """A PDU needs no switch to give power; what people log in to waits for its switches all the same."""
        found = owners(self.snapshot)
        for name in sorted(self.needs):
            host = self.snapshot.host_by_name[name]
            switcher = found.get(host.power_address, "")
            if switcher in ("", name):
                continue
            if not self.is_network(switcher) and not self.is_logged_in(switcher):
                self.needs[switcher] = tuple(need for need in self.needs[switcher] if need.why != PLUGGED)
            wait(self.needs, name, Need(switcher, "switches its power"))

    def _wait_for_jump_hosts(self) -> None:
        for name in sorted(self.needs):
            jump = self.jumps.get(name, "") if self.is_logged_in(name) else ""
            if jump not in ("", name):
                wait(self.needs, name, Need(jump, "is reached through it"))
            carrier = "" if self.is_network(name) else self.snapshot.host_by_name[name].hypervisor
            way_to_it = self.jumps.get(carrier, "")
            if way_to_it not in ("", name, jump):
                wait(self.needs, name, Need(way_to_it, "its hypervisor is reached through it"))

    def _wait_for_relays(self) -> None:
        for name in sorted(self.needs):
            relay = self._relay(name)
            if relay and not wait(self.needs, name, Need(relay, "wakes it")):
                self.unwakeable[name] = relay

    def _relay(self, name: str) -> str:
        """The live host that wakes *name*; empty: it is woken from here, or in another way."""
        host = self.snapshot.host_by_name[name]
        card = self._card(host)
        segment = self.snapshot.segment_of(card) if card else None
        relay = segment.wake_relay if segment else ""
        return relay if relay in self.needs and relay != name else ""

    def _card(self, host: HostFacts) -> InterfaceFacts | None:
        """What Wake-on-LAN is sent to when *host* is powered up; None: it is switched on in another way."""
        if self.is_network(host.name) or host.name in self.within or self._is_started(host):
            return None
        return woken(host) if host.power_kind in ("", "wol") else None

    def _is_started(self, host: HostFacts) -> bool:
        return bool(host.hypervisor and host.vmid is not None and self.way(host.hypervisor))

    def is_network(self, name: str) -> bool:
        return is_network(self.snapshot.host_by_name[name])

    def is_logged_in(self, name: str) -> bool:
        """Whether operators log in to it when it is shut down and powered up, where it has an address."""
        return not self.is_network(name) and self.logins.has(self.snapshot.host_by_name[name])

    def is_path(self, move: Move) -> bool:
        """Whether others cross it, or it gives power to who is crossed: people switch it off last."""
        return move.how == "hand" and move.host in self.path

    def way(self, name: str) -> str:
        """As the generated configuration calls it by address; empty without an address."""
        entry = self.by_host.get(name)
        if entry is None or not entry.addresses:
            return ""
        suffixed = f"{entry.label}.ip"
        return entry.addresses[0] if suffixed in self.ssh.labels else suffixed

    def placed(self, move: Move) -> Move:
        """With its address, and who is jumped through."""
        if not move.way:
            return move
        address, gate = self._place(move.host)
        return replace(move, address=address, gate=gate)

    def _place(self, name: str) -> tuple[str, str]:
        """(its address, how the jump host before it is reached)."""
        jump = self.jumps[name]
        gate = (self.way(jump) or self.by_host[jump].label) if jump else ""
        return self.by_host[name].addresses[0], gate

    def down(self, name: str) -> Move:
        host, way = self.snapshot.host_by_name[name], self.way(name)
        why = self._after(name)
        if self.is_network(name):
            return Move(name, "hand", way, "everybody else crosses it", by=_off_by_hand(host))
        if name in self.within:
            return Move(name, "with", way, f"goes down with {self.within[name]}, which is reached through it")
        if not way and self._is_started(host):
            address, gate = self._place(host.hypervisor)
            return Move(
                name, "hypervisor", "", why, vmid=host.vmid, through=self.way(host.hypervisor),
                address=address, gate=gate,
            )  # fmt: skip
        if not way or not self.is_logged_in(name):
            lack = "no way to log in to it is declared" if way else "it has no address that ssh could reach"
            return Move(name, "hand", way, "; ".join(filter(None, (lack, why))), by=_off_by_hand(host))
        return Move(name, "ssh", way, why, is_blind=name in self.within.values())

    def _after(self, name: str) -> str:
        """Who goes before it: by name, but for whom it serves, which may be everybody."""
        waiting = [*self.followers.get(name, ()), *self.everybody.get(name, ())]
        return f"after {', '.join(waiting)}" if waiting else ""

    def up(self, name: str) -> Move:
        host, way = self.snapshot.host_by_name[name], self.way(name)
        why = "; ".join(f"after {need.host} ({need.why})" for need in self.needs[name])
        if host.status == "provisioning":
            return Move(name, "left", why="it is being provisioned: there may be no machine yet")
        lack = NOT_AWAITED.get(host.status, "")
        if way and not lack and not self.is_network(name) and not self.is_logged_in(name):
            lack = "no way to log in to it is declared"
        if lack:
            why = f"{why}; not waited for: {lack}" if why else f"not waited for: {lack}"
        return self._switched_on(Move(name, "hand", way, why, is_blind=bool(lack)), host)

    def _switched_on(self, move: Move, host: HostFacts) -> Move:
        name = move.host
        if name in self.within:
            carrier = self.within[name]
            if host.machine is None or host.machine.start_on_boot:
                return replace(move, how="with", why=f"comes up with {carrier}")
            why = f"{carrier} is reached through it, and does not start it when it boots"
            return replace(move, why=why, by=f"at the console of {carrier}")
        if self._is_started(host):
            return replace(move, how="hypervisor", vmid=host.vmid, through=self.way(host.hypervisor))
        if self.is_network(name):
            return replace(move, by=_by_hand(host), is_blind=True)
        move = replace(move, is_blind=move.is_blind or name in self.within.values())
        if name in self.unwakeable:
            why = f"{move.why}; " if move.why else ""
            return replace(
                move,
                why=f"{why}its Wake-on-LAN relay {self.unwakeable[name]} waits for it",
                by=_by_hand(host),
            )
        if (card := self._card(host)) is not None:
            broadcast, relay = self.radio(card)
            return replace(move, how="wake", through=relay, mac=card.mac or "", broadcast=broadcast)
        return replace(move, by=_by_hand(host))

    def radio(self, card: InterfaceFacts) -> tuple[str, str]:
        """(broadcast address of the segment of *card*, how its relay is reached)."""
        segment = self.snapshot.segment_of(card)
        if segment is None:
            return "255.255.255.255", ""
        relay = segment.wake_relay if segment.wake_relay != card.host else ""
        return broadcast_of(segment.network4), self.way(relay) if relay else ""


def way_to(snapshot: Snapshot, name: str) -> str:
    """What ssh is told to reach the host *name* by address, in the generated configuration; empty: nothing reaches it."""
    return _site(snapshot).way(name)


def unwakeable(snapshot: Snapshot) -> dict[str, str]:
    """Host → the relay that would wake it, but waits for it itself: runs on it, or is reached through it."""
    return _site(snapshot).unwakeable


def not_started(snapshot: Snapshot) -> dict[str, str]:
    """Jump host → the hypervisor that carries it, is reached through it, and does not start it when it boots."""
    machines = {host.name: host.machine for host in snapshot.live_hosts if host.machine is not None}
    found = _site(snapshot).within.items()
    return {jump: name for jump, name in found if jump in machines and not machines[jump].start_on_boot}


def _site(snapshot: Snapshot, authority: AuthorityMode | None = None) -> _Site:
    return snapshot.once(_of_bootstrap if mode_of(snapshot, authority) == "bootstrap" else _of_gateway)


def _of_gateway(snapshot: Snapshot) -> _Site:
    return _Site(snapshot, "gateway")


def _of_bootstrap(snapshot: Snapshot) -> _Site:
    return _Site(snapshot, "bootstrap")


def woken(host: HostFacts) -> InterfaceFacts | None:
    """The interface that wakes *host*: the primary one where it does, else the first."""
    cards = [card for card in host.interfaces if card.wake_on_lan and card.mac]
    return next((card for card in cards if card is host.primary), cards[0] if cards else None)


def broadcast_of(network: str | None) -> str:
    """The broadcast address of an IPv4 network; of none, that of wherever one is."""
    return str(ipaddress.IPv4Network(network).broadcast_address) if network else "255.255.255.255"


def _by_hand(host: HostFacts) -> str:
    """How it is switched on, as declared."""
    at = f" at {said(host.power_address, 'power_address')}" if host.power_address else ""
    outlet = f", outlet {host.power_outlet}" if host.power_outlet else ""
    words = {
        "pdu": "PDU",
        "ipmi": "IPMI",
        "redfish": "Redfish",
        "proxmox": "Proxmox",
        "wol": "Wake-on-LAN (no MAC is known)",
    }
    return f"by {words[host.power_kind]}{at}{outlet}" if host.power_kind in words else ""


def _off_by_hand(host: HostFacts) -> str:
    """How it is switched off, as declared: what wakes it does not."""
    return "" if host.power_kind == "wol" else _by_hand(host)
