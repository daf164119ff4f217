"""Strict readers of what routers import, written from what is known of their own code. None shared with exporters."""

from __future__ import annotations

import csv
import io
import ipaddress
import re
from typing import Any

from tests.exports.readers import IP4, LABEL, MAC, NAME, Reserved, Served


def read_opnsense(text: str, separator: str | None = None) -> dict[tuple[str, str], dict[str, str]]:
    """(MAC, address) → the row, as the page of any version from 24.1.3 to 26.7 imports it.

    Up to 25.7 the separator is a comma; later it is found out. PHP's reader takes a backslash for an escape.
    """
    assert "\\" not in text
    assert '"' not in text
    detected = ";" if text.split("\n")[0].count(";") > text.split("\n")[0].count(",") else ","
    reader = csv.DictReader(io.StringIO(text), delimiter=separator or detected, strict=True)
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for row in reader:
        assert list(row) == ["ip_address", "hw_address", "hostname", "description"]
        assert re.fullmatch(MAC, row["hw_address"]), "dotted and dashed MACs stop Kea"
        assert str(ipaddress.IPv4Address(row["ip_address"])) == row["ip_address"]
        assert re.fullmatch(rf"(?:{LABEL})?", row["hostname"]), "what is no label stops Unbound"
        assert re.fullmatch(r"[ -~]{1,255}", row["description"])
        assert not set(row["description"]) & set(",;'<>&")
        key = row["hw_address"], row["ip_address"]
        assert key not in rows
        rows[key] = row
    return rows


#: Leaves below ``service`` and what their values look like, from VyOS' interface definitions.
VYOS_NETWORK = r"service dhcp-server shared-network-name ([-_a-zA-Z0-9.]+)"
VYOS_SUBNET = rf"{VYOS_NETWORK} subnet ({IP4}/\d+)"
VYOS_DOMAIN = (
    r"service dns forwarding authoritative-domain ((?!-)[-_a-zA-Z0-9.]{1,63}(?<!\.)) records "
    r"(a|aaaa|cname|ptr) ([-_a-zA-Z0-9.]{1,63}(?<!\.)|@) (address|target) ([^ ]+)"
)
VYOS_NAMES = {"1.4": r"[-_a-zA-Z0-9.]+", "1.5": r"[A-Za-z0-9][-.A-Za-z0-9]*"}


def read_vyos(text: str, version: str) -> tuple[dict[str, Served], set[tuple[str, str, str]]]:
    """Subnets and records, as VyOS would have them after the commands."""
    tree: dict[tuple[str, str], dict[str, Any]] = {}
    records: set[tuple[str, str, str]] = set()
    mappings: set[str] = set()
    for line in text.splitlines():
        assert "\t" not in line
        if line.startswith("# ") or not line:
            assert not set(line) & set("!?")
            continue
        words = _vyos_words(line)
        assert words[0] == "set"
        rest = " ".join(words[1:])
        if rest == "service dhcp-server host-decl-name":
            assert version == "1.4"
        elif found := re.fullmatch(VYOS_DOMAIN, rest):
            records.add(_vyos_record(*found.groups()))
        elif not re.fullmatch(rf"{VYOS_NETWORK} authoritative", rest):
            opened = re.match(VYOS_SUBNET, rest)
            assert opened, line
            subnet = tree.setdefault(
                (opened[1], opened[2]), {"leaves": {}, "multi": {}, "maps": {}, "ranges": {}}
            )
            _vyos_leaf(subnet, words[1 + len(opened[0].split(" ")) :], version)
            mappings |= set(subnet["maps"])
    networks = [network for network, _ in tree]
    assert len(set(networks)) == len(networks), "one subnet to a shared network"
    if version == "1.5":
        ids = [subnet["leaves"]["subnet-id"] for subnet in tree.values()]
        assert len(set(ids)) == len(ids)
    names = [name for subnet in tree.values() for name in subnet["maps"]]
    assert len(set(names)) == len(names), "1.4 makes a global host of each"
    return {cidr: _vyos_served(subnet) for (_, cidr), subnet in tree.items()}, records


