"""What an imported tree said that could not be understood here, or only by Ansible. Read again from the shapes kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from inventory.ansible import noun_reading
from inventory.ansible import written as reading
from inventory.ansible.grouping import ALL
from inventory.ansible.nouns import names_of
from inventory.ansible.shape import as_written, is_opaque, own_of
from inventory.ansible.written import Reading
from inventory.exports.ansible import model_of, unrepresented
from inventory.findings import Finding
from inventory.snapshot import HostFacts, InterfaceFacts, SegmentFacts, Snapshot

Names = Mapping[str, str]


def findings(snapshot: Snapshot) -> Iterable[Finding]:
    names = names_of(snapshot.site.mapping)
    yield from unrepresented(model_of(snapshot))
    yield from _of_groups(snapshot, names)
    for segment in snapshot.segments:
        yield from _of_segment(segment, names)
    for host in snapshot.live_hosts:
        if not host.written:
            continue
        yield from _of_host(host, names)
        yield from _hidden(snapshot, host, names)
        own = own_of(host)
        for interface in host.interfaces:
            yield from _of_interface(snapshot, interface, own, names)


def _finding(subject: str, path: Iterable[str], found: Reading) -> Finding:
    """One unreadable field. Jinja has an id of its own, since there the way out is another."""
    return Finding(
        "identity-jinja" if found.jinja else "identity-unreadable",
        "error",
        subject,
        f"{'.'.join(path)} {found.problem}.",
        f"{found.hint[:1].upper()}{found.hint[1:]}.",
    )


# --- groups and segments ---


def _of_groups(snapshot: Snapshot, names: Names) -> Iterator[Finding]:
    """The site's own nouns, where a group has them as a variable because they could not be read."""
    owned = [(ALL, snapshot.site.variables), *((group.name, group.variables) for group in snapshot.groups)]
    for owner, variables in owned:
        for noun, read in (
            ("site.segments", reading.read_mapping),
            ("site.root_domain", reading.read_domain),
        ):
            key = names[noun]
            if key in variables and (found := read(variables[key])).problem:
                yield _finding(f"group {owner}", [key], found)


def _of_segment(segment: SegmentFacts, names: Names) -> Iterator[Finding]:
    subject = f"segment {segment.name}"
    whole = reading.read_mapping(segment.written.get("value"))
    if whole.problem and segment.vlan is None and not (segment.network4 or segment.network6):
        yield _finding(subject, [segment.name], whole)
    read = noun_reading.read_segment(segment.name, segment.written.get("raw", {}), names)
    for complaint in read.complaints_in_effect(segment):
        yield _finding(subject, complaint.path, complaint.found)


# --- hosts ---


def _of_host(host: HostFacts, names: Names) -> Iterator[Finding]:
    own = own_of(host)
    for noun, field, value in (("hardware", "host.form", host.form), ("intent", "host.role", host.role)):
        key, interfaces = names[f"host.{noun}"], names["host.interfaces"]
        yield from _whole(host, noun, key)
        raw = host.written.get(noun, {}).get("raw", {}).get(names[field])
        found = reading.read_text(raw, own, longest=40)
        if found.problem and value == found.value:
            yield _finding(host.subject, [key, names[field]], found)
        below = reading.read_mapping(host.written.get(f"{noun}_interfaces", {}).get("value"))
        if below.problem and not host.interfaces:
            yield _finding(host.subject, [key, interfaces], below)
    if pinned := [name for name in host.written.get("pinned", ()) if name in host.variables]:
        yield Finding(
            "variable-pinned",
            "info",
            host.subject,
            f"repeats {', '.join(pinned)} from its groups: Ansible orders inline variables and files of groups differently.",
            "Write each variable of a group in one place, inline or in group_vars, and import again.",
        )


def _whole(host: HostFacts, noun: str, key: str) -> Iterator[Finding]:
    """A mapping that is Jinja or sealed as a whole. ``env`` alone may well be somebody else's word."""
    whose = host.written.get(f"opaque:{key}")
    if whose in ("jinja", "sealed") and (noun == "hardware" or "hardware" in host.written):
        what = "holds Jinja" if whose == "jinja" else "is sealed in a vault"
        problem = f"{what}, so the host's identity cannot be read"
        yield _finding(
            host.subject,
            [key],
            Reading(None, problem, "write the mapping itself, in plain", whose == "jinja"),
        )


