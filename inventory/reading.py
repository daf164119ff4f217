"""Rows → Snapshot: ten queries whatever the size, never torn, one kept per site and process."""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection, transaction
from django.db.models import CharField, ExpressionWrapper, F, TextField, Value

from inventory.addressing import Range
from inventory.door import open_change
from inventory.models import (
    Authority,
    Group,
    Host,
    Hypervisor,
    Identity,
    Interface,
    Membership,
    Nesting,
    Role,
    Segment,
    Service,
    SeverityOverride,
    Site,
)
from inventory.packed import packed
from inventory.snapshot import (
    AliasFacts,
    AuthorityFacts,
    GroupFacts,
    HostFacts,
    HypervisorFacts,
    IdentityFacts,
    InterfaceFacts,
    OverrideFacts,
    ProfileFacts,
    RoleFacts,
    SealedFile,
    SegmentFacts,
    ServiceFacts,
    SiteFacts,
    Snapshot,
    ZoneSerial,
)

Row = dict[str, Any]


class UnknownSite(LookupError):
    """There is no such site; the message lists those there are."""


_kept: dict[int, Snapshot] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Now:
    """Which state of which site is the newest."""

    site_id: int
    uid: str
    revision: int


def load(slug: str) -> Snapshot:
    """Return the site as declared now. One query when nothing changed since the last call in this process.

    Raises UnknownSite.
    """
    return load_at(current(slug))


def current(slug: str) -> Now:
    """One query. Raises UnknownSite."""
    row = Site.objects.filter(slug=slug).values("pk", "uid", "revision").first()
    if row is None:
        raise unknown_site(slug)
    return Now(row["pk"], str(row["uid"]), row["revision"])


def unknown_site(slug: str) -> UnknownSite:
    known = ", ".join(Site.objects.values_list("slug", flat=True)) or "none yet: import one"
    return UnknownSite(f"There is no site “{slug}”. Sites: {known}.")


def load_at(now: Now) -> Snapshot:
    """Return the site as it is *now*, or newer; no query when this process has that revision."""
    kept = _kept.get(now.site_id)
    if kept and kept.revision == now.revision and kept.site.uid == now.uid and open_change() is None:
        return kept
    inside = connection.in_atomic_block
    with one_moment():
        snapshot = _read(now.site_id)
        while inside and _moved_meanwhile(now.site_id, snapshot.revision):
            snapshot = _read(now.site_id)
    if not inside:  # what a transaction has not committed is nobody else's truth
        keep(now.site_id, snapshot)
    return snapshot


def _moved_meanwhile(site_id: int, revision: int) -> bool:
    """True when the queries since may have seen two states.

    In somebody's READ COMMITTED transaction each query has its own moment, unless it is the writer's.
    """
    if connection.vendor != "postgresql" or open_change() is not None:
        return False
    return Site.objects.values_list("revision", flat=True).get(pk=site_id) != revision


def keep(site_id: int, snapshot: Snapshot) -> None:
    with _lock:
        _kept[site_id] = snapshot


def forget() -> None:
    """Drop every kept Snapshot; for tests that roll the database back."""
    with _lock:
        _kept.clear()


@contextlib.contextmanager
def one_moment() -> Iterator[None]:
    """Let all queries inside see one state of the database, without blocking writers.

    PostgreSQL: REPEATABLE READ. SQLite: a deferred transaction, which under WAL is a snapshot; Django's own
    ``atomic()`` would take the write lock here. Inside an open transaction the reader already has its moment
    (SQLite), or is the writer itself.
    """
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield
    else:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")


