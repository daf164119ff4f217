"""VyOS: ``set`` commands for DHCP and DNS, one file for 1.4 (ISC dhcpd inside) and one for 1.5 (Kea inside).

Source: VyOS' interface definitions (vyos-1x, branches sagitta and circinus) ``dhcp-server``, ``dns_forwarding``.

- Paste the file in configuration mode, look with ``compare``, then ``commit``. Setting what is set changes nothing,
  so it may be pasted again. Nothing is deleted: deleting is the operator's, and ``compare`` shows what else is there.
- The name of a static mapping is the name that the client is told; it is unique in the file, since 1.4 makes a
  global ``host`` of it.
- A subnet's id is its network address as a number, as in ``kea``: it must not move when a segment is added.
- Names are records of an authoritative domain, not lines of the router's hosts file: typed, and each can be deleted.
  ``listen-address`` and ``allow-from`` of the forwarder are the router's own, and must be set.
- A value stands in single quotes unless it is plain; nothing that would end them, or that the command line itself
  takes up (``?``), is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from inventory import dhcp, dns
from inventory.exports.registry import Document, Export
from inventory.exports.text import encode, header, tokens
from inventory.findings import Finding, Severity, in_reading_order
from inventory.snapshot import AuthorityMode, Snapshot

Version = Literal["1.4", "1.5"]
VERSIONS: tuple[Version, ...] = ("1.4", "1.5")

PLAIN = re.compile(r"[A-Za-z0-9._:/@-]+\Z")
#: What fits between single quotes on VyOS' command line.
QUOTABLE = re.compile(r"[ -~]*\Z")
UNQUOTABLE = frozenset("'\"\\?")
#: Zones, the names in them and what they point at, as the command line takes them.
LONGEST_NAME = 63
#: Names that the forwarder gives another meaning: ``any`` is every name of the zone.
ANY = "any"
LARGEST_ID = 2**32 - 2

Path = list[str]


def render(snapshot: Snapshot, authority: AuthorityMode | None = None) -> Document:
    plan, names = dhcp.plan(snapshot, authority), dns.plan(snapshot, authority)
    files: dict[str, bytes] = {}
    said: list[Finding] = []
    records = _Records(names)
    forwarding = list(records.commands())
    for version in VERSIONS:
        served = _Dhcp(version, plan)
        commands = [*served.commands(), *forwarding]
        limits = in_reading_order([*served.findings, *records.findings])
        left_out = in_reading_order([*plan.left_out, *names.left_out, *limits])
        about = header(snapshot, authority, f"DHCP and DNS for VyOS {version}", left_out)
        lines = [*(_comment(line) for line in about), "", *(_line(path) for path in commands)]
        files[f"vyos-{version}.txt"] = encode(lines)
        said += limits
    return Document(files, in_reading_order([*plan.findings, *names.findings, *said]))


def _comment(line: str) -> str:
    """A command line expands ``!`` and takes up ``?`` even behind a ``#``."""
    return "# " + line.replace("!", ".").replace("?", ".")


def _line(path: Path) -> str:
    return " ".join(["set", *(word if PLAIN.match(word) else f"'{word}'" for word in path)])


def is_quotable(text: str) -> bool:
    return bool(QUOTABLE.match(text)) and not UNQUOTABLE & set(text)


