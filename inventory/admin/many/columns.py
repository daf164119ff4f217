"""What the CSV of a list has, noun by noun, where that is more than it shows: as its table is imported, or declared."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch, QuerySet

from inventory.models import Group, Membership

#: Header → a dotted path from the row, or a function of it.
Columns = Mapping[str, str | Callable[[Any], Any]]


@dataclass(frozen=True)
class ListTable:
    columns: Columns
    #: what the import calls it; empty: no table of it is imported
    noun: str
    #: the rows with what the columns need fetched beside them
    rows: Callable[[QuerySet[Any]], QuerySet[Any]] = lambda rows: rows


def _primary(host: Any) -> Any:
    from inventory.admin.hosts import primary_of

    return primary_of(host.in_order)


def _of_primary(what: str) -> Callable[[Any], Any]:
    def found(host: Any) -> Any:
        interface = _primary(host)
        return getattr(interface, what) if interface is not None else ""

    return found


def _groups(host: Any) -> list[str]:
    return sorted(membership.group.name for membership in host.in_groups)


def _with_groups(hosts: QuerySet[Any]) -> QuerySet[Any]:
    members = Membership.objects.filter(group__kind=Group.Kind.GROUP).select_related("group")
    named = members.only("host", "group__name")
    return hosts.prefetch_related(Prefetch("memberships", queryset=named, to_attr="in_groups"))


def _parents(group: Any) -> list[str]:
    return sorted(parent.name for parent in group.parents.all())


TABLES: Mapping[str, ListTable] = {
    "host": ListTable(
        {
            "site": "site.slug", "host": "name", "form": "form", "role": "role.slug", "status": "status",
            "plane": "plane", "interface": _of_primary("name"), "mac": _of_primary("mac"),
            "segment": _of_primary("segment"), "ipv4": _of_primary("ipv4"), "ipv6": _of_primary("ipv6"),
            "groups": _groups,
        },
        "hosts",
        _with_groups,
    ),
    "interface": ListTable(
        {
            "site": "host.site.slug", "host": "host.name", "interface": "name", "mac": "mac",
            "mac_kind": "mac_kind", "segment": "segment.name", "addressing": "addressing", "ipv4": "ipv4",
            "ipv6": "ipv6", "a_record": "a_record", "reservation": "reservation",
        },
        "interfaces",
    ),
    "segment": ListTable(
        {
            "site": "site.slug", "segment": "name", "vlan": "vlan", "network4": "network4",
            "network6": "network6", "policy": "policy", "trust": "trust", "jump_host": "jump_host.name",
            "interfaces": lambda segment: segment.interfaces_number or 0,
        },
        "segments",
        rows=lambda segments: segments.select_related("site", "jump_host"),
    ),
    "service": ListTable(
        {
            "site": "site.slug", "service": "name", "tenant": "tenant", "host": "host.name", "port": "port",
            "health_check": "health_check", "metrics_path": "metrics_path", "web_scheme": "web_scheme",
            "local_port": "local_port",
        },
        "services",
    ),
    "group": ListTable(
        {
            "site": "site.slug", "group": "name", "parents": _parents, "priority": "priority",
            "members": lambda group: group.members_number or 0, "variables": lambda group: len(group.variables),
        },
        "groups",
    ),
    "workloadprofile": ListTable(
        {
            "site": "site.slug", "profile": "name",
            "state": lambda profile: "assigned" if profile.members_number else "parked",
            "members": lambda profile: profile.members_number or 0,
            "variables": lambda profile: len(profile.variables),
        },
        "profiles",
    ),
    "role": ListTable(
        {"site": "site.slug", "role": "slug", "code": "code", "title": "title"},
        "roles",
    ),
    "alias": ListTable(
        {"site": "site.slug", "alias": "name", "service": "service.label"},
        "aliases",
    ),
    # no table of schedules is imported: whoever writes one owns it. These are what it declares, and how it stands.
    "schedule": ListTable(
        {
            "site": "site.slug", "schedule": "name", "kind": "kind",
            "parameters": lambda schedule: json.dumps(schedule.parameters, ensure_ascii=False), "cron": "cron",
            "every_hours": "every_hours", "time_zone": "time_zone", "enabled": "enabled", "owner": "owner",
            "why": "why", "state": "shown_state", "next_run": "next_run", "last_run": "last_run",
        },
        "",
    ),
    "kitplace": ListTable(
        {
            "site": "site.slug", "place": "name", "kind": "kind", "location": "location", "private": "private",
            "host_key": "host_key", "key": "key", "enabled": "enabled", "delivered": "delivered",
        },
        "",
    ),
}  # fmt: skip
