"""Wake a host by its network card: from here where its segment is here, else through the relay of the segment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django import forms

from inventory import reading
from inventory.recovery.power import broadcast_of, way_to, woken
from inventory.recovery.scripts import ssh_files
from inventory.snapshot import Snapshot
from provisioning.adapters import waking
from provisioning.adapters.base import AdapterError
from provisioning.engine.faults import JobFailed
from provisioning.kinds.base import Asked, Kind
from provisioning.kinds.machine import site_of
from provisioning.plans import RUN, Line, Plan

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn


class Parameters(forms.Form):
    host = forms.CharField(max_length=255, help_text="The host, as declared.")


@dataclass(frozen=True)
class Packet:
    """What is sent for a host, and from where: ``relay`` is a host of the site, empty: from here."""

    mac: str
    broadcast: str
    relay: str = ""
    way: str = ""


class CannotWake(ValueError):
    """A sentence for people."""


class WakeHost(Kind):
    """Outcome: ``mac``, ``sent_from`` (``here`` or the relay)."""

    name = "wake_host"
    title = "Wake {host} at {site}"
    verb = "Wake"
    what = "Sends the packet of Wake-on-LAN to a host, from here or through the relay of its segment."
    Parameters = Parameters

    def machine_key(self, asked: Asked) -> str:
        return f"{asked.site}/{asked['host']}"

    def plan(self, asked: Asked) -> Plan:
        try:
            packet = packet_for(reading.load(site_of(asked).slug), asked["host"])
        except CannotWake as problem:
            return Plan(problems=(str(problem),))
        place = f"from {packet.relay}" if packet.relay else "from here"
        return Plan((Line(RUN, f"wake {asked['host']}", f"{packet.mac} to {packet.broadcast}, {place}"),))

    def run(self, turn: Turn, plan: Plan) -> None:
        snapshot = reading.load(site_of(turn.asked).slug)
        try:
            packet = packet_for(snapshot, turn.asked["host"])
        except CannotWake as problem:
            raise JobFailed(str(problem)) from None
        turn.step(f"Send the packet from {packet.relay or 'here'}")
        turn.check()
        try:
            if packet.relay:
                relay = waking.Relay(packet.way, ssh_files(snapshot))
                waking.send_through(relay, packet.mac, packet.broadcast)
            else:
                waking.send(packet.mac, packet.broadcast)
        except AdapterError as fault:
            raise JobFailed(f"{fault.sentence} {fault.way_out}".strip()) from None
        turn.outcome = {"mac": packet.mac, "sent_from": packet.relay or "here"}
        turn.message = (
            f"The packet for {packet.mac} was sent; whether {turn.asked['host']} woke, it does not say."
        )


def packet_for(snapshot: Snapshot, name: str) -> Packet:
    """What is sent for the host *name* and from where. Raises CannotWake."""
    host = snapshot.host_by_name.get(name)
    if host is None or host.is_retired:
        raise CannotWake(f"Site {snapshot.site.slug} has no host {name}, or it is retired.")
    card = woken(host)
    if card is None or card.mac is None:
        raise CannotWake(f"{name} has no interface with Wake-on-LAN and a known MAC; declare one.")
    segment = snapshot.segment_of(card)
    network = segment.network4 if segment else None
    if network and waking.is_here(network):
        return Packet(card.mac, broadcast_of(network))
    relay = segment.wake_relay if segment else ""
    if not relay:
        where = f"Segment {segment.name}" if segment else f"The interface {card.name}"
        raise CannotWake(
            f"{where} is not on this machine's network and has no Wake-on-LAN relay; declare one."
        )
    if relay == name:
        raise CannotWake(
            f"{name} is the Wake-on-LAN relay of its own segment; wake it by hand or from another host."
        )
    way = way_to(snapshot, relay)
    if not way:
        raise CannotWake(f"The relay {relay} has no address that ssh could reach.")
    return Packet(card.mac, broadcast_of(network), relay, way)
