"""Strict readers of the rendered files: every line must be one that we mean to write.

They share no code with the exporters. All DHCP readers give the same shape, all DNS readers give records.
"""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass, field

import dns.rdatatype
import dns.zone

IP4 = r"\d{1,3}(?:\.\d{1,3}){3}"
MAC = r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}"
LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
NAME = rf"{LABEL}(?:\.{LABEL})*"
WORD = r"[a-z0-9-]+"
FILE = r'[^",\\]+'
COMMENT = re.compile(r"(#|;|//) [ -~]*\Z")

Record = tuple[str, str, str]


@dataclass
class Reserved:
    hostname: str | None = None
    next_server: str | None = None
    server_name: str | None = None
    file: str | None = None


@dataclass
class Served:
    """One subnet as a server understands it."""

    gateway: str | None = None
    dns_servers: list[str] = field(default_factory=list)
    domain: str | None = None
    search: list[str] = field(default_factory=list)
    pools: list[tuple[str, str]] = field(default_factory=list)
    next_server: str | None = None
    reservations: dict[tuple[str, str], Reserved] = field(default_factory=dict)


def read_kea(text: str) -> dict[str, Served]:
    document = json.loads(text)
    assert set(document) == {"Dhcp4"}
    assert document["Dhcp4"]["interfaces-config"] == {"interfaces": ["*"]}
    return {subnet["subnet"]: _kea_subnet(subnet) for subnet in document["Dhcp4"]["subnet4"]}


def _kea_subnet(subnet: dict) -> Served:
    options = {option["name"]: option["data"] for option in subnet["option-data"]}
    served = Served(
        gateway=options.get("routers"),
        dns_servers=_listed(options.get("domain-name-servers")),
        domain=options.get("domain-name"),
        search=_listed(options.get("domain-search")),
        pools=[tuple(pool["pool"].split(" - ")) for pool in subnet["pools"]],
        next_server=subnet.get("next-server"),
    )
    for row in subnet["reservations"]:
        assert set(row) <= {
            "hw-address",
            "ip-address",
            "hostname",
            "next-server",
            "boot-file-name",
            "option-data",
            "user-context",
        }
        own = {option["name"]: option["data"] for option in row.get("option-data", ())}
        assert own.get("boot-file-name") == row.get("boot-file-name")
        key = row["hw-address"], row["ip-address"]
        assert key not in served.reservations
        served.reservations[key] = Reserved(
            row.get("hostname"),
            row.get("next-server"),
            own.get("tftp-server-name"),
            row.get("boot-file-name"),
        )
    return served


def _listed(data: str | None) -> list[str]:
    return data.split(", ") if data else []


def _code(text: str) -> list[str]:
    """The lines that are no comments; a comment may only stand on a line of its own."""
    assert text.endswith("\n")
    assert text.isascii()
    return [line for line in text[:-1].split("\n") if line and not COMMENT.match(line)]


