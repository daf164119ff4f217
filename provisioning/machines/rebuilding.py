"""A rebuild half done, as it stands in the machine's own description; what is exchanged, and what stays. Pure.

The machine keeps its VMID, card and data disk throughout. A new clone of the template, the *spare*, gives it its disk.
Nothing else is remembered: what the line below does not say is seen in the machine and in the spare.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from provisioning.machines.declared import Machine
from provisioning.machines.facts import Config
from provisioning.machines.owning import Owner, is_being_made, is_going, owner_of
from provisioning.machines.properties import Disk, Properties
from provisioning.machines.spec import disk_of_serial, os_disk

_BEGUN = re.compile(
    r"^mgmtplane-rebuild: job=(?P<job>\S+) template=(?P<template>\S+) data=(?P<data>kept|new) boot=(?P<boot>\S+) "
    r"backup=(?P<backup>\S+) old=(?P<old>\S+)[ \t]*$\n*",
    re.MULTILINE,
)
_DONE = re.compile(r"^mgmtplane-rebuilt: job=(?P<job>\S+) template=(?P<template>\S+)[ \t]*$\n*", re.MULTILINE)
_FROM = re.compile(r"^mgmtplane-template: (?P<template>\S+)[ \t]*$", re.MULTILINE)
_NONE = "-"
#: in the notes of the backup that a rebuild makes, protected
BACKUP_NOTE = "before its rebuild"

#: further than any site's range: one spare for each machine, found again without having been remembered
SPARES = 900_000_000
_SPARES_END = 1_000_000_000
#: behind the host's name in a spare's marker; no name of a host holds a colon
_SPARE = ":spare"
#: part of what boots, and of the template: exchanged with its disk
FIRMWARE = re.compile(r"(?:efidisk0|tpmstate0)\Z")
UNUSED = re.compile(r"unused\d+\Z")
#: the machine as the template has it, besides what is declared
HARDWARE = ("acpi", "bios", "hotplug", "kvm", "machine", "numa", "ostype", "scsihw", "serial0", "sockets")
#: taken over where the template has it, and left where it has not
HARDWARE_MORE = ("rng0", "tablet", "vga")


class Unclear(ValueError):
    """The machine cannot be rebuilt as it is; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Rebuild:
    """What a begun rebuild is made from. *old*: the volumes that go; *backup* is empty where none was made."""

    #: names the job beyond one database: its number and when it was asked for
    job: str
    template: str
    keeps_data: bool
    boot: tuple[str, ...]
    backup: str
    old: tuple[str, ...]

    @property
    def line(self) -> str:
        data = "kept" if self.keeps_data else "new"
        return (
            f"mgmtplane-rebuild: job={self.job} template={self.template} data={data} "
            f"boot={';'.join(self.boot) or _NONE} backup={self.backup or _NONE} old={','.join(self.old) or _NONE}"
        )


def is_left(notes: str, owner: Owner) -> bool:
    """Whether a backup with *notes* was made by a rebuild of the machine of *owner*; nobody else's is."""
    return notes.startswith(f"{owner.marker} job=") and BACKUP_NOTE in notes


def begun(description: str) -> Rebuild | None:
    """The rebuild that was begun and is not done yet."""
    found = _BEGUN.search(description)
    if found is None:
        return None
    return Rebuild(
        job=found["job"],
        template=found["template"],
        keeps_data=found["data"] == "kept",
        boot=_listed(found["boot"], ";"),
        backup="" if found["backup"] == _NONE else found["backup"],
        old=_listed(found["old"], ","),
    )


def done_by(description: str) -> str:
    """The job that rebuilt the machine last; empty: none did."""
    found = _DONE.search(description)
    return found["job"] if found else ""


def beginning(description: str, rebuild: Rebuild) -> str:
    """*description* with the line of *rebuild* before everything else."""
    return f"{rebuild.line}\n\n{_bare(description)}"


def ending(description: str, rebuild: Rebuild) -> str:
    """*description* that says which job rebuilt the machine, and from what."""
    return f"mgmtplane-rebuilt: job={rebuild.job} template={rebuild.template}\n\n{_bare(description)}"


def given_up(description: str) -> str:
    """*description* without a rebuild that was begun."""
    return _BEGUN.sub("", description).strip()


def _bare(description: str) -> str:
    return _DONE.sub("", _BEGUN.sub("", description)).strip()


def _listed(text: str, separator: str) -> tuple[str, ...]:
    return () if text == _NONE else tuple(text.split(separator))


# --- the spare ---


def spare_vmid(vmid: int) -> int:
    return SPARES + vmid % (_SPARES_END - SPARES)


