"""From what a machine has to what is declared, where it may only become more. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from provisioning.machines.facts import Config
from provisioning.machines.sizes import disk_text
from provisioning.machines.spec import MachineSpec, differing, disk_of_serial, os_disk

#: a machine that runs gets these with its next power cycle
SETTINGS = frozenset(["cores", "memory", "cpu", "rng0"])
#: Proxmox's own where a configuration says nothing
_DEFAULTS = {"cores": "1", "memory": "512 MiB"}


@dataclass(frozen=True, slots=True)
class Growth:
    """One thing that becomes more, or another. *key* as in the configuration; *room*: bytes taken on *storage*."""

    key: str
    before: str
    after: str
    storage: str = ""
    room: int = 0

    @property
    def waits(self) -> bool:
        return self.key in SETTINGS

    def __str__(self) -> str:
        return f"{self.before or 'none'} → {self.after}"


def growing(spec: MachineSpec, found: Config) -> tuple[Growth, ...]:
    """What is still to be done, settings first; empty once the machine is as declared."""
    wanted = {key: value for key, value in differing(spec, found).items() if key in SETTINGS}
    settings = (Growth(key, _said(key, found.get(key)), _said(key, value)) for key, value in wanted.items())
    return (*(one for one in settings if one.before != one.after), *_disks(spec, found))


def shrinking(spec: MachineSpec, found: Config) -> tuple[str, ...]:
    """Everything of which less is declared than there is, as sentences; nothing is done while there is any."""
    return tuple(_shrinking(spec, found))


def _disks(spec: MachineSpec, found: Config) -> Iterator[Growth]:
    disk = os_disk(found, data_serial=spec.data.serial if spec.data else "")
    if disk is not None and disk.size is not None and spec.disk is not None and disk.size < spec.disk:
        yield Growth(
            disk.key, disk_text(disk.size), disk_text(spec.disk), disk.storage, spec.disk - disk.size
        )
    if spec.data is None:
        return
    data = disk_of_serial(found, spec.data.serial)
    size = data.size or 0 if data else 0
    if size < spec.data.size:
        key, storage = (data.key, data.storage) if data else (spec.data.serial, spec.data.storage)
        before = disk_text(size) if size else ""
        yield Growth(key, before, disk_text(spec.data.size), storage, spec.data.size - size)


def _shrinking(spec: MachineSpec, found: Config) -> Iterator[str]:
    if spec.cores is not None and spec.cores < found.cores:
        yield _less("cores", str(found.cores), str(spec.cores))
    if spec.memory is not None and spec.memory < found.memory:
        yield _less("memory", f"{found.memory} MiB", f"{spec.memory} MiB")
    disk = os_disk(found, data_serial=spec.data.serial if spec.data else "")
    if disk is not None and disk.size is not None and spec.disk is not None and disk.size > spec.disk:
        yield _less(f"disk {disk.key}", disk_text(disk.size), disk_text(spec.disk))
    data = disk_of_serial(found, spec.data.serial) if spec.data else None
    if spec.data is not None and data is not None and (data.size or 0) > spec.data.size:
        yield _less(f"data disk {spec.data.serial}", disk_text(data.size or 0), disk_text(spec.data.size))


def _less(what: str, there: str, declared: str) -> str:
    return (
        f"{what}: {there} are there, {declared} declared. A machine only grows; declare at least what it has."
    )


def _said(key: str, value: str) -> str:
    if not value:
        return _DEFAULTS.get(key, "")
    return f"{value} MiB" if key == "memory" else value
