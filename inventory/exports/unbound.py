"""Unbound: local zones for a resolver, as a file to include or to start from (1.6 and later).

Grammar: unbound.conf(5), ``local-zone`` and ``local-data``. Unbound does not chase a CNAME into its other
local data, so a service is rendered as copies of its host's addresses. A local zone below one of the built-in
private reverse zones (RFC 6303) takes precedence over it. What the resolver listens on and whom it answers is
the server's own.
"""

from __future__ import annotations

from collections.abc import Iterator

from inventory import dns
from inventory.exports.registry import Document, Export
from inventory.exports.text import encode, header
from inventory.snapshot import AuthorityMode, Snapshot

FILENAME = "unbound.conf"


def render(snapshot: Snapshot, authority: AuthorityMode | None = None) -> Document:
    plan = dns.plan(snapshot, authority)
    lines = [f"# {line}" for line in header(snapshot, authority, "DNS for Unbound", plan.left_out)]
    lines += ["", "server:"]
    for zone in plan.zones:
        lines.append(f'  local-zone: "{zone.name}." static')
        lines += (f'  local-data: "{name}. {dns.TTL} IN {kind} {value}"' for name, kind, value in _data(zone))
    return Document({FILENAME: encode(lines)}, plan.findings)


def _data(zone: dns.Zone) -> Iterator[tuple[str, str, str]]:
    addresses: dict[str, list[dns.Record]] = {}
    for record in zone.records:
        if record.type in ("A", "AAAA"):
            addresses.setdefault(record.name, []).append(record)
    for record in zone.records:
        if record.type == "CNAME":
            for copied in addresses[record.value]:
                yield record.name, copied.type, copied.value
        elif record.type == "PTR":
            yield record.name, record.type, f"{record.value}."
        else:
            yield record.name, record.type, record.value


EXPORT = Export(
    name="unbound",
    title="Unbound",
    purpose="Local zones for the resolver on the core router: every name and address of the site.",
    content_type="text/plain; charset=utf-8",
    filename=FILENAME,
    is_directory=False,
    render=render,
)