def _read(site_id: int) -> Snapshot:
    site: Row = Site.objects.values().get(pk=site_id)
    authorities = _authorities(site_id)
    segments = {row["id"]: _segment(row) for row in Segment.objects.filter(site=site_id).values()}
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
        site=_site(site),
        revision=site["revision"],
        authority=authorities[-1] if authorities else None,
        authorities=authorities,
        roles=_roles(site_id),
        overrides=_overrides(site_id),
        segments=tuple(sorted(segments.values(), key=lambda s: s.name)),
        hosts=tuple(sorted((host for host, _ in hosts.values()), key=lambda h: h.name)),
        groups=_groups(group_rows, above, within, names),
        profiles=tuple(
            ProfileFacts(row["name"], _names(within[row["id"]], names), row["variables"])
            for row in group_rows
            if row["kind"] == Group.Kind.PROFILE
        ),
        aliases=tuple(sorted(aliases, key=lambda alias: alias.name)),
        identities=_identities(site_id),
        sealed=tuple(sorted(sealed, key=lambda s: (s.owner_kind, s.owner, s.path))),
        serials={zone: ZoneSerial(*entry) for zone, entry in sorted(site["zone_serials"].items())},
    )


def _site(row: Row) -> SiteFacts:
    same = (
        "slug", "root_domain", "name", "block", "organisation", "environment", "mac_encoding", "vmid_first", "vmid_last",
        "naming", "variables", "mapping", "written",
    )  # fmt: skip
    return SiteFacts(**{key: row[key] for key in same}, uid=str(row["uid"]))


def _authorities(site_id: int) -> tuple[AuthorityFacts, ...]:
    rows = Authority.objects.filter(site=site_id).order_by("at", "id")
    return tuple(
        AuthorityFacts(mode, by, at.isoformat(), why, host or "")
        for mode, by, at, why, host in rows.values_list(
            "mode", "by_name", "at", "why", "bootstrap_host__name"
        )
    )


def _roles(site_id: int) -> tuple[RoleFacts, ...]:
    rows = Role.objects.filter(site=site_id).values_list("slug", "code", "title")
    return tuple(sorted((RoleFacts(*row) for row in rows), key=lambda role: role.slug))


def _overrides(site_id: int) -> tuple[OverrideFacts, ...]:
    rows = SeverityOverride.objects.filter(site=site_id).values_list(
        "finding", "severity", "why", "expires", "subject"
    )
    return tuple(
        sorted(
            (
                OverrideFacts(finding, severity, why, expires.isoformat(), subject)
                for finding, severity, why, expires, subject in rows
            ),
            key=lambda override: (override.finding, override.subject),
        )
    )


def _segment(row: Row) -> SegmentFacts:
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


def host_facts(
    site_id: int,
    segments: dict[int, str],
    ids: list[int] | None = None,
    *,
    aliases: list[AliasFacts] | None = None,
) -> dict[int, tuple[HostFacts, dict[str, str]]]:
    """Return host id → (facts, its sealed files) for the hosts of a site, or for those in *ids*. Four queries.

    The aliases of the services seen on the way are added to *aliases*.
    """
    only_hosts: dict[str, Any] = {"site": site_id} if ids is None else {"pk__in": ids}
    only_parts: dict[str, Any] = {"host__site": site_id} if ids is None else {"host__in": ids}
    rows = list(
        _with_text(Host.objects.filter(**only_hosts), HOST_PACKED).values(
            *HOST_COLUMNS, *map(_text_of, HOST_PACKED), "id", "sealed", "role__slug", "hypervisor__name"
        )
    )
    proxmox = {
        host_id: HypervisorFacts(*rest)
        for host_id, *rest in Hypervisor.objects.filter(**only_parts).values_list(
            "host_id", *HYPERVISOR_COLUMNS
        )
    }
    names = {row["id"]: row["name"] for row in rows}
    interfaces: dict[int, list[tuple[int, str, InterfaceFacts]]] = defaultdict(list)
    found = _with_text(Interface.objects.filter(**only_parts), INTERFACE_PACKED)
    for row in found.values_list(
        "host_id",
        "position",
        "segment_id",
        "switch__name",
        "ipv6",
        *map(_text_of, INTERFACE_PACKED),
        *INTERFACE_COLUMNS,
    ):
        host_id, position, segment_id, switch, ipv6, variables, written, *rest = row
        interface = InterfaceFacts(
            names[host_id],
            segment=segments.get(segment_id),
            switch=switch,
            ipv6=tuple(ipv6),
            variables=packed(variables),
            written=packed(written),
            **dict(zip(INTERFACE_COLUMNS, rest, strict=True)),
        )
        interfaces[host_id].append((position, interface.name, interface))
    services: dict[int, dict[int, ServiceFacts]] = defaultdict(dict)
    carried = Service.objects.filter(**only_parts)
    for pk, host_id, alias, *rest in carried.values_list("id", "host_id", "aliases__name", *SERVICE_COLUMNS):
        service = ServiceFacts(host=names[host_id], **dict(zip(SERVICE_COLUMNS, rest, strict=True)))
        services[host_id][pk] = service
        if alias and aliases is not None:
            aliases.append(AliasFacts(alias, service.label))
    return {
        row["id"]: (
            HostFacts(
                **{key: row[key] for key in HOST_COLUMNS},
                **{key: packed(row[_text_of(key)]) for key in HOST_PACKED},  # type: ignore[arg-type]
                role=row["role__slug"] or "",
                hypervisor=row["hypervisor__name"] or "",
                proxmox=proxmox.get(row["id"]),
                interfaces=tuple(facts for _, _, facts in sorted(interfaces[row["id"]], key=lambda i: i[:2])),
                services=tuple(sorted(services[row["id"]].values(), key=lambda s: (s.name, s.tenant))),
            ),
            row["sealed"],
        )
        for row in rows
    }


