"""Configurations: setting them, what waits for a power cycle, and what is read back."""

from __future__ import annotations

import hashlib
import re
from typing import Any
from urllib.parse import unquote

from tests.provisioning.pve.formats import check_ssh_keys, normal_drive, normal_net, parse_properties
from tests.provisioning.pve.refusals import died, wrong
from tests.provisioning.pve.schema import Schema, check_properties
from tests.provisioning.pve.world import GIB, Guest, World

#: Take effect at once; network, disks and USB are hot-plugged, cloud-init keys are in the image only later.
AT_ONCE = frozenset(
    [
        "name",
        "onboot",
        "startup",
        "description",
        "protection",
        "tags",
        "lock",
        "hookscript",
        "vmstatestorage",
        "template",
    ]
)
CLOUDINIT = (
    "ciuser",
    "cipassword",
    "citype",
    "cicustom",
    "sshkeys",
    "nameserver",
    "searchdomain",
    "ciupgrade",
)
INTEGERS = frozenset(
    (
        "cores",
        "sockets",
        "onboot",
        "balloon",
        "numa",
        "template",
        "protection",
        "tablet",
        "kvm",
        "acpi",
        "vcpus",
    )
)
DRIVE = re.compile(r"(?:ide|sata|scsi|virtio|efidisk|tpmstate)\d+\Z")
UNUSED = re.compile(r"unused\d+\Z")
NET = re.compile(r"net\d+\Z")
NOT_SETTINGS = frozenset(
    ["node", "vmid", "delete", "digest", "revert", "force", "skiplock", "background_delay"]
)
CONFIG = "PUT /nodes/{node}/qemu/{vmid}/config"


def is_cloudinit(key: str) -> bool:
    return key in CLOUDINIT or bool(re.match(r"ipconfig\d+\Z", key))


def settings_of(schema: Schema, params: dict[str, Any]) -> dict[str, str]:
    """The settings among *params*, normalised as they will be stored."""
    found = {}
    for key, value in params.items():
        if key not in NOT_SETTINGS:
            found[key] = _normal(schema, key, str(value))
    return found


def _normal(schema: Schema, key: str, value: str) -> str:
    if NET.match(key):
        definition = schema._type(CONFIG, key) or {}
        return normal_net(check_properties(definition["format"], value))
    if DRIVE.match(key):
        (_, volume), *options = parse_properties(value.replace("file=", "", 1))
        return normal_drive(volume, dict(options))
    if key == "sshkeys":
        try:
            check_ssh_keys(value)
        except ValueError as error:
            raise wrong(sshkeys=str(error)) from None
    if key == "tags":
        return ";".join(sorted(set(re.split(r"[,;\s]+", value.lower().strip()))))
    return value


def configure(world: World, schema: Schema, guest: Guest, params: dict[str, Any], dropped: set[str]) -> None:
    """Apply one PUT or POST; *dropped* are keys that a fault loses silently."""
    if params.get("digest") and params["digest"] != guest.digest():
        raise died("checksum missmatch (file change by other user?)")
    deleted = [key for key in re.split(r"[,;\s]+", params.get("delete", "")) if key]
    for key in deleted:
        if not schema.knows(CONFIG, key):
            raise wrong(delete=f"unknown option '{key}'")
        if key in params:
            raise wrong(delete=f"Option '{key}' can't be set and deleted at the same time")
    _check_boot(guest, params, deleted)
    _check_balloon(guest, params)
    for key, value in settings_of(schema, params).items():
        if key in dropped:
            continue
        if DRIVE.match(key):
            value = attach(world, guest, key, value)
        _set(guest, key, value)
    for key in deleted:
        _unset(world, guest, key)


def _check_boot(guest: Guest, params: dict[str, Any], deleted: list[str]) -> None:
    """An order names devices that are there afterwards."""
    for device in filter(None, str(params.get("boot", "")).partition("order=")[2].split(";")):
        if device in deleted or not (device in guest.effective() or device in params):
            raise died(f"invalid bootorder: device '{device}' does not exist'")


def _check_balloon(guest: Guest, params: dict[str, Any]) -> None:
    if "memory" not in params and "balloon" not in params:
        return
    now = guest.effective()
    memory = re.sub(r"\D", "", str(params.get("memory", now.get("memory", "512"))))
    if int(params.get("balloon", now.get("balloon", 0))) > int(memory):
        raise died("balloon value too large (must be smaller than assigned memory)")


def off_the_order(guest: Guest, key: str) -> None:
    """A drive that goes leaves the boot order, too."""
    order = guest.config.get("boot", "").partition("order=")[2].split(";")
    if key in order:
        left = ";".join(device for device in order if device != key)
        guest.config["boot"] = f"order={left}" if left else ""


