"""Named formats and property strings, as PVE::JSONSchema has them."""

from __future__ import annotations

import ipaddress
import random
import re
from urllib.parse import unquote

_NAMED = {
    "dns-name": (
        r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?\.)*[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?",
        "value does not look like a valid DNS name",
    ),
    "pve-configid": (r"(?i:[a-z][a-z0-9_-]+)", "invalid configuration ID '{}'"),
    "pve-node": (r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?", "value does not look like a valid node name"),
    "pve-storage-id": (r"(?i:[a-z][a-z0-9_.-]*[a-z0-9])", "storage ID '{}' contains illegal characters"),
    "pve-vmid": (r"[1-9]\d{2,8}", "value does not look like a valid VM ID"),
    "pve-poolid": (r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+){0,2}", "value does not look like a valid pool name"),
    "pve-volume-id": (r"(?i:[a-z][a-z0-9_.-]*[a-z0-9]):.+", "unable to parse volume ID '{}'"),
    "pve-tag": (r"(?i:[a-z0-9_][a-z0-9_+.-]*)", "invalid characters in tag"),
    "pve-bridge-id": (r"[a-zA-Z][a-zA-Z0-9_-]*", "value '{}' is not a valid bridge"),
    "mac-addr": (
        r"[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}",
        "value does not look like a valid unicast MAC address",
    ),
    "urlencoded": (r"[-%a-zA-Z0-9_.!~*'()]*", "value is not urlencoded"),
    "disk-size": (r"\d+(?:\.\d+)?[KMGT]?", "value does not look like a valid disk size: {}"),
    "pve-startup-order": (
        r"(?:(?:order=)?\d+|up=\d+|down=\d+)(?:,(?:(?:order=)?\d+|up=\d+|down=\d+))*",
        "unable to parse startup options",
    ),
    "pve-qm-boot": (
        r"(?:legacy=[acdn]{1,4}|[acdn]{1,4}|order=[a-z]+\d+(?:;[a-z]+\d+)*)",
        "invalid boot order",
    ),
}
_SOURCES = ("/dev/urandom", "/dev/random", "/dev/hwrng")
#: Not every one that there is, and none that there is not.
_CPUS = re.compile(
    r"host|max|kvm32|kvm64|qemu32|qemu64|x86-64-v(?:2|2-AES|3|4)|EPYC(?:-Rome|-Milan)?"
    r"|(?:Skylake|Cascadelake|Icelake)-Server"
)
_CPU_FLAGS = (
    "pcid|spec-ctrl|ibpb|ssbd|virt-ssbd|amd-ssbd|amd-no-ssb|pdpe1gb|md-clear|hv-tlbflush|hv-evmcs|aes"
)
_LISTS = {
    "pve-configid-list": "pve-configid",
    "pve-vmid-list": "pve-vmid",
    "pve-tag-list": "pve-tag",
    "address-list": "address",
}


def check_format(name: str, value: str) -> None:
    """Raise ValueError unless *value* is of the format; formats that nothing here uses pass."""
    if name in _LISTS:
        for part in re.split(r"[,;\s]+", value.strip()):
            check_format(_LISTS[name], part)
    elif name == "address":
        _check_address(value)
    elif name == "pve-qm-ipconfig":
        _check_ipconfig(value)
    elif name == "pve-vm-cpu-conf":
        _check_cpu(value)
    elif name == "pve-qm-rng":
        _check_rng(value)
    elif name in _NAMED:
        pattern, said = _NAMED[name]
        if not re.fullmatch(pattern, value):
            raise ValueError(f"invalid format - {said.format(value)}")
        if name == "mac-addr" and int(value[:2], 16) & 1:
            raise ValueError(f"invalid format - {said.format(value)}")


def check_ssh_keys(quoted: str) -> None:
    """What ssh-keygen would say of the decoded text; quoted twice is no key."""
    for line in unquote(quoted).splitlines():
        if line.strip() and not re.match(
            r"(?:ssh-\w+|ecdsa-[\w-]+|sk-[\w@.-]+) [A-Za-z0-9+/=]+", line.strip()
        ):
            raise ValueError("SSH public key validation error")


def parse_properties(text: str) -> list[tuple[str, str]]:
    parts = []
    for number, part in enumerate(text.split(",")):
        key, separator, value = part.strip().partition("=")
        if not separator:
            if number:
                raise ValueError(f"value without key, but schema does not define a default key: {part}")
            key, value = "", key
        parts.append((key, value))
    return parts


def random_mac() -> str:
    return "BC:24:11:" + ":".join(f"{random.randrange(256):02X}" for _ in range(3))


def normal_net(parts: dict[str, str]) -> str:
    """``print_net``: the model with its MAC first, the rest by name; a MAC is kept as it was sent, or made."""
    rest = {key: value for key, value in parts.items() if key not in ("model", "macaddr")}
    first = f"{parts['model']}={parts.get('macaddr') or random_mac()}"
    return ",".join([first, *(f"{key}={rest[key]}" for key in sorted(rest))])


def normal_drive(volume: str, options: dict[str, str]) -> str:
    return ",".join([volume, *(f"{key}={options[key]}" for key in sorted(options))])


def _check_address(value: str) -> None:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        raise ValueError(f"invalid format - value does not look like a valid IP address: {value}") from None


def _options(value: str, bare: str, known: frozenset[str]) -> dict[str, str]:
    """The parts of a property string; ValueError for one that the format does not have."""
    parts = {key or bare: part for key, part in parse_properties(value)}
    if unknown := set(parts) - known:
        raise ValueError(f"invalid format - format error\n{min(unknown)}: property is not defined in schema")
    return parts


def _check_cpu(value: str) -> None:
    """``validate_vm_cpu_conf`` of PVE::QemuServer::CPUConfig."""
    known = frozenset(("cputype", "flags", "hidden", "hv-vendor-id", "phys-bits", "reported-model"))
    parts = _options(value, "cputype", known)
    model = parts.get("cputype")
    if not model:
        raise ValueError("invalid format - CPU is missing cputype")
    if not _CPUS.fullmatch(model) and not model.startswith("custom-"):
        raise ValueError(
            f"invalid format - Built-in cputype '{model}' is not defined (missing 'custom-' prefix?)"
        )
    if "reported-model" in parts:
        raise ValueError("invalid format - Property 'reported-model' not allowed in VM-specific CPU config.")
    flag = rf"[+-](?:{_CPU_FLAGS})"
    if parts.get("flags") and not re.fullmatch(rf"{flag}(?:;{flag})*", parts["flags"]):
        raise ValueError(
            f"invalid format - VM-specific CPU flags must be a subset of: {_CPU_FLAGS.replace('|', ', ')}"
        )


def _check_rng(value: str) -> None:
    parts = _options(value, "source", frozenset(("source", "max_bytes", "period")))
    if "source" not in parts:
        raise ValueError("invalid format - format error\nsource: property is missing and it is not optional")
    if parts["source"] not in _SOURCES:
        raise ValueError(
            f"invalid format - format error\nsource: value '{parts['source']}' does not have a value in the "
            f"enumeration '{', '.join(_SOURCES)}'"
        )
    for key in ("max_bytes", "period"):
        if not parts.get(key, "0").isdigit():
            raise ValueError(
                f"invalid format - format error\n{key}: type check ('integer') failed - got '{parts[key]}'"
            )


def _check_ipconfig(value: str) -> None:
    parts = dict(parse_properties(value))
    unknown = set(parts) - {"ip", "gw", "ip6", "gw6"}
    if unknown:
        raise ValueError(f"invalid format - format error\n{min(unknown)}: property is not defined in schema")
    for key, words in (("ip", ("dhcp",)), ("ip6", ("dhcp", "auto"))):
        address = parts.get(key)
        if address and address not in words:
            try:
                ipaddress.ip_interface(address)
            except ValueError:
                raise ValueError(f"invalid format - format error\n{key}: invalid format") from None
            if "/" not in address:
                raise ValueError(
                    f"invalid format - format error\n{key}: invalid format - value does not look like a valid CIDR network"
                )
    for gateway, address in (("gw", "ip"), ("gw6", "ip6")):
        if gateway in parts and parts.get(address, "dhcp") in ("dhcp", "auto"):
            raise ValueError(
                f"invalid format - format error\n{gateway}: missing property - requires {address}"
            )
