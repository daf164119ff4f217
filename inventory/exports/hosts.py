"""The hosts file: every address of the site with its names, for ``/etc/hosts`` or dnsmasq's ``addn-hosts``.

Grammar: hosts(5). The first name of an address is the one that its PTR gives, so that forth and back agree; then
its other names, each qualified and then alone. A service stands on the line of its host: a hosts file has no
CNAME. A short name that would hide the machine's own (``localhost``) is not written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from inventory import dns
from inventory.exports.registry import Document, Export
from inventory.exports.text import encode, header
from inventory.findings import Finding, in_reading_order
from inventory.numbers import Point, point
from inventory.snapshot import AuthorityMode, Snapshot

FILENAME = "hosts"
#: What a machine calls itself and its networks (hosts(5), RFC 6761).
OWN_NAMES = frozenset(
    [
        "localhost",
        "localdomain",
        "ip6-localhost",
        "ip6-loopback",
        "ip6-localnet",
        "ip6-mcastprefix",
        "ip6-allnodes",
        "ip6-allrouters",
        "broadcasthost",
        "loopback",
    ]
)
#: Readers cut long lines; an address may have several, and the first one names it.
LONGEST = 900


def render(snapshot: Snapshot, authority: AuthorityMode | None = None) -> Document:
    plan = dns.plan(snapshot, authority)
    zone = next((zone.name for zone in plan.zones if zone.kind == "site"), "")
    reserved = [_reserved(name) for name in sorted(_short_names(plan, zone) & OWN_NAMES)]
    left_out = in_reading_order([*plan.left_out, *reserved])
    lines = [f"# {line}" for line in header(snapshot, authority, "names for a hosts file", left_out)]
    lines.append("")
    for address, names in sorted(_names(plan).items()):
        lines += _lines(address, _spelled(names, zone))
    return Document({FILENAME: encode(lines)}, left_out)


def _names(plan: dns.DnsPlan) -> Mapping[Point, list[str]]:
    """Address → its absolute names: the PTR's first, then those of records, services and aliases, by name."""
    owners: dict[str, set[str]] = defaultdict(set)
    addresses: dict[str, set[str]] = defaultdict(set)
    records = [record for zone in plan.zones if zone.kind != "reverse" for record in zone.records]
    for record in records:
        if record.type in ("A", "AAAA"):
            owners[record.value].add(record.name)
            addresses[record.name].add(record.value)
    canonical = {name for names in owners.values() for name in names}
    for record in records:
        if record.type == "CNAME":
            for address in addresses[record.value]:
                owners[address].add(record.name)
    found = {}
    for text, names in owners.items():
        if (where := point(text)) is not None:
            first = plan.pointers.get(text, "")
            found[where] = sorted(names, key=lambda n: (n != first, n not in canonical, n))
    return found


def _spelled(names: list[str], zone: str) -> list[str]:
    """Each name qualified, then alone if it is one label below the zone."""
    spelled = []
    for name in names:
        spelled.append(name)
        short = _short(name, zone)
        if short and short not in OWN_NAMES:
            spelled.append(short)
    return list(dict.fromkeys(spelled))


def _short(name: str, zone: str) -> str:
    label = name.removesuffix(f".{zone}") if zone else name
    return "" if label == name or "." in label else label


def _short_names(plan: dns.DnsPlan, zone: str) -> set[str]:
    return {_short(r.name, zone) for z in plan.zones if z.kind == "site" for r in z.records}


def _lines(address: Point, names: list[str]) -> Iterator[str]:
    line = address.text
    for name in names:
        if len(line) + 1 + len(name) > LONGEST:
            yield line
            line = address.text
        line += f" {name}"
    yield line


def _reserved(name: str) -> Finding:
    return Finding(
        "format-limit",
        "info",
        f"name {name}",
        "is what each machine calls itself; the hosts file has it in its qualified form only.",
        "Nothing to do, or choose another name.",
    )


EXPORT = Export(
    name="hosts",
    title="Hosts file",
    purpose="Every address with its names, for /etc/hosts or a machine that must know them without DNS.",
    content_type="text/plain; charset=utf-8",
    filename=FILENAME,
    is_directory=False,
    render=render,
)
