"""Is the machine what was asked for: the configuration read back against the declaration. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from inventory.identity import canonical_mac
from provisioning.machines.facts import Config, GuestInterface
from provisioning.machines.owning import TAG, former, owner_of
from provisioning.machines.properties import Nic
from provisioning.machines.sizes import disk_text
from provisioning.machines.spec import (
    Card,
    MachineSpec,
    differing,
    disk_of_serial,
    means_same,
    nic_of,
    os_disk,
    undeclared_trunks,
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as declared. *grave*: the machine must not be started like this."""

    field: str
    wanted: str
    found: str
    grave: bool = False
    #: what it means, and the way out, where the values alone do not say it
    said: str = ""

    def __str__(self) -> str:
        return self.said or f"{self.field} is {self.found or 'not set'} instead of {self.wanted or 'none'}"


def compare(spec: MachineSpec, found: Config) -> tuple[Difference, ...]:
    """Everything that differs, the grave first (identity of the card, then owner), else by field."""
    differences = [*_cards(spec, found), *_disks(spec, found), *_settings(spec, found)]
    return tuple(sorted(differences, key=lambda difference: (not difference.grave, difference.field)))


def waiting(found: Config) -> tuple[Difference, ...]:
    """What the running machine gets only with its next power cycle."""
    return tuple(
        Difference(key, value or "", "waiting for a power cycle")
        for key, value in sorted(found.pending.items())
    )


def _cards(spec: MachineSpec, found: Config) -> Iterator[Difference]:
    for card in spec.cards:
        yield from _card(spec, card, found)
    mine = {card.mac: card.key for card in spec.cards}
    for key, nic in undeclared_cards(spec, found).items():
        if nic.mac in mine:
            yield Difference(f"{key} MAC", f"another than {mine[nic.mac]}'s", nic.mac, grave=True)
        else:
            shown = f"{nic.mac or 'a card without MAC'}, {nic.bridge or 'no bridge'}, {_vlan(nic.tag)}"
            said = f"{key} is not declared: {shown}; remove it from the machine, or declare the interface"
            yield Difference(key, "", shown, grave=True, said=said)


def undeclared_cards(spec: MachineSpec, found: Config) -> dict[str, Nic]:
    """Key → card of what stands in *found*, and is no card of *spec*."""
    declared = {card.key for card in spec.cards}
    return {key: nic for key, nic in found.nics.items() if key not in declared}


def _card(spec: MachineSpec, card: Card, found: Config) -> Iterator[Difference]:
    has, wanted = found.nics.get(card.key), nic_of(spec, card, found)
    if has is None:
        yield Difference(f"{card.key} MAC", wanted.mac, "", grave=True)
        return
    if has.mac != wanted.mac:
        yield Difference(f"{card.key} MAC", wanted.mac, has.mac, grave=True)
    if has.tag != wanted.tag:
        yield Difference(f"{card.key} VLAN tag", _tag(wanted.tag), _tag(has.tag), grave=True)
    if has.bridge != wanted.bridge:
        yield Difference(f"{card.key} bridge", wanted.bridge, has.bridge, grave=True)
    if trunks := undeclared_trunks(card, has):
        said = f"{card.key} has trunks to VLANs that are not declared of it ({trunks}); repair it, which takes them away"
        yield Difference(f"{card.key} trunks", "", trunks, grave=True, said=said)
    if ("link_down", "1") in has.rest:
        said = f"{card.key} is unplugged (link_down=1); repair it, which plugs it in"
        yield Difference(f"{card.key} link_down", "", "1", said=said)


def _disks(spec: MachineSpec, found: Config) -> Iterator[Difference]:
    if spec.disk is not None:
        disk = os_disk(found, data_serial=spec.data.serial if spec.data else "")
        if disk is None or disk.size is None:
            yield Difference("OS disk", disk_text(spec.disk), "")
        elif disk.size != spec.disk:
            yield Difference(f"{disk.key} size", disk_text(spec.disk), disk_text(disk.size))
    if spec.data is not None:
        data = disk_of_serial(found, spec.data.serial)
        if data is None:
            yield Difference(f"data disk {spec.data.serial}", disk_text(spec.data.size), "")
        elif data.size is None or data.size < spec.data.size:
            size = disk_text(data.size) if data.size else ""
            yield Difference(f"{data.key} size", disk_text(spec.data.size), size)


def _settings(spec: MachineSpec, found: Config) -> Iterator[Difference]:
    owner = owner_of(found.get("description"))
    if owner != spec.owner:
        grave = former(found, spec.owner) is None  # by its former name it is the same machine
        yield Difference("owner", spec.owner.marker, owner.marker if owner else "", grave=grave)
    if TAG not in found.tags:
        yield Difference("tags", TAG, ";".join(sorted(found.tags)))
    apart = {*(card.key for card in spec.cards), "description", "tags"}
    for key, value in differing(spec, found).items():
        if key not in apart and not means_same(key, value, found.get(key)):
            yield Difference(key, value, found.get(key))


def _vlan(tag: int | None) -> str:
    return f"VLAN {tag}" if tag is not None else "untagged"


def _tag(tag: int | None) -> str:
    return str(tag) if tag is not None else "untagged"


def addresses_of(interfaces: Iterable[GuestInterface], mac: str) -> tuple[str, ...]:
    """What the interface with *mac* holds, as the guest says, without the addresses that every link has."""
    return tuple(
        address
        for interface in interfaces
        if interface.mac == canonical_mac(mac)
        for address in interface.addresses
        if not ipaddress.ip_address(address.partition("%")[0]).is_link_local
    )
