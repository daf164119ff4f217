"""BIND: a zone file for each zone, and the ``named.conf`` that loads them (9.16 and later; any RFC 1035
server).

Grammar: RFC 1035, section 5, for zone files; the BIND 9 manual for ``zone`` statements. Every owner is
absolute and every TTL explicit. ``named.conf`` holds nothing but zone statements with bare file names, so
that it may be included (the zone files then go where ``options { directory }`` points) and also stands alone:
``named -c named.conf``, started inside the directory.

A serial is honest: it is the published one while the zone's content is what was published, one more while it
is not. ``content_hashes`` is what publication compares; it leaves out comments and the serial itself.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from inventory import dns
from inventory.exports.registry import Document, Export
from inventory.exports.text import encode, header
from inventory.snapshot import AuthorityMode, Snapshot

CONFIGURATION = "named.conf"
#: Of a zone that was never published.
FIRST_SERIAL = 1
#: refresh, retry, expire, negative TTL (RFC 1912, section 2.2; a negative answer lives as long as a record).
TIMERS = f"3600 600 1209600 {dns.TTL}"


@dataclass(frozen=True, slots=True)
class ZoneText:
    """A zone without what changes by itself: publication gives it a serial, the exporter a header."""

    name: str
    #: of the SOA: name server and mailbox, absolute
    server: str
    mailbox: str
    records: tuple[str, ...]

    @property
    def content_hash(self) -> str:
        content = "\n".join([self.soa(0), *self.records])
        return hashlib.sha256(content.encode()).hexdigest()

    def soa(self, serial: int) -> str:
        return f"{self.name}. {dns.TTL} IN SOA {self.server} {self.mailbox} {serial} {TIMERS}"


def render(snapshot: Snapshot, authority: AuthorityMode | None = None) -> Document:
    plan = dns.plan(snapshot, authority)
    about = header(snapshot, authority, "DNS for BIND", plan.left_out)
    files = {CONFIGURATION: encode([*(f"// {line}" for line in about), "", *map(_statement, plan.zones)])}
    site = _site_name(plan)
    for zone in plan.zones:
        text = _zone_text(zone, site)
        comments = about if zone.kind == "site" else about[:3]
        serial = serial_of(snapshot, text)
        lines = [f"$ORIGIN {zone.name}.", text.soa(serial), *(f"; {line}" for line in comments)]
        files[file_name(zone.name)] = encode([*lines, *text.records])
    return Document(files, plan.findings)


def zone_texts(snapshot: Snapshot, authority: AuthorityMode | None = None) -> dict[str, ZoneText]:
    """Zone name without the final dot → its text, for every zone of the site."""
    plan = dns.plan(snapshot, authority)
    return {zone.name: _zone_text(zone, _site_name(plan)) for zone in plan.zones}


def content_hashes(snapshot: Snapshot, authority: AuthorityMode | None = None) -> dict[str, str]:
    """Zone name → what its serial stands for; a zone whose hash moved needs a new serial on publication."""
    return {name: text.content_hash for name, text in zone_texts(snapshot, authority).items()}


def serial_of(snapshot: Snapshot, text: ZoneText) -> int:
    """The published serial; one more (RFC 1982, never 0) for content that was not published under it."""
    published = snapshot.serials.get(text.name)
    if published is None:
        return FIRST_SERIAL
    if published.content_hash == text.content_hash:
        return published.serial
    return (published.serial + 1) % 2**32 or 1


def file_name(zone: str) -> str:
    return f"db.{zone}"


def _statement(zone: dns.Zone) -> str:
    return f'zone "{zone.name}" {{ type primary; file "{file_name(zone.name)}"; }};'


def _site_name(plan: dns.DnsPlan) -> str:
    return next((zone.name for zone in plan.zones if zone.kind == "site"), "")


def _zone_text(zone: dns.Zone, site: str) -> ZoneText:
    server = f"{zone.name_server}."
    records = [f"{zone.name}. {dns.TTL} IN NS {server}"]
    for record in zone.records:
        value = record.value if record.type in ("A", "AAAA") else f"{record.value}."
        records.append(f"{record.name}. {dns.TTL} IN {record.type} {value}")
    return ZoneText(zone.name, server, f"hostmaster.{site}.", tuple(records))


EXPORT = Export(
    name="bind",
    title="BIND zone files",
    purpose="Forward and reverse zone files with an honest serial, and the named.conf that loads them.",
    content_type="text/plain; charset=utf-8",
    filename="bind",
    is_directory=True,
    render=render,
)