def _vyos_words(line: str) -> list[str]:
    """Words of a command line: bare, or whole in single quotes."""
    words = re.findall(r"(?:(?<= )|^)(?:'([^'\"\\?]*)'|([A-Za-z0-9._:/@-]+))(?= |$)", line)
    assert " ".join(bare or f"'{quoted}'" for quoted, bare in words) == line
    return [bare or quoted for quoted, bare in words]


def _vyos_record(zone: str, kind: str, label: str, leaf: str, value: str) -> tuple[str, str, str]:
    assert label != "any"
    assert leaf == ("address" if kind in ("a", "aaaa") else "target")
    if leaf == "target":
        assert re.fullmatch(r"[-_a-zA-Z0-9.]{1,63}(?<!\.)", value)
    else:
        assert ipaddress.ip_address(value).version == (4 if kind == "a" else 6)
    return (zone if label == "@" else f"{label}.{zone}", kind.upper(), value)


LEAVES = {"default-router": IP4, "domain-name": NAME, "bootfile-server": IP4}
MULTI = {"name-server": IP4, "domain-search": NAME}
BOOT = {"bootfile-name": r"[ -~]{1,253}", "bootfile-server": IP4, "tftp-server-name": rf"{IP4}|{NAME}"}


def _vyos_leaf(subnet: dict[str, Any], path: list[str], version: str) -> None:
    option = path[0] == "option"
    words = path[1:] if option else path
    if words[0] in ("lease", "subnet-id"):
        assert not option
        assert words[1].isdigit()
        assert 1 <= int(words[1]) <= 4294967294
        assert version == "1.5" or words[0] == "lease"
        subnet["leaves"][words[0]] = words[1]
    elif words[0] == "range":
        assert re.fullmatch(r"[-_a-zA-Z0-9.]+", words[1])
        assert words[2] in ("start", "stop")
        subnet["ranges"].setdefault(words[1], {})[words[2]] = words[3]
    elif words[0] == "static-mapping":
        _vyos_mapping(subnet["maps"], words[1:], version)
    else:
        assert option == (version == "1.5"), path
        pattern = {**LEAVES, **MULTI}[words[0]]
        assert re.fullmatch(pattern, words[1]), path
        if words[0] in MULTI:
            subnet["multi"].setdefault(words[0], []).append(words[1])
        else:
            assert words[0] not in subnet["leaves"], "a leaf with one value"
            subnet["leaves"][words[0]] = words[1]


def _vyos_mapping(maps: dict[str, Any], words: list[str], version: str) -> None:
    assert re.fullmatch(VYOS_NAMES[version], words[0])
    mapping = maps.setdefault(words[0], {})
    if words[1] == "option":
        assert version == "1.5"
        assert re.fullmatch(BOOT[words[2]], words[3])
        mapping[words[2]] = words[3]
    else:
        assert words[1] in ("ip-address", "mac-address" if version == "1.4" else "mac")
        mapping[words[1].removesuffix("-address")] = words[2]


def _vyos_served(subnet: dict[str, Any]) -> Served:
    assert subnet["ranges"] or subnet["maps"], "VyOS refuses a subnet without either"
    served = Served(
        gateway=subnet["leaves"].get("default-router"),
        dns_servers=subnet["multi"].get("name-server", []),
        domain=subnet["leaves"].get("domain-name"),
        search=subnet["multi"].get("domain-search", []),
        next_server=subnet["leaves"].get("bootfile-server"),
        pools=[(one["start"], one["stop"]) for one in subnet["ranges"].values()],
    )
    for name, one in subnet["maps"].items():
        row = Reserved(
            None if name.endswith("at-" + one["ip"].replace(".", "-")) else name,
            one.get("bootfile-server"),
            one.get("tftp-server-name"),
            one.get("bootfile-name"),
        )
        assert (one["mac"], one["ip"]) not in served.reservations
        served.reservations[one["mac"], one["ip"]] = row
    return served
