"""What a machine shall be, and what Proxmox must be told for it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote

from provisioning.machines.facts import Config
from provisioning.machines.owning import Owner, former, marked, not_ours, owner_of, tagged
from provisioning.machines.properties import Disk, IpConfig, Nic, Properties, vlans_of
from provisioning.machines.sizes import GIB

#: Whatever the host's hardware has is root's to hand out; the kernel's generator may be read by anybody.
RNG = "source=/dev/urandom"
#: in the order of Proxmox's own list: without a boot order it boots from the first disk of it
_BUSES = ("ide", "scsi", "virtio", "sata")
#: with every ``ipconfigN``, what is written into the cloud-init image
_IN_IMAGE = frozenset(["ciuser", "name", "nameserver", "searchdomain", "sshkeys"])
_LAST = {"scsi": 30, "virtio": 15, "sata": 5, "ide": 3}


@dataclass(frozen=True, slots=True)
class DataDisk:
    """A second disk, found again by its serial; *size* in bytes, whole GiB."""

    serial: str
    size: int
    storage: str

    @property
    def gib(self) -> int:
        return -(-self.size // GIB)


@dataclass(frozen=True, slots=True)
class Card:
    """A declared card: *key* such as ``net0``. No *ipconfig*, or an empty one: what the machine has is left alone."""

    key: str
    mac: str
    bridge: str
    tag: int | None = None
    ipconfig: IpConfig | None = None
    #: the VLANs of the declared interfaces upon it: its trunks may have these, and no others beside its own
    upon: frozenset[int] = frozenset()

    def __str__(self) -> str:
        return f"{self.mac}, {self.bridge}" + (f", VLAN {self.tag}" if self.tag else "")


@dataclass(frozen=True, slots=True)
class MachineSpec:
    """A virtual machine as declared. *memory* in MiB, *disk* in bytes; empty text and None leave a thing alone."""

    vmid: int
    name: str
    mac: str
    bridge: str
    owner: Owner
    tag: int | None = None
    memory: int | None = None
    cores: int | None = None
    disk: int | None = None
    data: DataDisk | None = None
    onboot: bool | None = None
    #: such as ``order=2,up=30``
    startup: str = ""
    agent: bool | None = True
    user: str = ""
    ssh_keys: tuple[str, ...] = ()
    ipconfig: IpConfig | None = None
    nameservers: tuple[str, ...] = ()
    search_domain: str = ""
    #: type and further options, such as ``host`` or ``x86-64-v2-AES,flags=+aes``
    cpu: str = ""
    #: a random number device; False leaves one that is there
    rng: bool = False
    nic: str = "net0"
    nic_model: str = "virtio"
    #: as ``Card.upon``, of the first
    upon: frozenset[int] = frozenset()
    #: the cards besides the first, which ``mac``, ``bridge``, ``tag`` and ``ipconfig`` say
    more: tuple[Card, ...] = ()

    @property
    def cards(self) -> tuple[Card, ...]:
        """Every declared card, the primary one first."""
        return (Card(self.nic, self.mac, self.bridge, self.tag, self.ipconfig, self.upon), *self.more)


class AnotherOwners(ValueError):
    """The machine carries the mark of another declaration; nothing is sent to it."""


def settings(spec: MachineSpec, now: Config) -> dict[str, str]:
    """What to send to ``config``: only keys whose value is not what it should be. Disks are no settings.

    A machine without a mark gets ours. Raises AnotherOwners for a template, and for one that carries another's.
    """
    owner = owner_of(now.get("description"))
    if now.is_template or (owner not in (None, spec.owner) and not former(now, spec.owner)):
        raise AnotherOwners(not_ours(now, spec.owner))
    return differing(spec, now)


def differing(spec: MachineSpec, now: Config) -> dict[str, str]:
    """The same of anybody's machine, to be shown and not to be sent."""
    wanted = {
        "name": spec.name,
        "description": marked(now.get("description"), spec.owner),
        "tags": tagged(now.tags),
        **{card.key: str(nic_of(spec, card, now)) for card in spec.cards},
        "memory": str(spec.memory) if spec.memory is not None else "",
        "balloon": balloon_of(spec, now),
        "cores": str(spec.cores) if spec.cores is not None else "",
        "cpu": cpu_of(spec, now),
        "rng0": now.get("rng0") or RNG if spec.rng else "",
        "onboot": "" if spec.onboot is None else str(int(spec.onboot)),
        "startup": spec.startup,
        "agent": agent_of(spec, now),
        "ciuser": spec.user,
        "sshkeys": quote_keys(spec.ssh_keys),
        **{
            "ipconfig" + card.key.removeprefix("net"): str(card.ipconfig) if card.ipconfig else ""
            for card in spec.cards
        },
        "nameserver": " ".join(spec.nameservers),
        "searchdomain": spec.search_domain,
    }
    return {key: value for key, value in wanted.items() if value and not means_same(key, value, now.get(key))}