def _hidden(snapshot: Snapshot, host: HostFacts, names: Names) -> Iterator[Finding]:
    """What a person declared here, and Ansible is not told, since the variable for it means something else."""
    plugged = any(i.segment or i.addressing != "none" or i.a_record or i.reservation for i in host.interfaces)
    for noun, said in (
        ("hardware", host.form or any(i.mac for i in host.interfaces)),
        ("intent", host.role or host.services or plugged),
    ):
        key = names[f"host.{noun}"]
        if said and is_opaque(snapshot, host, key):
            yield Finding(
                "identity-hidden",
                "warning",
                host.subject,
                f"has facts that the Ansible inventory does not tell: its variable {key} was imported as it is.",
                f"Remove the variable {key}, or map the noun to another name and import again.",
            )


# --- interfaces ---


def _of_interface(
    snapshot: Snapshot, interface: InterfaceFacts, own: reading.Own, names: Names
) -> Iterator[Finding]:
    if not interface.written:
        return
    raw = as_written(interface, names)
    if not _is_plain(raw, interface, names):
        yield from _of_fields(snapshot, interface, raw, own, names)
    yield from _nested(interface, names)
    services = raw.dns.get(names["dns.services"])
    _, problem = reading.read_names(services, _zone_then(snapshot))
    if problem:
        jinja = any(map(reading.holds_jinja, services if isinstance(services, list) else [services]))
        found = Reading(None, problem, "write names below the site's zone", jinja)
        yield _finding(interface.subject, [names["interface.dns"], names["dns.services"]], found)


def _is_plain(raw: noun_reading.InterfaceAsWritten, interface: InterfaceFacts, names: Names) -> bool:
    """What nearly every interface says, told without a second look: each field is what its column holds."""
    intent, dns = raw.intent, raw.dns
    mac = raw.hardware.get(names["interface.mac"])
    flags = (
        intent.get(names["interface.wake_on_lan"]),
        intent.get(names["interface.management"]),
        dns.get(names["dns.record"]),
        dns.get(names["dns.reservation"]),
    )
    return (
        (mac == interface.mac or (mac == "UNKNOWN" and interface.mac is None))
        and intent.get(names["interface.address"]) == interface.ipv4
        and not intent.get(names["interface.address6"])
        and intent.get(names["interface.segment"]) == interface.segment
        and all(flag is None or isinstance(flag, bool) for flag in flags)
        and (raw.pxe.get(names["pxe.server"]) or "") == interface.pxe_server
        and (raw.pxe.get(names["pxe.file"]) or "") == interface.pxe_file
    )


def _of_fields(
    snapshot: Snapshot,
    interface: InterfaceFacts,
    raw: noun_reading.InterfaceAsWritten,
    own: reading.Own,
    names: Names,
) -> Iterator[Finding]:
    read = noun_reading.read_interface(raw, own, names, lambda name: _network6(snapshot, name))
    for complaint in read.complaints_in_effect(interface):
        yield _finding(interface.subject, complaint.path[1:], complaint.found)
    segment = read.columns["segment"]
    if (
        segment
        and interface.segment is None
        and snapshot.segments
        and segment not in snapshot.segment_by_name
    ):
        yield Finding(
            "segment-undeclared",
            "warning",
            interface.subject,
            f"names the segment {segment}, which is not declared.",
            "Declare the segment, or name the one that the machine is plugged into.",
        )


def _nested(interface: InterfaceFacts, names: Names) -> Iterator[Finding]:
    """Mappings below the interface that are Jinja or sealed as a whole, while no row says anything in their place."""
    served = interface.a_record or interface.reservation
    boots = interface.pxe_server or interface.pxe_file
    for part, path, said in (
        ("hardware", [names["host.hardware"]], interface.mac),
        (
            "intent",
            [names["host.intent"]],
            interface.addressing != "none" or interface.segment or served or boots,
        ),
        ("dns", [names["interface.dns"]], served or boots),
        ("pxe", [names["interface.dns"], names["dns.pxe"]], boots),
    ):
        found = reading.read_mapping(interface.written.get(part, {}).get("value"))
        if found.problem and not said:
            yield _finding(interface.subject, path, found)


def _network6(snapshot: Snapshot, segment: str) -> str | None:
    facts = snapshot.segment_by_name.get(segment)
    return facts.network6 if facts else None


def _zone_then(snapshot: Snapshot) -> Any:
    """The zone by which the service names were read."""
    return snapshot.site.written.get("zone") or snapshot.site.zone