def spare_of(machine: Machine) -> Machine:
    """The clone that a new disk comes from, as a machine of its own: never started, and nobody's host."""
    owner, spec = machine.spec.owner, machine.spec
    vmid = spare_vmid(spec.vmid)
    if vmid == spec.vmid:
        raise Unclear(f"VMID {vmid} lies where spares are made; give the machine one below {SPARES}.")
    return replace(machine, spec=replace(spec, vmid=vmid, owner=_spare_owner(owner)))


def _spare_owner(owner: Owner) -> Owner:
    return Owner(owner.site, owner.uid, owner.host + _SPARE)


def is_spare(found: Config, host: str) -> bool:
    """Whether what has the VMID of a spare is the one for *host*: marked so, or being made or destroyed, without a mark."""
    owner = owner_of(found.get("description"))
    return owner.host == host + _SPARE if owner else is_being_made(found) or is_going(found)


def is_marked_spare(found: Config, owner: Owner) -> bool:
    """Whether it says itself that it is the spare of the machine of *owner*."""
    return owner_of(found.get("description")) == _spare_owner(owner)


def spare_description(marker: str, template: str) -> str:
    return f"mgmtplane-template: {template}\n\n{marker}"


def template_in(description: str) -> str:
    """The name of the template that a spare is a clone of; empty: it does not say."""
    found = _FROM.search(description)
    return found["template"] if found else ""


def drives(found: Config) -> dict[str, str]:
    """Key → volume of every disk, firmware's included; without CD-ROMs, the cloud-init drive, and what is unused."""
    disks = {key: disk.volume for key, disk in found.disks.items() if not disk.is_cdrom}
    firmware = {
        key: Disk.parse(key, text).volume for key, text in found.values.items() if FIRMWARE.match(key)
    }
    return {**disks, **firmware}


def cloudinit_key(found: Config) -> str:
    """Where the cloud-init drive is; empty: there is none."""
    return next((key for key, disk in found.disks.items() if "cloudinit" in disk.volume), "")


def volumes(found: Config) -> tuple[str, ...]:
    """Everything that goes with the machine where it is destroyed."""
    attached = {disk.volume for disk in found.disks.values() if disk.storage}
    return tuple(sorted({*attached, *drives(found).values(), *unused(found).values()}))


def unused(found: Config) -> dict[str, str]:
    """Key → volume of what is attached to nothing."""
    return {key: text.partition(",")[0] for key, text in found.values.items() if UNUSED.match(key)}


def boot_order(found: Config) -> tuple[str, ...]:
    """The devices of ``boot: order=…``; without one, the disk that it boots from."""
    order = found.get("boot").partition("order=")[2].partition(",")[0]
    if order:
        return tuple(order.split(";"))
    disk = os_disk(found)
    return (disk.key,) if disk else ()


# --- what goes and what stays ---


def exchanged(machine: Machine, found: Config, *, keep_data: bool) -> dict[str, str]:
    """Key → volume of what a rebuild takes out of the machine. Raises Unclear."""
    data = machine.spec.data
    held = disk_of_serial(found, data.serial) if data else None
    boots = _boots(found, held)
    going = {boots.key: boots.volume} if boots else {}
    going |= {key: volume for key, volume in drives(found).items() if FIRMWARE.match(key)}
    if held is not None and not keep_data:
        going[held.key] = held.volume
    return going


def left_out(found: Config, going: dict[str, str]) -> tuple[str, ...]:
    """Those of *going* that no backup of the machine holds (``backup=0``)."""
    return tuple(key for key in sorted(going) if Properties.parse(found.get(key)).get("backup") == "0")


def _boots(found: Config, held: Disk | None) -> Disk | None:
    """The disk that it boots from, if it has one; more than one that might be it is not decided here."""
    candidates = {
        key: disk for key, disk in found.disks.items() if not disk.is_cdrom and (not held or key != held.key)
    }
    ordered = [key for key in boot_order(found) if key in candidates]
    if not ordered and len(candidates) > 1:
        raise Unclear(
            f"Which of {', '.join(candidates)} it boots from is not clear. Set its boot order on the hypervisor."
        )
    key = ordered[0] if ordered else next(iter(candidates), None)
    return candidates[key] if key else None


def staying(found: Config, going: dict[str, str]) -> dict[str, str]:
    """Key → volume of the disks that a rebuild does not touch."""
    return {key: volume for key, volume in drives(found).items() if key not in going}


def hardware(spare: Config, found: Config) -> tuple[dict[str, str], tuple[str, ...]]:
    """What to set and what to delete so that the machine is built as the template is."""
    wanted = {key: spare.get(key) for key in (*HARDWARE, *HARDWARE_MORE) if spare.get(key)}
    changes = {key: value for key, value in wanted.items() if found.get(key) != value}
    return changes, tuple(key for key in HARDWARE if found.get(key) and key not in wanted)
