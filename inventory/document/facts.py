"""Values of a document as facts, and facts as a draft. The form of the values was checked before."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from inventory.addressing import Range
from inventory.automating import prompts
from inventory.exports.site import automation, nouns
from inventory.exports.site.vocabulary import Schema
from inventory.exports.site.writing import implied_addressing
from inventory.packed import from_text
from inventory.snapshot import (
    AliasFacts,
    AuthorityFacts,
    EmergencyUseFacts,
    GroupFacts,
    HostFacts,
    HypervisorFacts,
    IdentityFacts,
    InterfaceFacts,
    JobTemplateFacts,
    KitPlaceFacts,
    MachineFacts,
    OverrideFacts,
    ProfileFacts,
    ProjectFacts,
    RoleFacts,
    ScheduleFacts,
    SealedFile,
    SegmentFacts,
    ServiceFacts,
    SiteFacts,
    Snapshot,
    ZoneSerial,
)

Values = Mapping[str, Any]
#: Noun → the field of a Snapshot that holds it, where that is all there is to it.
TUPLES = {
    "authority": "authorities",
    "roles": "roles",
    "severities": "overrides",
    "emergency_uses": "emergency_uses",
    "segments": "segments",
    "hosts": "hosts",
    "groups": "groups",
    "profiles": "profiles",
    "aliases": "aliases",
    "schedules": "schedules",
    "projects": "projects",
    "templates": "templates",
    "kit_places": "kit_places",
    "sealed": "sealed",
}


def merged(stored: Snapshot | None, values: Values) -> Snapshot:
    """The site as it will be: what the document says, and what it leaves out as it is stored.

    Hosts that the document no longer names are retired.
    """
    base = stored or Snapshot(SiteFacts(values["site"], ""))
    site: dict[str, Any] = {}
    if "facts" in values:
        site |= plain_fields(values["facts"], nouns.FACTS)
    site |= {key: _mapping(values[key]) for key in ("naming", "mapping", "variables") if key in values}
    shapes = values.get("shapes")
    if shapes is not None:
        site["written"] = _mapping(shapes.get("site", {}))
    found = {field: _FACTS[noun](values[noun]) for noun, field in TUPLES.items() if noun in values}
    if "hosts" in values:
        found["hosts"] = (*_with_machines(found["hosts"], base, values), *_retired(base, values["hosts"]))
    post = replace(base, site=replace(base.site, **site), **found)
    post = replace(post, authority=post.authorities[-1] if post.authorities else None)
    return _with_shapes(post, base, values, shapes)


def _with_machines(hosts: Iterable[HostFacts], base: Snapshot, values: Values) -> Iterator[HostFacts]:
    """A document from before there were specifications takes none away: a host that names none keeps the one it has."""
    for host in hosts:
        before = base.host_by_name.get(host.name)
        if before is not None and before.machine and "machine" not in values["hosts"][host.name]:
            host = replace(host, machine=before.machine)
        yield host


def _retired(base: Snapshot, named: Values) -> list[HostFacts]:
    return [replace(host, status="retired") for host in base.hosts if host.name not in named]


def _with_shapes(post: Snapshot, base: Snapshot, values: Values, shapes: Values | None) -> Snapshot:
    """A document without shapes leaves those that there are."""
    if shapes is None:
        return _with_stored_shapes(post, base)
    segments, hosts, interfaces = (shapes.get(key, {}) for key in ("segments", "hosts", "interfaces"))
    if "segments" in values:
        written = (replace(one, written=_mapping(segments.get(one.name, {}))) for one in post.segments)
        post = replace(post, segments=tuple(written))
    if "hosts" not in values:
        return post
    named = values["hosts"]
    return replace(
        post,
        hosts=tuple(
            _shaped(host, hosts.get(host.name, {}), interfaces.get(host.name, {}))
            if host.name in named
            else host
            for host in post.hosts
        ),
    )


def _shaped(host: HostFacts, own: Any, interfaces: Values) -> HostFacts:
    below = tuple(replace(one, written=_mapping(interfaces.get(one.name, {}))) for one in host.interfaces)
    return replace(host, written=_mapping(own), interfaces=below)


def _with_stored_shapes(post: Snapshot, base: Snapshot) -> Snapshot:
    """Only for judging: the rows keep theirs."""
    segments = tuple(
        replace(one, written=base.segment_by_name[one.name].written)
        if one.name in base.segment_by_name
        else one
        for one in post.segments
    )
    hosts = []
    for host in post.hosts:
        before = base.host_by_name.get(host.name)
        if before is not None and before is not host:
            shapes = {one.name: one.written for one in before.interfaces}
            below = tuple(replace(one, written=shapes.get(one.name, {})) for one in host.interfaces)
            host = replace(host, written=before.written, interfaces=below)
        hosts.append(host)
    return replace(post, segments=segments, hosts=tuple(hosts))


# --- one noun at a time ---


def _mapping(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = from_text(value) if isinstance(value, str) else dict(value)
    return found


def plain_fields(values: Values, table: Schema) -> dict[str, Any]:
    """Every key of *table*: its value, else its default."""
    out = {}
    for key, rule in table["properties"].items():
        value = values.get(key, rule.get("default"))
        if rule.get("format") == "json-mapping":
            value = _mapping(value)
        elif rule.get("type") == "array" and value is not None:
            value = tuple(value)
        out[key] = value
    return out


def range_of(value: Any) -> Range | None:
    return Range(*value) if value else None


def _segments(values: Values) -> tuple[SegmentFacts, ...]:
    out = []
    for name, one in values.items():
        columns = plain_fields(one, nouns.SEGMENT)
        columns |= {key: range_of(columns[key]) for key in ("pool", "static_range")}
        columns["delegated"] = tuple(Range(*ends) for ends in columns["delegated"])
        out.append(SegmentFacts(name, **columns))
    return tuple(out)


def _hosts(values: Values) -> tuple[HostFacts, ...]:
    return tuple(_host(name, one) for name, one in values.items())


def _host(name: str, values: Values) -> HostFacts:
    columns = plain_fields(values, nouns.HOST)
    if columns["proxmox"] is not None:
        columns["proxmox"] = HypervisorFacts(**plain_fields(columns["proxmox"], nouns.PROXMOX))
    if columns["machine"] is not None:
        columns["machine"] = MachineFacts(**plain_fields(columns["machine"], nouns.MACHINE))
    columns["interfaces"] = tuple(_interface(name, key, one) for key, one in columns["interfaces"].items())
    columns["services"] = services_of(name, columns["services"])
    return HostFacts(name, **columns)


def services_of(host: str, values: Iterable[Values]) -> tuple[ServiceFacts, ...]:
    return tuple(ServiceFacts(host=host, **plain_fields(one, nouns.SERVICE)) for one in values)


def _interface(host: str, name: str, values: Values) -> InterfaceFacts:
    columns = plain_fields(values, nouns.INTERFACE)
    if columns["addressing"] is None:
        columns["addressing"] = implied_addressing(bool(columns["ipv4"] or columns["ipv6"]))
    return InterfaceFacts(host, name, **columns)


def _authorities(values: list[Values]) -> tuple[AuthorityFacts, ...]:
    found = (
        AuthorityFacts(**{**plain_fields(one, nouns.AUTHORITY), "at": moment(one["at"])}) for one in values
    )
    return tuple(found)


def moment(text: str) -> str:
    """*text* in the one spelling that an export has."""
    return datetime.datetime.fromisoformat(text).astimezone(datetime.UTC).isoformat()


def _uses(values: list[Values]) -> tuple[EmergencyUseFacts, ...]:
    found = []
    for one in values:
        fields = plain_fields(one, nouns.EMERGENCY_USE)
        done = moment(fields["done_at"]) if fields["done_at"] else ""
        found.append(EmergencyUseFacts(**{**fields, "at": moment(one["at"]), "done_at": done}))
    return tuple(found)


def _template(name: str, values: Values) -> JobTemplateFacts:
    columns = plain_fields(values, automation.TEMPLATE)
    columns["prompts"] = prompts.stored(columns["prompts"])
    columns["vault_secrets"] = tuple(sorted(columns["vault_secrets"].items()))
    return JobTemplateFacts(name, **columns)


def _sealed(values: Values) -> tuple[SealedFile, ...]:
    return tuple(
        SealedFile(kind, owner, path, text)
        for kind in ("group", "host")
        for owner, files in values.get(f"{kind}s", {}).items()
        for path, text in files.items()
    )


_FACTS: dict[str, Any] = {
    "authority": _authorities,
    "roles": lambda values: tuple(
        RoleFacts(slug, **plain_fields(one, nouns.ROLE)) for slug, one in values.items()
    ),
    "severities": lambda values: tuple(OverrideFacts(**plain_fields(one, nouns.SEVERITY)) for one in values),
    "emergency_uses": _uses,
    "segments": _segments,
    "hosts": _hosts,
    "groups": lambda values: tuple(
        GroupFacts(name, **plain_fields(one, nouns.GROUP)) for name, one in values.items()
    ),
    "profiles": lambda values: tuple(
        ProfileFacts(name, **plain_fields(one, nouns.PROFILE)) for name, one in values.items()
    ),
    "aliases": lambda values: tuple(AliasFacts(name, service) for name, service in values.items()),
    "schedules": lambda values: tuple(
        ScheduleFacts(name, **plain_fields(one, nouns.SCHEDULE)) for name, one in values.items()
    ),
    "projects": lambda values: tuple(
        ProjectFacts(name, **plain_fields(one, automation.PROJECT)) for name, one in values.items()
    ),
    "kit_places": lambda values: tuple(
        KitPlaceFacts(name, **plain_fields(one, nouns.KIT_PLACE)) for name, one in values.items()
    ),
    "templates": lambda values: tuple(_template(name, one) for name, one in values.items()),
    "sealed": _sealed,
}


# --- the ledger ---


def serials(values: Values) -> dict[str, ZoneSerial]:
    return {zone: ZoneSerial(*entry) for zone, entry in values.get("serials", {}).items()}


def identities(values: Values) -> tuple[IdentityFacts, ...]:
    found = []
    for state, kinds in values.get("identities", {}).items():
        for kind, lines in kinds.items():
            for value, line in lines.items():
                claims = line.items() if state == "disputed" else [(line[0], line[1])]
                until = line[2] if state == "quarantined" else None
                for host, since in claims:
                    moments = (moment(since), moment(until) if until else "")
                    found.append(IdentityFacts(kind, value, state, host, *moments))
    return tuple(found)