def nic_of(spec: MachineSpec, card: Card, now: Config) -> Nic:
    """The declared card: identity from *card*, flags as the machine has them, since a PUT replaces the whole.

    But no trunks to VLANs that are not declared of it, and no cable unplugged.
    """
    current = now.nics.get(card.key) or Nic(spec.nic_model, "")
    refused = {("trunks", undeclared_trunks(card, current)), ("link_down", "1")}
    rest = tuple(flag for flag in current.rest if flag not in refused)
    return replace(current, rest=rest).under(mac=card.mac, bridge=card.bridge, tag=card.tag)


def undeclared_trunks(card: Card, nic: Nic) -> str:
    """The trunks of *nic* where they let in a VLAN that is not declared of *card*; else empty.

    A card without a tag carries every VLAN of its bridge: there trunks take some away, and stay.
    """
    trunks = dict(nic.rest).get("trunks", "")
    return trunks if trunks and card.tag is not None and not vlans_of(trunks) <= card.upon else ""


def agent_of(spec: MachineSpec, now: Config) -> str:
    """``agent`` with its further options kept; empty: leave it."""
    if spec.agent is None:
        return ""
    wanted = str(int(spec.agent))
    whole = now.get("agent")
    first, separator, rest = whole.partition(",")
    says_whether = "=" not in first or first.startswith("enabled=")
    return wanted + separator + rest if says_whether else f"{wanted},{whole}"


def cpu_of(spec: MachineSpec, now: Config) -> str:
    """``cpu`` of the declared type with the options that the machine has; empty: leave it."""
    if not spec.cpu or "," in spec.cpu:
        return spec.cpu
    parts = now.get("cpu").split(",") if now.get("cpu") else []
    return ",".join([spec.cpu, *(part for part in parts if "=" in part and not part.startswith("cputype="))])


def in_image(key: str) -> bool:
    """Whether the cloud-init image holds what *key* says."""
    return key in _IN_IMAGE or key.startswith("ipconfig")


def balloon_of(spec: MachineSpec, now: Config) -> str:
    """``balloon`` where the machine has more than its declared memory, which Proxmox refuses; empty: leave it."""
    least = int(now.get("balloon") or 0)
    return str(spec.memory) if spec.memory is not None and least > spec.memory else ""


def means_same(key: str, wanted: str, found: str) -> bool:
    """Whether two values of one key say the same: case, order and separators are Proxmox's business."""
    if not found:
        return not wanted or (key == "onboot" and wanted == "0")
    if key.startswith("net"):
        ours, theirs = Nic.parse(wanted), Nic.parse(found)
        return (*_core(ours), frozenset(ours.rest)) == (*_core(theirs), frozenset(theirs.rest))
    if key.startswith("ipconfig"):
        return IpConfig.parse(wanted) == IpConfig.parse(found)
    if key == "sshkeys":
        return frozenset(read_keys(wanted)) == frozenset(read_keys(found))
    if key in ("tags", "nameserver"):
        return re.split(r"[;, ]+", wanted.strip()) == re.split(r"[;, ]+", found.strip())
    if key == "cpu":
        return _parts(wanted, "cputype") == _parts(found, "cputype")
    if key == "rng0":
        return _parts(wanted, "source") == _parts(found, "source")
    if key == "startup":
        return frozenset(wanted.split(",")) == frozenset(found.split(","))
    if key in ("memory", "agent"):
        return wanted.removeprefix("current=") == found.removeprefix("current=").removeprefix("enabled=")
    return wanted.strip() == found.strip()


def quote_keys(keys: tuple[str, ...]) -> str:
    """SSH keys as ``sshkeys`` wants them: one a line, URL-quoted with nothing safe."""
    return quote("\n".join(key.strip() for key in keys if key.strip()), safe="")


def read_keys(quoted: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in unquote(quoted).splitlines() if line.strip())


def os_disk(config: Config, *, data_serial: str = "") -> Disk | None:
    """The disk that the machine boots from: the first of ``boot``, else the lowest of ide, scsi, virtio, sata.

    Never the one that carries *data_serial*, even where no other is left.
    """
    disks = {
        key: disk
        for key, disk in config.disks.items()
        if not disk.is_cdrom and not (data_serial and disk.serial == data_serial)
    }
    order = re.split("[;,]", config.get("boot").partition("order=")[2])
    ranked = [*order, config.get("bootdisk"), *sorted(disks, key=_rank)]
    return next((disks[key] for key in ranked if key in disks), None)


def disk_of_serial(config: Config, serial: str) -> Disk | None:
    """The data disk that carries *serial*, whatever its key is."""
    return next((disk for disk in config.disks.values() if disk.serial == serial), None)


def free_disk_key(config: Config, bus: str = "scsi") -> str:
    """The lowest free key of *bus* above the OS disk's. Raises ValueError when there is none."""
    for number in range(1, _LAST[bus] + 1):
        if f"{bus}{number}" not in config.values:
            return f"{bus}{number}"
    raise ValueError(f"Every {bus} slot of the machine is taken.")


def _parts(text: str, bare: str) -> dict[str, str]:
    """A property string by key; *bare* is the key of a value that has none."""
    return {key or bare: value for key, value in Properties.parse(text)}


def _core(nic: Nic) -> tuple[str, str, str, int | None]:
    return nic.model, nic.mac, nic.bridge, nic.tag


def _rank(key: str) -> tuple[int, int]:
    bus = key.rstrip("0123456789")
    return _BUSES.index(bus), int(key[len(bus) :])
