"""Whether a declared machine can be made, before anything is done: complete surveys and the exports against it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from inventory import dhcp
from inventory.snapshot import Snapshot
from provisioning.machines.comparing import undeclared_cards
from provisioning.machines.declared import Machine
from provisioning.machines.facts import Config, GuestLine
from provisioning.machines.owning import is_being_made, is_going, is_wreck, not_ours
from provisioning.machines.rebuilding import cloudinit_key
from provisioning.machines.sizes import disk_text
from provisioning.machines.templates import NoTemplate, newest
from provisioning.surveying.survey import Guest, Survey

IMAGES = "images"


@dataclass(frozen=True)
class World:
    """What is known of the site's hypervisors: the newest complete survey of each, None where there is none."""

    surveys: Mapping[str, Survey | None]
    #: hypervisors declared lost → their last known VMIDs
    lost: Mapping[str, frozenset[int]]
    #: hypervisors declared lost → what was last seen of them, if anything was
    last_seen: Mapping[str, Survey] = field(default_factory=dict)
    #: hypervisors whose API is not declared, which nobody can look at
    without_api: frozenset[str] = frozenset()

    def of(self, machine: Machine) -> Survey | None:
        return self.surveys.get(machine.hypervisor)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Neither surveyed nor declared lost."""
        missing = (name for name, found in self.surveys.items() if found is None and name not in self.lost)
        return tuple(sorted(missing))


def existing(machine: Machine, world: World) -> Guest | None:
    """The guest with the machine's VMID on its own hypervisor, whoever made it."""
    survey = world.of(machine)
    return survey.guest_by_vmid.get(machine.spec.vmid) if survey else None


def template_of(machine: Machine, survey: Survey) -> GuestLine:
    """Raises NoTemplate."""
    return newest(survey.templates, machine.template)


def begins_as(machine: Machine, world: World) -> Config | None:
    """What its configuration is made from: the machine as it is there, else its template."""
    survey, there = world.of(machine), existing(machine, world)
    if survey is None or (machine.from_network and there is None):
        return None
    guest = there or _template_guest(machine, survey)
    return guest.config if guest else None


def template_config(machine: Machine, survey: Survey) -> Config | None:
    """None: no template fits, or its configuration was not seen."""
    guest = _template_guest(machine, survey)
    return guest.config if guest else None


def template_storages(machine: Machine, survey: Survey) -> tuple[str, ...]:
    """Where the disks of its template lie; empty where no template fits."""
    try:
        guest = survey.guest_by_vmid[template_of(machine, survey).vmid]
    except NoTemplate:
        return ()
    disks = guest.config.disks.values() if guest.config else ()
    return tuple(dict.fromkeys(disk.storage for disk in disks if disk.storage and not disk.is_cdrom))


def problems(snapshot: Snapshot, machine: Machine, world: World) -> tuple[str, ...]:
    """Everything that forbids making *machine* now; empty: nothing does."""
    return (*of_declaration(snapshot, machine), *lost(machine, world), *as_seen(machine, world))


def putting_back(snapshot: Snapshot, machine: Machine, world: World, room: int) -> tuple[str, ...]:
    """Everything that forbids putting *machine* back now, which needs *room* more bytes on its storage than it has."""
    return (
        *of_declaration(snapshot, machine),
        *lost(machine, world),
        *putting_back_as_seen(machine, world, room),
    )


def putting_back_as_seen(machine: Machine, world: World, room: int = 0) -> tuple[str, ...]:
    """As ``as_seen``, for putting it back."""
    survey = world.of(machine)
    return (
        *_unknown(world),
        *_vmid(machine, world, over_wreck=True),
        *_mac(machine, world),
        *(_storage(machine, survey, room) if survey else ()),
    )


def of_declaration(snapshot: Snapshot, machine: Machine) -> tuple[str, ...]:
    """What forbids it whatever the hypervisors look like."""
    return tuple(_reservation(snapshot, machine))