def attach(world: World, guest: Guest, key: str, value: str) -> str:
    """Make the volume where the value asks for one: ``storage:GiB`` or ``storage:cloudinit``."""
    volume, _, options = value.partition(",")
    found = re.match(r"(?P<storage>[^:]+):(?P<what>\d+(?:\.\d+)?|cloudinit)\Z", volume)
    rest = dict(parse_properties(options)) if options else {}
    if not found:
        if volume != "none" and volume not in world.volumes:
            raise died(f"volume '{volume}' does not exist")
        if volume in world.volumes:
            rest.setdefault("size", size_text(world.volumes[volume].size))
        return normal_drive(volume, rest)
    world.storage_for(found["storage"], "images")
    if found["what"] == "cloudinit":
        made = world.allocate(found["storage"], guest.vmid, 4 << 20, cloudinit=True)
        return normal_drive(made, {"media": "cdrom", "size": "4M"})
    size = int(float(found["what"]) * GIB)
    if key.startswith("efidisk"):  # as large as the firmware's variables are, whatever was asked for
        size = 4 << 20 if rest.get("efitype") == "4m" else 528 << 10
    made = world.allocate(found["storage"], guest.vmid, size)
    return normal_drive(made, {**rest, "size": size_text(size)})


def size_text(size: int) -> str:
    for letter, unit in (("G", GIB), ("M", 1 << 20), ("K", 1 << 10)):
        if size % unit == 0:
            return f"{size // unit}{letter}"
    return str(size)


def _set(guest: Guest, key: str, value: str) -> None:
    hotplugged = key in AT_ONCE or is_cloudinit(key) or NET.match(key) or DRIVE.match(key)
    if not guest.running or hotplugged:
        guest.config[key] = value
        guest.pending.pop(key, None)
    elif guest.config.get(key) == value:
        guest.pending.pop(key, None)
    else:
        guest.pending[key] = value


def _unset(world: World, guest: Guest, key: str) -> None:
    guest.pending.pop(key, None)
    if key not in guest.config:
        return  # PVE warns in its log alone
    hotplugged = is_cloudinit(key) or NET.match(key) or DRIVE.match(key) or UNUSED.match(key)
    if guest.running and not (key in AT_ONCE or hotplugged):
        guest.pending[key] = None
        return
    if guest.config.get("protection") == "1" and (DRIVE.match(key) or UNUSED.match(key)):
        raise died(f"can't remove drive '{key}' - protection mode enabled")
    value = guest.config.pop(key)
    off_the_order(guest, key)
    if UNUSED.match(key):
        world.free_volume(value.split(",")[0])
    elif DRIVE.match(key) and ":" in value.split(",")[0] and "media=cdrom" not in value:
        number = next(n for n in range(256) if f"unused{n}" not in guest.config)
        guest.config[f"unused{number}"] = value.split(",")[0]
    elif DRIVE.match(key):
        world.free_volume(value.split(",")[0])


def power_cycle(guest: Guest) -> None:
    """What happens to waiting values when the machine is off."""
    guest.config = guest.effective()
    guest.pending = {}


def read(guest: Guest, *, current: bool) -> dict[str, Any]:
    """``GET config``: integers as integers, memory as text, the digest."""
    values = guest.config if current else guest.effective()
    shown: dict[str, Any] = {
        key: int(value) if key in INTEGERS and value.isdigit() else value for key, value in values.items()
    }
    if "cipassword" in shown:
        shown["cipassword"] = "**********"
    if "description" in shown:
        shown["description"] = shown["description"].rstrip("\n") + "\n"
    return {**shown, "digest": guest.digest()}


def pending(guest: Guest) -> list[dict[str, Any]]:
    rows = []
    for key in sorted({*guest.config, *guest.pending}):
        line: dict[str, Any] = {"key": key}
        if key in guest.config:
            line["value"] = guest.config[key]
        if key in guest.pending:
            waits = guest.pending[key]
            line |= {"delete": 1} if waits is None else {"pending": waits}
        rows.append(line)
    return rows


def cloudinit_values(guest: Guest) -> dict[str, str]:
    return {key: value for key, value in guest.config.items() if is_cloudinit(key) or key == "name"}


def cloudinit_pending(guest: Guest) -> list[dict[str, Any]]:
    """Everything that came new or went; of what changed, cloud-init's own options, and neither addresses nor the name."""
    now = cloudinit_values(guest)
    rows: list[dict[str, Any]] = [
        {"key": key, "pending": now[key]} for key in sorted(now) if key not in guest.image
    ]
    for key in CLOUDINIT:
        if key in now and key in guest.image:
            changed = {"pending": now[key]} if now[key] != guest.image[key] else {}
            rows.append({"key": key, "value": guest.image[key], **changed})
    return [*rows, *({"key": key, "delete": 1} for key in sorted(guest.image) if key not in now)]


def dump(guest: Guest, part: str) -> str:
    """Cloud-init data of the configuration, near enough to Proxmox's own."""
    config = guest.config
    if part == "meta":
        return f"instance-id: {hashlib.sha1(repr(sorted(config.items())).encode()).hexdigest()}\n"
    if part == "network":
        lines = ["version: 1", "config:"]
        for key in sorted(key for key in config if NET.match(key)):
            mac = re.search(r"=((?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2})", config[key])
            lines += [
                "    - type: physical",
                f"      name: eth{key[3:]}",
                f"      mac_address: '{mac[1].lower() if mac else ''}'",
            ]
            lines += [f"      # {config.get('ipconfig' + key[3:], '')}"]
        return "\n".join(lines) + "\n"
    keys = [line for line in unquote(config.get("sshkeys", "")).splitlines() if line.strip()]
    lines = ["#cloud-config", f"hostname: {guest.name}", f"user: {config.get('ciuser', 'debian')}"]
    lines += ["ssh_authorized_keys:", *(f"  - {key}" for key in keys)] if keys else []
    return "\n".join(lines) + "\n"
