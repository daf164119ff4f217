"""Property strings of Proxmox VE: ``virtio=02:DE:…,bridge=vmbr0,tag=99,firewall=1``. Pure.

A string is a list of ``key=value``; the first part may be a value alone, of the format's default key. Order and the case
of values are kept; what we do not know is kept as well. Sources: PVE::JSONSchema::parse_property_string,
PVE::QemuServer (``$net_fmt``, drive formats), PVE::QemuServer::Cloudinit.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from inventory.identity import canonical_mac
from provisioning.machines.sizes import disk_bytes

#: Spellings of the card: ``virtio=<MAC>`` is short for ``model=virtio,macaddr=<MAC>``.
NIC_MODELS = frozenset(
    {
        "virtio",
        "vmxnet3",
        "e1000",
        "e1000-82540em",
        "e1000-82544gc",
        "e1000-82545em",
        "e1000e",
        "i82551",
        "i82557b",
    }
    | {"i82559er", "ne2k_isa", "ne2k_pci", "pcnet", "rtl8139"}
)
DISK_KEY = re.compile(r"(?:ide[0-3]|sata[0-5]|scsi(?:[12]?\d|30)|virtio(?:1[0-5]|\d))\Z")
NIC_KEY = re.compile(r"net(?:[12]?\d|3[01])\Z")
SERIAL_LENGTH = 20
_SERIAL = re.compile(r"[A-Za-z0-9_.-]{1,20}\Z")

_SNAPSHOT = re.compile(r"[A-Za-z][A-Za-z0-9_-]{1,39}\Z")
_RESERVED = frozenset(["current", "pending"])


@dataclass(frozen=True, slots=True)
class Properties:
    """The parts of one property string in their order; the key of a bare first value is empty."""

    parts: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str) -> Properties:
        """Raises ValueError for an empty part, a repeated key, or a bare value that is not the first."""
        parts: list[tuple[str, str]] = []
        for number, part in enumerate(text.split(",")):
            key, separator, value = part.strip().partition("=")
            if not separator:
                key, value = "", key
            if (not key and (number or not value)) or any(key == known for known, _ in parts):
                raise ValueError(f"“{text}” is no list of key=value; look at “{part}”.")
            parts.append((key, value))
        return cls(tuple(parts))

    def __str__(self) -> str:
        return ",".join(f"{key}={value}" if key else value for key, value in self.parts)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.parts)

    def get(self, key: str, default: str = "") -> str:
        return next((value for known, value in self.parts if known == key), default)

    def __contains__(self, key: str) -> bool:
        return any(known == key for known, _ in self.parts)

    def having(self, **changes: str | None) -> Properties:
        """The same with *changes* in their old places, new ones at the end; None takes a key away."""
        parts = [
            (key, changes.get(key, value)) for key, value in self.parts if changes.get(key, "") is not None
        ]
        new = [(key, value) for key, value in changes.items() if value is not None and key not in self]
        return Properties((*parts, *new))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Nic:
    """``netN`` of a virtual machine. *mac* is canonical, empty where Proxmox is to invent one."""

    model: str
    mac: str
    bridge: str = ""
    tag: int | None = None
    #: everything else (firewall, mtu, queues, rate, link_down, trunks …), as it was written
    rest: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Nic:
        """Raises ValueError where the string names no card."""
        model = mac = bridge = ""
        tag: int | None = None
        rest = []
        for key, value in Properties.parse(text):
            if key in NIC_MODELS:
                model, mac = key, canonical_mac(value)
            elif key in ("", "model"):
                model = value
            elif key == "macaddr":
                mac = canonical_mac(value)
            elif key == "bridge":
                bridge = value
            elif key == "tag":
                tag = int(value)
            else:
                rest.append((key, value))
        if model not in NIC_MODELS:
            raise ValueError(f"“{text}” names no network card that Proxmox knows.")
        return cls(model, mac, bridge, tag, tuple(rest))

    def __str__(self) -> str:
        parts = [(self.model, self.mac.upper()) if self.mac else ("model", self.model)]
        if self.bridge:
            parts.append(("bridge", self.bridge))
        if self.tag is not None:
            parts.append(("tag", str(self.tag)))
        return str(Properties((*parts, *self.rest)))

    def under(self, *, mac: str, bridge: str = "", tag: int | None = None) -> Nic:
        """The same card and flags with another identity: what a PUT, which replaces the whole, must send.

        No *bridge* keeps the one it has; no *tag* means untagged.
        """
        return replace(self, mac=canonical_mac(mac), bridge=bridge or self.bridge, tag=tag)


def vlans_of(trunks: str) -> frozenset[int]:
    """``10;20-22`` as numbers. Raises ValueError where it is no such list."""
    pairs = (part.partition("-") for part in trunks.split(";"))
    return frozenset(vlan for low, _, high in pairs for vlan in range(int(low), int(high or low) + 1))


@dataclass(frozen=True, slots=True)
class Disk:
    """``scsiN`` and its like: the volume and what is said of it."""

    key: str
    volume: str
    size: int | None = None
    serial: str = ""
    is_cdrom: bool = False

    @classmethod
    def parse(cls, key: str, text: str) -> Disk:
        properties = Properties.parse(text)
        volume = properties.get("") or properties.get("file") or properties.get("volume")
        if not volume:
            raise ValueError(f"{key} “{text}” names no volume.")
        size = properties.get("size")
        return cls(
            key,
            volume,
            size=disk_bytes(size) if size else None,
            serial=properties.get("serial"),
            is_cdrom=properties.get("media") == "cdrom" or "cloudinit" in volume,
        )

    @property
    def storage(self) -> str:
        """Where the volume lies: the part before the colon; empty for a path or an empty drive."""
        storage, separator, _ = self.volume.partition(":")
        return storage if separator else ""


def new_disk(storage: str, size_gib: int, *, serial: str = "", options: dict[str, str] | None = None) -> str:
    """The value that makes a volume of *size_gib* GiB on *storage*: ``local-lvm:64,serial=…``."""
    if size_gib < 1:
        raise ValueError(f"A disk of {size_gib} GiB is none.")
    if serial:
        check_serial(serial)
    extra = {**({"serial": serial} if serial else {}), **(options or {})}
    return str(Properties((("", f"{storage}:{size_gib}"), *extra.items())))


def snapshot_name_problem(name: str) -> str:
    """Why *name* cannot be a snapshot's (``pve-configid``, 40 characters, two reserved words); empty when it can."""
    if not _SNAPSHOT.match(name):
        return f"“{name}” is no name of a snapshot: a letter, then 1 to 39 letters, digits, - and _."
    return f"“{name}” is a word of Proxmox's own; choose another name." if name in _RESERVED else ""


