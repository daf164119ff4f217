"""A whole site: what it says of itself, its registers, segments, hosts and groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import CharField, DateTimeField, F, TextField, Value
from django.db.models.functions import Cast

from inventory.addressing import Range
from inventory.models import (
    Authority,
    Group,
    Identity,
    Membership,
    Nesting,
    Role,
    Segment,
    SeverityOverride,
    Site,
)
from inventory.rows.hosts import host_facts
from inventory.snapshot import (
    AliasFacts,
    AuthorityFacts,
    GroupFacts,
    IdentityFacts,
    OverrideFacts,
    ProfileFacts,
    RoleFacts,
    SealedFile,
    SegmentFacts,
    SiteFacts,
    Snapshot,
    ZoneSerial,
)

Row = dict[str, Any]


def read_site(site_id: int) -> Snapshot:
    """The site as the database has it now; the caller sees to one moment."""
    found: Any = Site.objects.values().get(pk=site_id)
    site: Row = found
    registers = _registers(site_id)
    authorities = _authorities(registers["authority"])
    segments = {row["id"]: segment_facts(row) for row in Segment.objects.filter(site=site_id).values()}
    aliases: list[AliasFacts] = []
    hosts = host_facts(site_id, {pk: facts.name for pk, facts in segments.items()}, aliases=aliases)
    group_rows = sorted(Group.objects.filter(site=site_id).values(), key=lambda row: row["name"])
    above, within = _links(site_id)
    sealed = [
        *_sealed("group", "all", site["sealed"]),
        *(s for row in group_rows for s in _sealed("group", row["name"], row["sealed"])),
        *(s for host, files in hosts.values() for s in _sealed("host", host.name, files)),
    ]
    names = {pk: host.name for pk, (host, _) in hosts.items()}
    return Snapshot(
        site=site_facts(site),
        revision=site["revision"],
        authority=authorities[-1] if authorities else None,
        authorities=authorities,
        roles=_roles(registers["role"]),
        overrides=_overrides(registers["override"]),
        segments=tuple(sorted(segments.values(), key=lambda s: s.name)),
        hosts=tuple(sorted((host for host, _ in hosts.values()), key=lambda h: h.name)),
        groups=_groups(group_rows, above, within, names),
        profiles=tuple(
            ProfileFacts(row["name"], _names(within[row["id"]], names), row["variables"])
            for row in group_rows
            if row["kind"] == Group.Kind.PROFILE
        ),
        aliases=tuple(sorted(aliases, key=lambda alias: alias.name)),
        identities=_identities(registers["identity"]),
        sealed=tuple(sorted(sealed, key=lambda s: (s.owner_kind, s.owner, s.path))),
        serials={zone: ZoneSerial(*entry) for zone, entry in sorted(site["zone_serials"].items())},
    )


def site_facts(row: Row) -> SiteFacts:
    same = (
        "slug", "root_domain", "name", "block", "organisation", "environment", "mac_encoding", "vmid_first", "vmid_last",
        "naming", "variables", "mapping", "written",
    )  # fmt: skip
    return SiteFacts(**{key: row[key] for key in same}, uid=str(row["uid"]))


def _registers(site_id: int) -> dict[str, list[tuple[Any, ...]]]:
    """What a site has few of, from one query: table → its rows, as columns of text and moments."""
    text = [
        _register(
            "identity",
            Identity.objects.filter(site=site_id, state__in=["quarantined", "disputed"]),
            ("kind", "value", "state", "host_name"),
            since=F("since"),
            until=F("until"),
        ),
        _register("role", Role.objects.filter(site=site_id), ("slug", "code", "title")),
        _register(
            "override",
            SeverityOverride.objects.filter(site=site_id),
            ("finding", "severity", "why", "expires", "subject"),
        ),
        _register(
            "authority",
            Authority.objects.filter(site=site_id),
            ("mode", "by_name", "why", "bootstrap_host__name", "pk"),
            since=F("at"),
        ),
    ]
    found: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for what, *columns in text[0].union(*text[1:], all=True):
        found[what].append(tuple(columns))
    return found


def _register(what: str, rows: Any, names: tuple[str, ...], **moments: Any) -> Any:
    """*rows* as (what, five columns of text, two moments), so that tables of different kinds fit one query."""
    nothing = Value(None, output_field=DateTimeField())
    columns: dict[str, Any] = {f"text{i}": Cast(name, TextField()) for i, name in enumerate(names)}
    columns |= {f"text{i}": Value("", output_field=TextField()) for i in range(len(names), 5)}
    columns |= {f"moment{i}": moments.get(name, nothing) for i, name in enumerate(("since", "until"))}
    return rows.order_by().annotate(what=Value(what, TextField()), **columns).values_list("what", *columns)


def _authorities(rows: list[tuple[Any, ...]]) -> tuple[AuthorityFacts, ...]:
    return tuple(
        AuthorityFacts(mode, by, at.isoformat(), why, host or "")
        for mode, by, why, host, pk, at, _ in sorted(rows, key=lambda row: (row[5], int(row[4])))
    )


def _roles(rows: list[tuple[Any, ...]]) -> tuple[RoleFacts, ...]:
    return tuple(sorted((RoleFacts(*row[:3]) for row in rows), key=lambda role: role.slug))


def _overrides(rows: list[tuple[Any, ...]]) -> tuple[OverrideFacts, ...]:
    facts = (OverrideFacts(*row[:5]) for row in rows)
    return tuple(sorted(facts, key=lambda override: (override.finding, override.subject)))


def _identities(rows: list[tuple[Any, ...]]) -> tuple[IdentityFacts, ...]:
    """All but the plainly held ones, which the hosts themselves say, and the released ones, which nobody claims."""
    return in_order((*row[:4], row[5], row[6]) for row in rows)


def in_order(rows: Iterable[tuple[Any, ...]]) -> tuple[IdentityFacts, ...]:
    """Lines of the ledger, from (kind, value, state, host, since, until)."""
    facts = (
        IdentityFacts(kind, value, state, host, since.isoformat(), until.isoformat() if until else "")
        for kind, value, state, host, since, until in rows
    )
    return tuple(sorted(facts, key=lambda i: (i.kind, i.value, i.state, i.host)))


def segment_facts(row: Row) -> SegmentFacts:
    same = (
        "name", "vlan", "network4", "network6", "gateway4", "gateway6", "policy", "next_server", "trust", "suffix",
        "variables", "written",
    )  # fmt: skip
    return SegmentFacts(
        **{key: row[key] for key in same},
        pool=_range(row["pool_first"], row["pool_last"]),
        static_range=_range(row["static_first"], row["static_last"]),
        delegated=tuple(Range(first, last) for first, last in row["delegated"]),
        dns_servers=tuple(row["dns_servers"]),
        search_domains=tuple(row["search_domains"]),
    )


def _range(first: str | None, last: str | None) -> Range | None:
    return Range(first, last) if first and last else None


def _links(site_id: int) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """Return parent → children and group → hosts, by id, from one query."""
    nested = Nesting.objects.filter(parent__site=site_id).annotate(what=Value("nesting", CharField()))
    members = Membership.objects.filter(group__site=site_id).annotate(what=Value("member", CharField()))
    rows = nested.values_list("what", "parent_id", "child_id").union(
        members.values_list("what", F("group_id"), F("host_id")), all=True
    )
    children: dict[int, list[int]] = defaultdict(list)
    hosts: dict[int, list[int]] = defaultdict(list)
    for what, outer, inner in rows:
        (children if what == "nesting" else hosts)[outer].append(inner)
    return children, hosts


def _names(ids: list[int], names: dict[int, str]) -> tuple[str, ...]:
    return tuple(sorted(names[pk] for pk in ids))


def _groups(
    rows: list[Row], above: dict[int, list[int]], within: dict[int, list[int]], hosts: dict[int, str]
) -> tuple[GroupFacts, ...]:
    plain = [row for row in rows if row["kind"] == Group.Kind.GROUP]
    names = {row["id"]: row["name"] for row in plain}
    return tuple(
        GroupFacts(
            name=row["name"],
            children=_names(above[row["id"]], names),
            hosts=_names(within[row["id"]], hosts),
            variables=row["variables"],
            priority=row["priority"],
        )
        for row in plain
    )


def _sealed(kind: Any, owner: str, files: dict[str, str]) -> Iterator[SealedFile]:
    for path, text in files.items():
        yield SealedFile(kind, owner, path, text)