def as_seen(machine: Machine, world: World) -> tuple[str, ...]:
    """What forbids it while the hypervisors are as *world* has them; they may have changed since."""
    return (
        *_unknown(world),
        *_vmid(machine, world),
        *_mac(machine, world),
        *_place(machine, world),
    )


def _reservation(snapshot: Snapshot, machine: Machine) -> Iterator[str]:
    """A machine that boots before its reservation is served takes a lease of the pool, and fails minutes later."""
    if not machine.by_dhcp or machine.address is None:
        return
    served = {(one.mac, one.address) for subnet in dhcp.plan(snapshot).subnets for one in subnet.reservations}
    if (machine.spec.mac, machine.address) not in served:
        yield (
            f"The reservation {machine.spec.mac} → {machine.address} is in no DHCP export, so {machine.host} would take "
            "any address; its findings say why it is left out."
        )


def _unknown(world: World) -> Iterator[str]:
    mute = [name for name in world.unknown if name in world.without_api]
    if mute:
        yield (
            f"The API of {', '.join(mute)} is not declared, so that nobody can look whether the VMID is free there. Add "
            "address, token and secret on its page, or declare it lost."
        )
    if left := [name for name in world.unknown if name not in world.without_api]:
        yield (
            f"No complete survey of {', '.join(left)}: whether the VMID is free there is not known. Survey "
            "them, or declare lost what will not come back."
        )


def _vmid(machine: Machine, world: World, *, over_wreck: bool = False) -> Iterator[str]:
    vmid = machine.spec.vmid
    for name, survey in sorted(world.surveys.items()):
        guest = survey.guest_by_vmid.get(vmid) if survey else None
        if guest is None:
            continue
        if name != machine.hypervisor:
            yield f"VMID {vmid} is taken on {name} by {guest.name or 'a guest without a name'}."
        elif over_wreck and guest.config is not None and is_wreck(guest.config):
            continue
        elif refusal := foreign(machine, guest):
            yield f"VMID {vmid} on {name}: {refusal}"
    for name, vmids in sorted(world.lost.items()):
        if vmid in vmids and name != machine.hypervisor and not _was_this(machine, world.last_seen.get(name)):
            yield f"VMID {vmid} was taken on {name}, which is declared lost; its VMIDs stay taken."


def lost(machine: Machine, world: World) -> Iterator[str]:
    """A job that looks anew does not look at a hypervisor that is declared lost: that stays so."""
    if machine.hypervisor in world.lost:
        yield (
            f"{machine.hypervisor} is declared lost: nothing is made there. Name another hypervisor for {machine.host}; "
            "if it is back, survey it, and it is lost no longer."
        )


def _was_this(machine: Machine, last: Survey | None) -> bool:
    """Whether the guest that a lost hypervisor had under this VMID was this very machine: then it is made again."""
    guest = last.guest_by_vmid.get(machine.spec.vmid) if last else None
    if guest is None or guest.config is None or is_going(guest.config):
        return False
    return not foreign(machine, guest)


def foreign(machine: Machine, guest: Guest) -> str:
    """Why *guest*, which has the VMID of *machine*, is not touched in its name; empty: it is that machine."""
    if guest.kind != "qemu" or guest.config is None:
        return f"{guest.name or 'a guest'} is no virtual machine of this node."
    if guest.line.is_template:
        return f"{guest.name} is a template; a template is never configured."
    if is_being_made(guest.config) or is_going(guest.config):
        return ""  # whose it is stands in it once that is done, if it is there then, and is looked at then
    return not_ours(guest.config, machine.spec.owner)


def _mac(machine: Machine, world: World) -> Iterator[str]:
    for card in machine.spec.cards:
        for name, survey in sorted(world.surveys.items()):
            for guest in survey.guests_by_mac.get(card.mac, ()) if survey else ():
                if (name, guest.vmid) != (machine.hypervisor, machine.spec.vmid):
                    yield f"MAC {card.mac} is on {guest.name} ({guest.vmid}) on {name} already."


