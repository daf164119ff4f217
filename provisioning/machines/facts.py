"""What a hypervisor says of itself and of what it carries: frozen values. Pure.

MACs are canonical (lower case, colons), sizes are bytes unless the name says MiB, times are seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from provisioning.machines.properties import DISK_KEY, NIC_KEY, Disk, IpConfig, Nic
from provisioning.machines.sizes import memory_mib

GuestKind = Literal["qemu", "lxc"]


@dataclass(frozen=True, slots=True)
class Version:
    """Proxmox VE's own version, such as 9.1.4."""

    text: str

    @property
    def major(self) -> int:
        return int(self.text.split(".")[0])


@dataclass(frozen=True, slots=True)
class NodeFacts:
    name: str
    online: bool


@dataclass(frozen=True, slots=True)
class StorageFacts:
    """A storage as one node sees it; *total* and *free* are None while it is not active."""

    name: str
    kind: str
    content: frozenset[str]
    enabled: bool
    active: bool
    shared: bool
    total: int | None = None
    free: int | None = None
    #: of a storage of the network: where its data lies, as Proxmox writes it; empty where it does not say
    server: str = ""


@dataclass(frozen=True, slots=True)
class GuestLine:
    """A guest as lists name it, of any node."""

    vmid: int
    kind: GuestKind
    node: str
    name: str
    status: str
    is_template: bool = False
    lock: str = ""


@dataclass(frozen=True)
class Config:
    """A machine's configuration: every value as text, pending ones merged in.

    *pending*: key → what it will be after the next power cycle (None: gone), for what the running machine does not have
    yet; *held*: for the same keys what it has until then (None: nothing).
    """

    values: Mapping[str, str]
    digest: str = ""
    pending: Mapping[str, str | None] = field(default_factory=dict)
    held: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def running(self) -> Config:
        """As the running machine has it, where it was read with what waits."""
        values = {**self.values, **self.held}
        return replace(
            self,
            values={key: value for key, value in values.items() if value is not None},
            pending={},
            held={},
        )

    @property
    def unreadable(self) -> str:
        """What of it was written by hand so that it cannot be read, with its key; empty: nothing."""
        for key, text in sorted(self.values.items()):
            try:
                _read(key, text)
            except ValueError as fault:
                return f"{key} is “{text}”: {fault}"
        return ""

    def get(self, key: str, default: str = "") -> str:
        return self.values.get(key, default)

    @cached_property
    def nics(self) -> dict[str, Nic]:
        return {key: Nic.parse(text) for key, text in sorted(self.values.items()) if NIC_KEY.match(key)}

    @cached_property
    def disks(self) -> dict[str, Disk]:
        """Drives by key, CD-ROMs and the cloud-init drive included; empty CD drives are left out."""
        return {
            key: Disk.parse(key, text)
            for key, text in sorted(self.values.items())
            if DISK_KEY.match(key) and not text.startswith("none")
        }

    @property
    def memory(self) -> int:
        """MiB; Proxmox's own default where nothing is said."""
        return memory_mib(self.get("memory") or 512)

    @property
    def cores(self) -> int:
        return int(self.get("cores") or 1)

    @property
    def onboot(self) -> bool:
        return self.get("onboot", "0") == "1"

    @property
    def tags(self) -> frozenset[str]:
        return frozenset(self.get("tags").replace(",", ";").replace(" ", ";").split(";")) - {""}

    @property
    def lock(self) -> str:
        return self.get("lock")

    @property
    def is_template(self) -> bool:
        return self.get("template", "0") == "1"


def _read(key: str, text: str) -> None:
    """Raise ValueError where a value that jobs read says nothing."""
    if NIC_KEY.match(key):
        Nic.parse(text)
    elif DISK_KEY.match(key) and not text.startswith("none"):
        Disk.parse(key, text)
    elif key == "memory":
        memory_mib(text or 512)
    elif key == "cores":
        int(text or 1)
    elif key.startswith("ipconfig"):
        IpConfig.parse(text)


@dataclass(frozen=True, slots=True)
class SnapshotFacts:
    name: str
    description: str = ""
    taken: int | None = None
    parent: str = ""
    has_ram: bool = False


@dataclass(frozen=True, slots=True)
class VolumeFacts:
    """One volume of a storage. *size* in bytes; *vmid* None where it belongs to no guest."""

    volume: str
    content: str
    size: int
    vmid: int | None = None
    made: int | None = None
    notes: str = ""
    is_protected: bool = False


@dataclass(frozen=True, slots=True)
class BackupLimits:
    """How many backups of one guest a storage takes while nothing older is removed for a new one; None: any number."""

    protected: int | None = None
    others: int | None = None


@dataclass(frozen=True, slots=True)
class GuestInterface:
    """A network interface as the guest's own agent names it."""

    name: str
    mac: str
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task as lists name it; *status* is empty while it runs."""

    upid: str
    kind: str
    subject: str
    user: str
    started: int
    status: str = ""
