"""A machine without a template: made empty, installed over the network. Pure.

UEFI firmware with a disk for its variables and without enrolled keys, since boot files here are not signed. It needs a
random number device: without one it never asks for an address. The boot order is read when it is switched on, and at
no other time.
"""

from __future__ import annotations

from collections.abc import Iterator

from provisioning.machines.comparing import Difference
from provisioning.machines.declared import Machine
from provisioning.machines.facts import Config
from provisioning.machines.properties import new_disk
from provisioning.machines.sizes import GIB
from provisioning.machines.spec import RNG, differing, os_disk

SYSTEM, DATA = "scsi0", "scsi1"
FIRMWARE = "ovmf"


def shell(machine: Machine) -> dict[str, str]:
    """Everything that the machine is made with; nothing is installed in it.

    Without tags, which are set afterwards: rights on a pool do not count for them before the machine is in it.
    """
    spec = machine.spec
    disks = {SYSTEM: new_disk(machine.storage, -(-(spec.disk or GIB) // GIB))}
    if spec.data is not None:
        disks[DATA] = new_disk(spec.data.storage, spec.data.gib, serial=spec.data.serial)
    return {
        "bios": FIRMWARE,
        "machine": "q35",
        "ostype": "l26",
        "scsihw": "virtio-scsi-single",
        "efidisk0": f"{machine.storage}:1,efitype=4m,pre-enrolled-keys=0",
        "rng0": RNG,
        **disks,
        "boot": f"order={spec.nic};{SYSTEM}",
        **{key: value for key, value in differing(spec, Config({})).items() if key != "tags"},
    }


def is_installing(found: Config) -> bool:
    """Whether it boots from the network before it looks at its disk."""
    return _order(found)[:1] != [] and _order(found)[0].startswith("net")


def disk_first(found: Config) -> str:
    """The value of ``boot`` with the system disk before everything else; empty where it is so, or there is no disk."""
    disk, order = os_disk(found), _order(found)
    if disk is None or order[:1] == [disk.key]:
        return ""
    return "order=" + ";".join([disk.key, *(key for key in order if key != disk.key)])


def shell_differences(found: Config) -> Iterator[Difference]:
    """What keeps it from booting from the network, beyond what is compared of every machine."""
    if found.get("bios") != FIRMWARE:
        yield Difference("bios", FIRMWARE, found.get("bios"))
    if not found.get("efidisk0"):
        yield Difference("efidisk0", "a disk for the firmware's variables", "")
    if not found.get("rng0"):
        yield Difference("rng0", RNG, "")
    if not _order(found):
        yield Difference("boot", "network, then disk", found.get("boot"))


def _order(found: Config) -> list[str]:
    return [key for key in found.get("boot").partition("order=")[2].split(",")[0].split(";") if key]