def check_serial(serial: str) -> None:
    """Raise ValueError unless a guest can see *serial* as it is: longer ones are cut."""
    if not _SERIAL.match(serial):
        raise ValueError(
            f"“{serial}” is no serial of a disk: 1 to {SERIAL_LENGTH} letters, digits, dots, hyphens or underscores."
        )


@dataclass(frozen=True, slots=True)
class IpConfig:
    """``ipconfigN`` of cloud-init: each family ``dhcp``, an address with prefix length, or nothing (v6 also ``auto``)."""

    ip: str = ""
    gateway: str = ""
    ip6: str = ""
    gateway6: str = ""

    @classmethod
    def parse(cls, text: str) -> IpConfig:
        properties = Properties.parse(text)
        return cls(*(properties.get(key) for key in ("ip", "gw", "ip6", "gw6")))

    def __str__(self) -> str:
        self._check(self.ip, self.gateway, ("dhcp",), 4)
        self._check(self.ip6, self.gateway6, ("dhcp", "auto"), 6)
        pairs = (("ip", self.ip), ("gw", self.gateway), ("ip6", self.ip6), ("gw6", self.gateway6))
        return str(Properties(tuple((key, value) for key, value in pairs if value)))

    @staticmethod
    def _check(address: str, gateway: str, words: tuple[str, ...], version: int) -> None:
        if address and address not in words:
            if "/" not in address or ipaddress.ip_interface(address).version != version:
                raise ValueError(
                    f"“{address}” is no IPv{version} address with the length of its network, such as /24."
                )
        elif gateway:
            raise ValueError(f"A gateway ({gateway}) needs a static address beside it.")
