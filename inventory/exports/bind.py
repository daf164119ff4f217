"""BIND: a zone file for each zone, and the ``named.conf`` that loads them (9.16 and later; any RFC 1035
server).

Grammar: RFC 1035, section 5, for zone files; the BIND 9 manual for ``zone`` statements. Every owner is
absolute and every TTL explicit. ``named.conf`` holds nothing but zone statements with bare file names, so
that it may be included (the zone files then go where ``options { directory }`` points) and also stands alone:
``named -c named.conf``, started inside the directory.

A serial is honest: it is the published one while the zone's content is what was published, one more while it
is not. ``content_hashes`` is what publication compares; it leaves out comments and the serial itself.

Each mode of the authority has serials of its own, kept as ``<zone>`` and ``<zone>@bootstrap``: both may be
fetched in turns, and neither moves. A zone that moves in one mode passes its serial in the other; and a switch
of the authority moves the zones of the mode that begins to serve, so that no secondary ever sees one go back.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from inventory import bootstrap, dns
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
    mode: AuthorityMode
    #: how often the authority was switched when this mode last began to serve; 0: it always did, or never
    switch: int
    #: of the SOA: name server and mailbox, absolute
    server: str
    mailbox: str
    records: tuple[str, ...]

    @property
    def key(self) -> str:
        """Under which its serial is kept; :func:`zone_of_key` reads it back."""
        return self.name if self.mode == "gateway" else f"{self.name}@{self.mode}"

    @property
    def content_hash(self) -> str:
        switched = [f"; switch {self.switch}"] if self.switch else []
        content = "\n".join([self.soa(0), *self.records, *switched])
        return hashlib.sha256(content.encode()).hexdigest()

    def soa(self, serial: int) -> str:
        return f"{self.name}. {dns.TTL} IN SOA {self.server} {self.mailbox} {serial} {TIMERS}"


def render(snapshot: Snapshot, authority: AuthorityMode | None = None) -> Document:
    plan = dns.plan(snapshot, authority)
    about = header(snapshot, authority, "DNS for BIND", plan.left_out)
    files = {CONFIGURATION: encode([*(f"// {line}" for line in about), "", *map(_statement, plan.zones)])}
    for zone, text in zip(plan.zones, _zone_texts(snapshot, authority), strict=True):
        comments = about if zone.kind == "site" else about[:3]
        serial = serial_of(snapshot, text)
        lines = [f"$ORIGIN {zone.name}.", text.soa(serial), *(f"; {line}" for line in comments)]
        files[file_name(zone.name)] = encode([*lines, *text.records])
    return Document(files, plan.findings)


def zone_of_key(key: str) -> str:
    """The zone that *key* of the kept serials is about, in whichever mode."""
    return key.partition("@")[0]


def content_hashes(snapshot: Snapshot, authority: AuthorityMode | None = None) -> dict[str, str]:
    """Key → what the zone's serial stands for; one whose hash moved needs a new serial on publication."""
    return {text.key: text.content_hash for text in _zone_texts(snapshot, authority)}


def serial_of(snapshot: Snapshot, text: ZoneText) -> int:
    """The published serial; one more than in any mode (RFC 1982, never 0) for what was not published under it."""
    published = snapshot.serials.get(text.key)
    if published is not None and published.content_hash == text.content_hash:
        return published.serial
    given = [entry.serial for key, entry in snapshot.serials.items() if zone_of_key(key) == text.name]
    return (max(given) + 1) % 2**32 or 1 if given else FIRST_SERIAL


def file_name(zone: str) -> str:
    return f"db.{zone}"


def _statement(zone: dns.Zone) -> str:
    return f'zone "{zone.name}" {{ type primary; file "{file_name(zone.name)}"; }};'


def _site_name(plan: dns.DnsPlan) -> str:
    return next((zone.name for zone in plan.zones if zone.kind == "site"), "")


def _zone_texts(snapshot: Snapshot, authority: AuthorityMode | None) -> list[ZoneText]:
    """The text of every zone of the plan, in its order."""
    plan, mode = dns.plan(snapshot, authority), bootstrap.mode_of(snapshot, authority)
    mailbox, switch = f"hostmaster.{_site_name(plan)}.", _last_switch_to(snapshot, mode)
    return [_zone_text(zone, mode, switch, mailbox) for zone in plan.zones]


def _last_switch_to(snapshot: Snapshot, mode: AuthorityMode) -> int:
    """The number of the last switch that made *mode* the one that serves; before the first, the gateway did."""
    serving: AuthorityMode = "gateway"
    switches = last = 0
    for declared in snapshot.authorities:
        if declared.mode != serving:
            serving, switches = declared.mode, switches + 1
            last = switches if serving == mode else last
    return last


def _zone_text(zone: dns.Zone, mode: AuthorityMode, switch: int, mailbox: str) -> ZoneText:
    server = f"{zone.name_server}."
    records = [f"{zone.name}. {dns.TTL} IN NS {server}"]
    for record in zone.records:
        value = record.value if record.type in ("A", "AAAA") else f"{record.value}."
        records.append(f"{record.name}. {dns.TTL} IN {record.type} {value}")
    return ZoneText(zone.name, mode, switch, server, mailbox, tuple(records))


EXPORT = Export(
    name="bind",
    title="BIND zone files",
    purpose="Forward and reverse zone files with an honest serial, and the named.conf that loads them.",
    content_type="text/plain; charset=utf-8",
    filename="bind",
    is_directory=True,
    render=render,
)
