"""A whole site: what it says of itself, its registers, segments, hosts and groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from django.db.models import CharField, DateTimeField, F, IntegerField, TextField, Value
from django.db.models.functions import Cast

from inventory.addressing import Range
from inventory.models import (
    Authority,
    EmergencyUse,
    Group,
    HostNeed,
    Identity,
    JobTemplate,
    KitPlace,
    Membership,
    Nesting,
    Project,
    Role,
    Schedule,
    Segment,
    SeverityOverride,
    Site,
)
from inventory.models.segments import WAYS_IN
from inventory.packed import from_text
from inventory.rows import automation
from inventory.rows.hosts import host_facts
from inventory.snapshot import (
    AliasFacts,
    AuthorityFacts,
    EmergencyUseFacts,
    GroupFacts,
    IdentityFacts,
    KitPlaceFacts,
    OverrideFacts,
    ProfileFacts,
    RoleFacts,
    ScheduleFacts,
    SealedFile,
    SegmentFacts,
    SiteFacts,
    Snapshot,
    ZoneSerial,
)

Row = dict[str, Any]
Links = dict[int, list[int]]
#: columns of text in a register
TEXTS = len(automation.TEMPLATE)


def read_site(site_id: int) -> Snapshot:
    """The site as the database has it now; the caller sees to one moment."""
    found: Any = Site.objects.values().get(pk=site_id)
    site: Row = found
    registers = _registers(site_id)
    authorities = _authorities(registers["authority"])
    segments = {row["id"]: segment_facts(row) for row in _segment_rows(site_id)}
    aliases: list[AliasFacts] = []
    hosts = host_facts(site_id, {pk: facts.name for pk, facts in segments.items()}, aliases=aliases)
    group_rows = sorted(_group_rows(site_id), key=lambda row: row["name"])
    above, within, needs = _links(site_id)
    sealed = [
        *_sealed("group", "all", site["sealed"]),
        *(s for row in group_rows for s in _sealed("group", row["name"], row["sealed"])),
        *(s for host, files in hosts.values() for s in _sealed("host", host.name, files)),
    ]
    names = {pk: host.name for pk, (host, _) in hosts.items()}
    needing = (
        replace(host, needs=tuple(names[one] for one in needs[pk])) if pk in needs else host
        for pk, (host, _) in hosts.items()
    )
    return Snapshot(
        site=site_facts(site),
        revision=site["revision"],
        authority=authorities[-1] if authorities else None,
        authorities=authorities,
        roles=_roles(registers["role"]),
        overrides=_overrides(registers["override"]),
        emergency_uses=_uses(registers["emergency"]),
        segments=tuple(sorted(segments.values(), key=lambda s: s.name)),
        hosts=tuple(sorted(needing, key=lambda h: h.name)),
        groups=_groups(group_rows, above, within, names),
        profiles=_profiles(group_rows, within, names),
        aliases=tuple(sorted(aliases, key=lambda alias: alias.name)),
        schedules=_schedules(registers["schedule"]),
        projects=automation.projects(registers["project"]),
        templates=automation.templates(registers["template"]),
        kit_places=_kit_places(registers["kit place"]),
        identities=_identities(registers["identity"]),
        sealed=tuple(sorted(sealed, key=lambda s: (s.owner_kind, s.owner, s.path))),
        serials={zone: ZoneSerial(*entry) for zone, entry in sorted(site["zone_serials"].items())},
    )


def site_facts(row: Row) -> SiteFacts:
    same = (
        "slug", "root_domain", "name", "block", "organisation", "environment", "mac_encoding", "vmid_first", "vmid_last",
        "naming", "variables", "mapping", "written", "emergency_who", "emergency_how", "emergency_secret",
        "emergency_after", "epoch", "live_copy",
    )  # fmt: skip
    return SiteFacts(**{key: row[key] for key in same}, uid=str(row["uid"]))


def _registers(site_id: int) -> dict[str, list[tuple[Any, ...]]]:
    """What a site has few of, from one query: table → its rows, as columns of text and moments."""
    text = [*_registers_of_rules(site_id), *_registers_of_work(site_id)]
    found: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for what, *columns in text[0].union(*text[1:], all=True):
        found[what].append(tuple(columns))
    return found


def _registers_of_rules(site_id: int) -> list[Any]:
    """What decides over hosts: identities that are taken, roles, overrides, who serves."""
    return [
        _register(
            "identity",
            Identity.objects.filter(site=site_id, state__in=["quarantined", "disputed"]),
            ("kind", "value", "state", "host_name"),
            since=F("since"),
            until=F("until"),
        ),
        _register(
            "role",
            Role.objects.filter(site=site_id),
            ("slug", "code", "title", "configure_template__name", "retire_template__name"),
        ),
        _register(
            "override",
            SeverityOverride.objects.filter(site=site_id),
            ("finding", "severity", "why", "expires", "subject"),
        ),
        _register(
            "emergency",
            EmergencyUse.objects.filter(site=site_id),
            ("who", "why", "done_by"),
            since=F("at"),
            until=F("done_at"),
        ),
        _register(
            "authority",
            Authority.objects.filter(site=site_id),
            ("mode", "by_name", "why", "bootstrap_host__name", "pk"),
            since=F("at"),
        ),
    ]


def _registers_of_work(site_id: int) -> list[Any]:
    """What runs: schedules, projects, job templates; and where kits go."""
    return [
        _register(
            "schedule",
            Schedule.objects.filter(site=site_id).annotate(on=Cast("enabled", IntegerField())),
            ("name", "kind", "parameters", "cron", "every_hours", "time_zone", "on", "owner", "why"),
        ),
        _register(
            "kit place",
            KitPlace.objects.filter(site=site_id).annotate(
                on=Cast("enabled", IntegerField()), confirmed=Cast("private", IntegerField())
            ),
            ("name", "kind", "location", "confirmed", "host_key", "key", "on"),
        ),
        _register("project", Project.objects.filter(site=site_id), automation.PROJECT),
        _register(
            "template",
            JobTemplate.objects.filter(site=site_id).annotate(
                **{name: Cast(column, IntegerField()) for name, column in automation.FLAGS.items()}
            ),
            automation.TEMPLATE,
        ),
    ]


def _register(what: str, rows: Any, names: tuple[str, ...], **moments: Any) -> Any:
    """*rows* as (what, columns of text, two moments), so that tables of different kinds fit one query."""
    nothing = Value(None, output_field=DateTimeField())
    columns: dict[str, Any] = {f"text{i}": Cast(name, TextField()) for i, name in enumerate(names)}
    columns |= {f"text{i}": Value("", output_field=TextField()) for i in range(len(names), TEXTS)}
    columns |= {f"moment{i}": moments.get(name, nothing) for i, name in enumerate(("since", "until"))}
    return rows.order_by().annotate(what=Value(what, TextField()), **columns).values_list("what", *columns)


def _authorities(rows: list[tuple[Any, ...]]) -> tuple[AuthorityFacts, ...]:
    return tuple(
        AuthorityFacts(mode, by, at.isoformat(), why, host or "")
        for mode, by, why, host, pk, at, _ in sorted(
            ((*row[:5], *row[TEXTS:]) for row in rows), key=lambda row: (row[5], int(row[4]))
        )
    )


def _roles(rows: list[tuple[Any, ...]]) -> tuple[RoleFacts, ...]:
    facts = (RoleFacts(*(text or "" for text in row[:5])) for row in rows)
    return tuple(sorted(facts, key=lambda role: role.slug))


def _overrides(rows: list[tuple[Any, ...]]) -> tuple[OverrideFacts, ...]:
    facts = (OverrideFacts(*row[:5]) for row in rows)
    return tuple(sorted(facts, key=lambda override: (override.finding, override.subject)))


def _uses(rows: list[tuple[Any, ...]]) -> tuple[EmergencyUseFacts, ...]:
    facts = (
        EmergencyUseFacts(at.isoformat(), who, why, done.isoformat() if done else "", by or "")
        for who, why, by, at, done in ((*row[:3], *row[TEXTS:]) for row in rows)
    )
    return tuple(sorted(facts, key=lambda use: (use.at, use.who)))


def _schedules(rows: list[tuple[Any, ...]]) -> tuple[ScheduleFacts, ...]:
    facts = (
        ScheduleFacts(
            name,
            kind,
            from_text(parameters),
            cron,
            int(hours) if hours else None,
            zone,
            on == "1",
            owner,
            why,
        )
        for name, kind, parameters, cron, hours, zone, on, owner, why, *_ in rows
    )
    return tuple(sorted(facts, key=lambda schedule: schedule.name))


def _kit_places(rows: list[tuple[Any, ...]]) -> tuple[KitPlaceFacts, ...]:
    facts = (
        KitPlaceFacts(name, kind, location, private == "1", host_key, key, on == "1")
        for name, kind, location, private, host_key, key, on, *_ in rows
    )
    return tuple(sorted(facts, key=lambda place: place.name))


def _identities(rows: list[tuple[Any, ...]]) -> tuple[IdentityFacts, ...]:
    """All but the plainly held ones, which the hosts themselves say, and the released ones, which nobody claims."""
    return in_order((*row[:4], *row[TEXTS:]) for row in rows)


def in_order(rows: Iterable[tuple[Any, ...]]) -> tuple[IdentityFacts, ...]:
    """Lines of the ledger, from (kind, value, state, host, since, until)."""
    facts = (
        IdentityFacts(kind, value, state, host, since.isoformat(), until.isoformat() if until else "")
        for kind, value, state, host, since, until in rows
    )
    return tuple(sorted(facts, key=lambda i: (i.kind, i.value, i.state, i.host)))


def _segment_rows(site_id: int) -> Any:
    named = {f"{field}_name": F(f"{field}__name") for field in WAYS_IN}
    return Segment.objects.filter(site=site_id).annotate(**named).values()


def segment_facts(row: Row) -> SegmentFacts:
    same = (
        "name", "vlan", "network4", "network6", "gateway4", "gateway6", "policy", "next_server", "trust", "suffix",
        "variables", "written",
    )  # fmt: skip
    ways: Row = {field: row.get(f"{field}_name") or "" for field in WAYS_IN}
    return SegmentFacts(
        **{key: row[key] for key in same},
        **ways,
        pool=_range(row["pool_first"], row["pool_last"]),
        static_range=_range(row["static_first"], row["static_last"]),
        delegated=tuple(Range(first, last) for first, last in row["delegated"]),
        dns_servers=tuple(row["dns_servers"]),
        search_domains=tuple(row["search_domains"]),
    )


def _range(first: str | None, last: str | None) -> Range | None:
    return Range(first, last) if first and last else None


def _links(site_id: int) -> tuple[Links, Links, Links]:
    """Return parent → children, group → hosts and host → hosts that it needs, by id, from one query."""
    nested = Nesting.objects.filter(parent__site=site_id).annotate(what=Value("nesting", CharField()))
    members = Membership.objects.filter(group__site=site_id).annotate(what=Value("member", CharField()))
    needed = HostNeed.objects.filter(host__site=site_id).annotate(what=Value("need", CharField()))
    place = Value(0, IntegerField())
    rows = nested.values_list("what", "parent_id", "child_id", place).union(
        members.values_list("what", F("group_id"), F("host_id"), place),
        needed.order_by().values_list("what", F("host_id"), F("needed_id"), F("position")),
        all=True,
    )
    found: dict[str, Links] = {what: defaultdict(list) for what in ("nesting", "member", "need")}
    for what, outer, inner, _ in sorted(rows, key=lambda row: (row[3], row[2])):
        found[what][outer].append(inner)
    return found["nesting"], found["member"], found["need"]


def _names(ids: list[int], names: dict[int, str]) -> tuple[str, ...]:
    return tuple(sorted(names[pk] for pk in ids))


def _group_rows(site_id: int) -> Any:
    named = {"configure": F("configure_template__name"), "retire": F("retire_template__name")}
    return Group.objects.filter(site=site_id).annotate(**named).values()


def _profiles(
    rows: list[Row], within: dict[int, list[int]], hosts: dict[int, str]
) -> tuple[ProfileFacts, ...]:
    return tuple(
        ProfileFacts(
            row["name"],
            _names(within[row["id"]], hosts),
            row["variables"],
            row["configure"] or "",
            row["retire"] or "",
        )
        for row in rows
        if row["kind"] == Group.Kind.PROFILE
    )


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