class _Lines:
    """Takes lines one after the other, each by a pattern that must match all of it."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.at = 0

    def take(self, pattern: str) -> re.Match | None:
        found = re.fullmatch(pattern, self.lines[self.at]) if self.at < len(self.lines) else None
        self.at += found is not None
        return found

    def need(self, pattern: str) -> re.Match:
        found = self.take(pattern)
        assert found, f"expected {pattern!r}, found {self.lines[self.at : self.at + 1]}"
        return found

    @property
    def left(self) -> bool:
        return self.at < len(self.lines)


def read_isc(text: str) -> dict[str, Served]:
    lines = _Lines(_code(text))
    for fixed in (
        "authoritative;",
        "ddns-update-style none;",
        r"default-lease-time \d+;",
        r"max-lease-time \d+;",
    ):
        lines.need(fixed)
    subnets: dict[str, Served] = {}
    words: set[str] = set()
    while lines.left:
        opened = lines.take(rf"subnet ({IP4}) netmask ({IP4}) {{")
        if opened:
            served = subnets[str(ipaddress.ip_network("/".join(opened.groups())))] = _isc_subnet(lines)
            continue
        word = lines.need(rf"host ({WORD}) {{")[1]
        assert word not in words
        words.add(word)
        _isc_host(lines, served)
    return subnets


def _isc_subnet(lines: _Lines) -> Served:
    served = Served()
    if found := lines.take(rf"  option routers ({IP4});"):
        served.gateway = found[1]
    if found := lines.take(rf"  option domain-name-servers ({IP4}(?:, {IP4})*);"):
        served.dns_servers = _listed(found[1])
    if found := lines.take(rf'  option domain-name "({NAME})";'):
        served.domain = found[1]
    if lines.take("  option domain-search"):
        while found := lines.take(rf'    "({NAME})",'):
            served.search.append(found[1])
        served.search.append(lines.need(rf'    "({NAME})";')[1])
    if found := lines.take(rf"  next-server ({IP4});"):
        served.next_server = found[1]
    while found := lines.take(rf"  range ({IP4}) ({IP4});"):
        served.pools.append((found[1], found[2]))
    lines.need("}")
    return served


def _isc_host(lines: _Lines, served: Served) -> None:
    mac = lines.need(rf"  hardware ethernet ({MAC});")[1]
    address = lines.need(rf"  fixed-address ({IP4});")[1]
    assert (mac, address) not in served.reservations
    row = served.reservations[mac, address] = Reserved()
    if found := lines.take(rf'  option host-name "({LABEL})";'):
        row.hostname = found[1]
    if found := lines.take(rf"  next-server ({IP4});"):
        row.next_server = found[1]
    if found := lines.take(rf'  option tftp-server-name "({NAME})";'):
        row.server_name = found[1]
    if found := lines.take(rf'  filename "({FILE})";'):
        row.file = found[1]
        assert lines.need(rf'  option bootfile-name "({FILE})";')[1] == row.file
    lines.need("}")


@dataclass
class Dnsmasq:
    subnets: dict[str, Served]
    records: set[Record]
    zones: set[str]


def read_dnsmasq(text: str) -> Dnsmasq:
    lines = _Lines(_code(text))
    read = Dnsmasq({}, set(), set())
    lines.need("no-hosts")
    lines.need(r"local-ttl=\d+")
    while found := lines.take(rf"local=/({NAME})/"):
        read.zones.add(found[1])
    domain = lines.take(rf"domain=({NAME})")
    _dnsmasq_records(lines, read)
    if lines.take("dhcp-authoritative"):
        lines.need("dhcp-ignore-names=tag:!known")
    while lines.left:
        _dnsmasq_subnet(lines, read.subnets, domain[1] if domain else None)
    return read


def _dnsmasq_records(lines: _Lines, read: Dnsmasq) -> None:
    """Also the PTR that dnsmasq makes of the first line of each address."""
    pointed: set[str] = set()
    while found := lines.take(rf"host-record=({NAME}),([0-9a-f.:]+)"):
        name, address = found.groups()
        parsed = ipaddress.ip_address(address)
        read.records.add((name, "A" if parsed.version == 4 else "AAAA", address))
        if address not in pointed:
            pointed.add(address)
            read.records.add((parsed.reverse_pointer, "PTR", name))
    while found := lines.take(rf"cname=({NAME}),({NAME})"):
        read.records.add((found[1], "CNAME", found[2]))


def _dnsmasq_subnet(lines: _Lines, subnets: dict[str, Served], domain: str | None) -> None:
    served = Served(domain=domain)
    tag = network = None
    while found := lines.take(rf"dhcp-range=set:({WORD}),({IP4}),({IP4}|static),({IP4}),\d+"):
        assert tag in (None, found[1])
        tag, first, last, netmask = found.groups()
        network = str(ipaddress.ip_network(f"{first}/{netmask}", strict=False))
        if last != "static":
            served.pools.append((first, last))
    assert tag
    assert network not in subnets
    subnets[network] = served
    served.gateway = lines.need(rf"dhcp-option=tag:{tag},option:router(?:,({IP4}))?")[1]
    servers = lines.need(rf"dhcp-option=tag:{tag},option:dns-server((?:,{IP4})*)")[1]
    served.dns_servers = servers.split(",")[1:]
    if found := lines.take(rf"dhcp-option=tag:{tag},option:domain-search,({NAME}(?:,{NAME})*)"):
        served.search = found[1].split(",")
    if found := lines.take(rf"dhcp-boot=tag:{tag},,,({IP4})"):
        served.next_server = found[1]
    while lines.take(r"(?=dhcp-boot=tag:host-|dhcp-host=).*"):
        lines.at -= 1
        _dnsmasq_host(lines, served, domain)


def _dnsmasq_host(lines: _Lines, served: Served, domain: str | None) -> None:
    boot = lines.take(rf"dhcp-boot=tag:({WORD}),((?:{FILE})?),((?:{NAME})?)(?:,({IP4}))?")
    found = lines.need(rf"dhcp-host=({MAC})(?:,set:({WORD}))?,({IP4})(?:,({NAME}))?,\d+")
    mac, tag, address, name = found.groups()
    assert tag == (boot[1] if boot else None)
    assert (mac, address) not in served.reservations
    if name and "." in name:
        name = name.removesuffix(f".{domain}")
    elif name:
        assert not re.fullmatch(r"\d+[a-z]?|ignore|infinite", name), "dnsmasq takes this for something else"
    row = served.reservations[mac, address] = Reserved(name)
    if boot:
        row.file, row.server_name, row.next_server = (boot[2] or None), (boot[3] or None), boot[4]


def read_bind(files: dict[str, str]) -> dict[str, set[Record]]:
    """Zone → its records but for SOA and NS; every file that named.conf loads, and no other, is there."""
    loaded = {}
    for line in _code(files["named.conf"]):
        found = re.fullmatch(rf'zone "({NAME})" {{ type primary; file "(db\.{NAME})"; }};', line)
        assert found, line
        loaded[found[1]] = found[2]
    assert set(files) == {"named.conf", *loaded.values()}
    return {zone: _zone_records(zone, files[path]) for zone, path in loaded.items()}


def _zone_records(zone: str, text: str) -> set[Record]:
    lines = text.split("\n")
    assert lines[0] == f"$ORIGIN {zone}."
    assert re.fullmatch(rf"{NAME}\. \d+ IN SOA {NAME}\. {NAME}\. \d+ \d+ \d+ \d+ \d+", lines[1])
    assert all(re.fullmatch(rf"{NAME}\. \d+ IN [A-Z]+ [0-9a-z.:-]+", line) for line in _code(text)[2:])
    parsed = dns.zone.from_text(text, relativize=False, check_origin=True, allow_include=False)
    return {
        (name.to_text(omit_final_dot=True), dns.rdatatype.to_text(rdata.rdtype), rdata.to_text().rstrip("."))
        for name, _, rdata in parsed.iterate_rdatas()
        if rdata.rdtype not in (dns.rdatatype.SOA, dns.rdatatype.NS)
    }


def read_unbound(text: str) -> dict[str, set[Record]]:
    lines = _Lines(_code(text))
    lines.need("server:")
    zones: dict[str, set[Record]] = {}
    while lines.left:
        records = zones[lines.need(rf'  local-zone: "({NAME})\." static')[1]] = set()
        while found := lines.take(rf'  local-data: "({NAME})\. \d+ IN (A|AAAA|PTR) ([0-9a-z.:-]+)"'):
            records.add((found[1], found[2], found[3].rstrip(".")))
    return zones