HOST_COLUMNS = ("name", "form", "vmid", "status", "plane", "platform", "location", "notes")
HOST_PACKED = ("access", "out_of_band", "variables", "written")
INTERFACE_COLUMNS = (
    "name", "mac", "mac_kind", "addressing", "ipv4", "a_record", "reservation", "management", "wake_on_lan", "primary",
    "bootstrap_ipv4", "pxe_server", "pxe_file", "switch_port",
)  # fmt: skip
INTERFACE_PACKED = ("variables", "written")
HYPERVISOR_COLUMNS = (
    "api_url", "node", "token_id", "secret", "ca_file", "fingerprint", "storage", "bridge", "pool",
)  # fmt: skip
SERVICE_COLUMNS = ("name", "tenant", "port", "health_check", "metrics_path")


def _text_of(column: str) -> str:
    return f"{column}_text"


def _with_text(rows: Any, columns: tuple[str, ...]) -> Any:
    """Have JSON *columns* come as text, which is unpacked only where somebody looks."""
    return rows.annotate(
        **{_text_of(column): ExpressionWrapper(F(column), output_field=TextField()) for column in columns}
    )


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


def _identities(site_id: int) -> tuple[IdentityFacts, ...]:
    """All but the plainly held ones, which the hosts themselves say, and the released ones, which nobody claims."""
    return _ledger_rows(site_id, "quarantined", "disputed")


def with_ledger(snapshot: Snapshot, site_id: int) -> Snapshot:
    """Return the site with the plainly held identities as well: who has what since when.

    Several times the size of the rest, and wanted by the site document alone, so nobody keeps it. Newer than *snapshot*
    when the site moved on meanwhile.
    """
    with one_moment():
        held = _ledger_rows(site_id, "held")
        revision = Site.objects.values_list("revision", flat=True).get(pk=site_id)
        newest = snapshot if revision == snapshot.revision else _read(site_id)
    return replace(newest, held=held)


def _ledger_rows(site_id: int, *states: str) -> tuple[IdentityFacts, ...]:
    rows = Identity.objects.filter(site=site_id, state__in=states).values_list(
        "kind", "value", "state", "host_name", "since", "until"
    )
    return tuple(
        sorted(
            (
                IdentityFacts(kind, value, state, host, since.isoformat(), until.isoformat() if until else "")
                for kind, value, state, host, since, until in rows
            ),
            key=lambda i: (i.kind, i.value, i.state, i.host),
        )
    )


def _sealed(kind: Any, owner: str, files: dict[str, str]) -> Iterator[SealedFile]:
    for path, text in files.items():
        yield SealedFile(kind, owner, path, text)