def _place(machine: Machine, world: World) -> Iterator[str]:
    """Template, storage and room; of a machine that exists only what it still needs."""
    survey = world.of(machine)
    if survey is None:
        return
    yield from _storage(machine, survey, machine.room if existing(machine, world) is None else 0)
    if existing(machine, world) is None and not machine.from_network:
        try:
            template = template_of(machine, survey)
        except NoTemplate as fault:
            yield str(fault)
        else:
            guest = survey.guest_by_vmid.get(template.vmid)
            yield from _cards_of_template(machine, guest)


def without_rng(machine: Machine, world: World, *, anew: bool = False) -> tuple[str, ...]:
    """A UEFI guest without a random number device asks for no address, and fails minutes later without a word.

    *anew*: the machine is rebuilt, with the firmware of its template; a device that it has stays.
    """
    survey = world.of(machine)
    if survey is None or machine.from_network or machine.spec.rng:
        return ()
    there = existing(machine, world)
    guest = there if there is not None and not anew else _template_guest(machine, survey)
    config = guest.config if guest else None
    if guest is None or config is None or config.get("bios") != "ovmf":
        return ()
    if config.get("rng0") or (there is not None and there.config is not None and there.config.get("rng0")):
        return ()
    said = (
        f"{guest.name} boots with UEFI and has no random number device: such a machine never "
        f"asks for an address by DHCP. Switch the device on in the specification of {machine.host}."
    )
    return (said,)


def _template_guest(machine: Machine, survey: Survey) -> Guest | None:
    try:
        return survey.guest_by_vmid.get(template_of(machine, survey).vmid)
    except NoTemplate:
        return None


def _storage(machine: Machine, survey: Survey, room: int) -> Iterator[str]:
    storage = survey.storage_by_name.get(machine.storage)
    if storage is None or not (storage.enabled and storage.active):
        there = ", ".join(survey.storage_by_name) or "none"
        yield f"Storage {machine.storage} is not active on {machine.hypervisor}; there is: {there}."
    elif IMAGES not in storage.content:
        yield f"Storage {machine.storage} of {machine.hypervisor} takes no disk images."
    elif (storage.free or 0) < room:
        yield (
            f"{machine.host} needs {disk_text(room)} on {machine.storage} of {machine.hypervisor}; "
            f"{(storage.free or 0) // 1024**3} GiB are free."
        )


def without_drive(machine: Machine, world: World) -> tuple[str, ...]:
    """Where neither *machine* nor its template has a cloud-init drive: nothing refuses that, and it is told nothing."""
    survey, there = world.of(machine), existing(machine, world)
    if survey is None or machine.from_network:
        return ()
    template = _template_guest(machine, survey)
    configs = [guest.config for guest in (there, template) if guest is not None]
    if template is None or any(one is None or one.unreadable or cloudinit_key(one) for one in configs):
        return ()
    said = (
        f"The template {template.name} ({template.vmid}) has no cloud-init drive, so {machine.host} gets neither user, keys "
        f"nor addresses from here. Add it on {machine.hypervisor}: qm set {template.vmid} --ide2 {machine.storage}:cloudinit"
    )
    return (said,)


def _cards_of_template(machine: Machine, template: Guest | None) -> Iterator[str]:
    """A clone has every card of its template, each with a MAC that Proxmox makes up."""
    if template is None or template.config is None:
        return
    for key, nic in undeclared_cards(machine.spec, template.config).items():
        vlan = f"VLAN {nic.tag}" if nic.tag is not None else "untagged"
        yield (
            f"{key} of the template {template.name} is not declared ({nic.bridge or 'no bridge'}, {vlan}), and every "
            f"clone would have it; remove it from the template, or declare the interface of {machine.host}."
        )