@dataclass
class _Dhcp:
    """``service dhcp-server`` for one version."""

    version: Version
    plan: dhcp.DhcpPlan

    def __post_init__(self) -> None:
        self.findings: list[Finding] = []
        self._networks = tokens(subnet.segment for subnet in self.plan.subnets)
        self._used: set[str] = {r.hostname or "" for s in self.plan.subnets for r in s.reservations}
        self._given: set[str] = set()

    def commands(self) -> Iterator[Path]:
        base = ["service", "dhcp-server"]
        served = [subnet for subnet in self.plan.subnets if self._can_be_served(subnet)]
        if served and self.version == "1.4":
            yield [*base, "host-decl-name"]
        for subnet in served:
            network = [*base, "shared-network-name", self._networks[subnet.segment]]
            yield [*network, "authoritative"]
            at = [*network, "subnet", str(subnet.network)]
            for path in (*self._subnet(subnet), *self._mappings(subnet)):
                yield [*at, *path]

    def _can_be_served(self, subnet: dhcp.Subnet) -> bool:
        if subnet.pools or subnet.reservations:
            return True
        self._say(
            "info",
            f"segment {subnet.segment}",
            "has neither a pool nor a reservation; VyOS refuses such a subnet, so it is left out.",
            "Nothing to do: there is nobody to serve yet.",
        )
        return False

    def _subnet(self, subnet: dhcp.Subnet) -> Iterator[Path]:
        option = [] if self.version == "1.4" else ["option"]
        if self.version == "1.5":
            number = min(max(1, int(subnet.network.network_address)), LARGEST_ID)
            yield ["subnet-id", str(number)]
        yield ["lease", str(dhcp.LEASE_SECONDS)]
        if subnet.gateway:
            yield [*option, "default-router", subnet.gateway]
        for server in subnet.dns_servers:
            yield [*option, "name-server", server]
        if subnet.domain:
            yield [*option, "domain-name", subnet.domain]
        for domain in subnet.search:
            yield [*option, "domain-search", domain]
        if subnet.next_server:
            yield [*option, "bootfile-server", subnet.next_server]
        for pool in subnet.pools:
            name = f"from-{pool.first.replace('.', '-')}"
            yield ["range", name, "start", pool.first]
            yield ["range", name, "stop", pool.last]

    def _mappings(self, subnet: dhcp.Subnet) -> Iterator[Path]:
        mac = "mac-address" if self.version == "1.4" else "mac"
        for reservation in subnet.reservations:
            at = ["static-mapping", self._name(reservation)]
            yield [*at, "ip-address", reservation.address]
            yield [*at, mac, reservation.mac]
            for path in self._boot(reservation):
                yield [*at, *path]

    def _name(self, reservation: dhcp.Reservation) -> str:
        """The host's name; one made of the address where it has none to be told, or where it is taken."""
        name = reservation.hostname
        if name is None or name in self._given:
            name = f"at-{reservation.address.replace('.', '-')}"
            while name in self._used:
                name = f"x{name}"
        self._used.add(name)
        self._given.add(name)
        return name

    def _boot(self, reservation: dhcp.Reservation) -> Iterator[Path]:
        boot = reservation.boot
        if not (boot.file or boot.server_name):
            return
        if self.version == "1.4":
            self._cannot_boot(reservation, "VyOS 1.4 knows boot files of subnets only")
            return
        if boot.file and not is_quotable(boot.file):
            self._cannot_boot(reservation, f"its file {boot.file} cannot be quoted on VyOS' command line")
        elif boot.file:
            yield ["option", "bootfile-name", boot.file]
        if boot.next_server:
            yield ["option", "bootfile-server", boot.next_server]
        if boot.server_name:
            yield ["option", "tftp-server-name", boot.server_name]

    def _cannot_boot(self, reservation: dhcp.Reservation, why: str) -> None:
        subject = f"interface {reservation.host}/{reservation.interface}"
        hint = "Let another server tell it where to boot from, or boot it by hand."
        self._say("warning", subject, f"boots from the network; {why}, so that is left out.", hint)

    def _say(self, severity: Severity, subject: str, message: str, hint: str) -> None:
        self.findings.append(Finding("format-limit", severity, subject, message, hint))


@dataclass
class _Records:
    """``service dns forwarding authoritative-domain``, the same in both versions."""

    plan: dns.DnsPlan

    def __post_init__(self) -> None:
        self.findings: list[Finding] = []

    def commands(self) -> Iterator[Path]:
        for zone in self.plan.zones:
            if not _fits(zone.name):
                self._cannot_say(zone.name, "is longer than the 63 characters that VyOS takes for a zone")
                continue
            base = ["service", "dns", "forwarding", "authoritative-domain", zone.name, "records"]
            for record in zone.records:
                yield from ([*base, *path] for path in self._record(zone, record))

    def _record(self, zone: dns.Zone, record: dns.Record) -> Iterable[Path]:
        label = "@" if record.name == zone.name else record.name.removesuffix(f".{zone.name}")
        if label == ANY:
            self._cannot_say(record.name, "would be taken for every name of its zone")
        elif not _fits(label) or (record.type in ("CNAME", "PTR") and not _fits(record.value)):
            self._cannot_say(
                record.name, "or what it leads to is longer than the 63 characters that VyOS takes"
            )
        elif record.type in ("A", "AAAA"):
            yield [record.type.lower(), label, "address", record.value]
        else:
            yield [record.type.lower(), label, "target", record.value]

    def _cannot_say(self, name: str, why: str) -> None:
        hint = "Choose a shorter or another name, or serve names from another server."
        self.findings.append(
            Finding("format-limit", "warning", f"name {name}", f"{why}; it is left out of VyOS.", hint)
        )


def _fits(name: str) -> bool:
    return len(name) <= LONGEST_NAME


EXPORT = Export(
    name="vyos",
    title="VyOS",
    purpose="set commands for DHCP and DNS, for VyOS 1.4 and 1.5; nothing is deleted.",
    content_type="text/plain; charset=utf-8",
    filename="vyos",
    is_directory=True,
    render=render,
)
