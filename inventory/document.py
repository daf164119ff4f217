"""A site as values, compared with the rows and brought to them: draft → plan → apply.

Importers only translate into a SiteDraft. What a draft leaves out is left alone; hosts, groups and segments that it no
longer names are listed as gone and stay; parts of what it does name (interfaces, services, memberships) follow it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from django.core.exceptions import ValidationError

from inventory.changes import SiteChange, change
from inventory.models import Group, Host, Interface, Membership, Nesting, Role, Segment, Service, Site
from inventory.models.fields import OrderedJSONField
from inventory.packed import to_text

Action = Literal["create", "change", "unchanged", "remove", "gone"]
Fields = dict[str, Any]
#: A field that is only a proposal: given to new rows, left alone on those there are.
ONLY_NEW = "+"


@dataclass
class HostDraft:
    fields: Fields
    role: str | None = None
    interfaces: dict[str, Fields] = field(default_factory=dict)
    #: (name, tenant)
    services: set[tuple[str, str]] = field(default_factory=set)


@dataclass
class SiteDraft:
    """What a text form of a site says; names instead of ids. Fields are column names."""

    slug: str
    site: Fields = field(default_factory=dict)
    segments: dict[str, Fields] = field(default_factory=dict)
    hosts: dict[str, HostDraft] = field(default_factory=dict)
    groups: dict[str, Fields] = field(default_factory=dict)
    nestings: set[tuple[str, str]] = field(default_factory=set)  # parent, child
    memberships: set[tuple[str, str]] = field(default_factory=set)  # group, host


@dataclass(frozen=True, order=True)
class Entry:
    """One line of a plan. *details* name the fields that change, with old and new where they are short and plain."""

    noun: str
    name: str
    action: Action
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        more = f": {', '.join(self.details)}" if self.details else ""
        return f"{self.action} {self.noun} {self.name}{more}"


@dataclass
class Plan:
    entries: list[Entry]
    revision: int

    @property
    def is_empty(self) -> bool:
        return not any(entry.action in ("create", "change", "remove") for entry in self.entries)

    def counts(self) -> dict[str, Counter[str]]:
        """noun → action → number."""
        counted: dict[str, Counter[str]] = defaultdict(Counter)
        for entry in self.entries:
            counted[entry.noun][entry.action] += 1
        return dict(counted)


def plan(draft: SiteDraft) -> Plan:
    """What applying *draft* now would do. Writes nothing."""
    site = Site.objects.filter(slug=draft.slug).first()
    comparison = _Comparison(draft, site)
    return Plan(comparison.entries, site.revision if site else 0)


def apply(draft: SiteDraft, *, by: Any, why: str, source: str) -> Plan:
    """Bring the rows to *draft* in one change, and return what that did. Nothing to do: no revision is spent."""
    before = plan(draft)
    if before.is_empty:
        return before
    site = Site.objects.filter(slug=draft.slug).first() or Site(
        slug=draft.slug, **_plain(draft.site, new=True)
    )
    with change(site, by=by, why=why, source=source) as the_change:
        comparison = _Comparison(draft, site)  # again, under the lock
        entries = before.entries if before.revision == 0 else comparison.entries
        comparison.write(the_change)
    return Plan(entries, site.revision)


def _plain(fields: Fields, *, new: bool) -> Fields:
    """Column names without the mark of proposals; proposals only for new rows."""
    return {
        key.lstrip(ONLY_NEW): value for key, value in fields.items() if new or not key.startswith(ONLY_NEW)
    }


class _Comparison:
    """A draft beside the rows of its site: the plan, and the rows to write."""

    def __init__(self, draft: SiteDraft, site: Site | None) -> None:
        self.draft, self.site = draft, site
        self.entries: list[Entry] = []
        self.created: dict[type, list[Any]] = defaultdict(list)
        self.changed: dict[type, list[tuple[Any, list[str]]]] = defaultdict(list)
        self.removed: list[Any] = []
        self.roles = self._rows(Role, "slug")
        self.segments = self._rows(Segment, "name")
        self.groups = {
            name: row for name, row in self._rows(Group, "name").items() if row.kind == Group.Kind.GROUP
        }
        self.hosts = self._rows(Host, "name")
        self._compare_site()
        self._compare_roles()
        self._compare_named(Segment, self.segments, draft.segments)
        self._compare_named(Group, self.groups, draft.groups)
        self._compare_hosts()
        self._compare_links()
        self.entries.sort()

    def _rows(self, model: type[Any], key: str) -> dict[str, Any]:
        if self.site is None or self.site.pk is None:
            return {}
        rows = {getattr(row, key): row for row in model._default_manager.filter(site=self.site)}
        for row in rows.values():
            row.site = self.site  # saves a query for each question after it
        return rows

    def _note(self, noun: str, name: str, action: Action, details: Iterable[str] = ()) -> None:
        self.entries.append(Entry(noun, name, action, tuple(details)))

    # --- one noun at a time ---

    def _compare_site(self) -> None:
        if self.site is None:
            self._note("site", self.draft.slug, "create")
            return
        self._compare_row("site", self.draft.slug, self.site, self.draft.site)

    def _compare_roles(self) -> None:
        for slug in sorted({host.role for host in self.draft.hosts.values() if host.role} - set(self.roles)):
            self.roles[slug] = self._new(Role(site=self.site, slug=slug), "role", slug)

    def _compare_named(self, model: type[Any], rows: dict[str, Any], drafts: dict[str, Fields]) -> None:
        noun = model._meta.verbose_name
        for name, fields in drafts.items():
            if name in rows:
                self._compare_row(noun, name, rows[name], fields)
            else:
                rows[name] = self._new(
                    model(site=self.site, name=name, **_plain(fields, new=True)), noun, name
                )
        for name in rows.keys() - drafts.keys():
            self._note(noun, name, "gone")

    def _new(self, row: Any, noun: str, name: str) -> Any:
        self.created[type(row)].append(row)
        self._note(noun, name, "create")
        return row

    def _compare_row(self, noun: str, name: str, row: Any, fields: Fields) -> None:
        moved, details = [], []
        for key, new in _plain(fields, new=False).items():
            column = row._meta.get_field(key)
            old = row.__dict__.get(column.attname) if not column.is_relation else getattr(row, column.attname)
            if column.is_relation:
                same = (old is None and new is None) or (
                    new is not None and new.pk is not None and old == new.pk
                )
            elif isinstance(column, OrderedJSONField):
                same = to_text(old) == to_text(new)
            else:
                same = old == new
            if not same:
                details.append(_detail(key, row, new, column))
                setattr(row, key, new)
                moved.append(key)
        if moved:
            self.changed[type(row)].append((row, moved))
        self._note(noun, name, "change" if moved else "unchanged", details)

    def _compare_hosts(self) -> None:
        interfaces: dict[int, dict[str, Interface]] = defaultdict(dict)
        if self.site is not None and self.site.pk:
            for row in Interface.objects.filter(host__site=self.site):
                interfaces[row.host_id][row.name] = row
        for name, host in self.draft.hosts.items():
            role = self.roles[host.role] if host.role else None
            fields = {**host.fields, "role": role}
            if name in self.hosts:
                self._compare_row("host", name, self.hosts[name], fields)
            else:
                made = Host(site=self.site, name=name, **_plain(fields, new=True))
                self.hosts[name] = self._new(made, "host", name)
            stored = self.hosts[name]
            self._compare_interfaces(stored, host, interfaces[stored.pk] if stored.pk else {})
        for name in self.hosts.keys() - self.draft.hosts.keys():
            self._note("host", name, "gone")
        self._compare_services()

    def _compare_interfaces(self, host: Host, draft: HostDraft, rows: dict[str, Interface]) -> None:
        for name, fields in draft.interfaces.items():
            segment = fields.get("segment")
            resolved = {**fields, "segment": self.segments[segment] if segment else None}
            row = rows.get(name)
            if row is None:
                made = Interface(host=host, name=name, **_plain(resolved, new=True))
                self._new(made, "interface", f"{host.name}/{name}")
            else:
                row.host = host
                self._compare_row("interface", f"{host.name}/{name}", row, resolved)
        for name in rows.keys() - draft.interfaces.keys():
            rows[name].host = host
            self.removed.append(rows[name])
            self._note("interface", f"{host.name}/{name}", "remove")

    def _compare_services(self) -> None:
        """Services by name; one that left one host and came to another has moved."""
        present: dict[tuple[str, str], dict[str, Service]] = defaultdict(dict)
        if self.site is not None and self.site.pk:
            by_id = {row.pk: row for row in self.hosts.values()}
            for row in Service.objects.filter(site=self.site):
                row.host, row.site = by_id[row.host_id], self.site
                present[row.name, row.tenant][row.host.name] = row
        wanted: dict[tuple[str, str], set[str]] = defaultdict(set)
        for name, host in self.draft.hosts.items():
            for service in host.services:
                wanted[service].add(name)
        for key in sorted(wanted.keys() | present.keys()):
            self._compare_service(key, present[key], wanted[key])

    def _compare_service(self, key: tuple[str, str], rows: dict[str, Service], wanted: set[str]) -> None:
        label = ".".join(part for part in key if part)
        for host in sorted(wanted & rows.keys()):
            self._note("service", f"{label} on {host}", "unchanged")
        new = sorted(wanted - rows.keys())
        gone = sorted(host for host in rows.keys() - wanted if host in self.draft.hosts)
        for old_host, new_host in zip(gone, new, strict=False):
            row = rows[old_host]
            row.host = self.hosts[new_host]
            self.changed[Service].append((row, ["host"]))
            self._note("service", label, "change", [f"host {old_host} → {new_host}"])
        for host in new[len(gone) :]:
            self._new(
                Service(host=self.hosts[host], site=self.site, name=key[0], tenant=key[1]),
                "service",
                f"{label} on {host}",
            )
        for host in gone[len(new) :]:
            self.removed.append(rows[host])
            self._note("service", f"{label} on {host}", "remove")

    def _compare_links(self) -> None:
        nestings: dict[tuple[str, str], Any] = {}
        members: dict[tuple[str, str], Any] = {}
        if self.site is not None and self.site.pk:
            for row in Nesting.objects.filter(parent__site=self.site).select_related("parent", "child"):
                nestings[row.parent.name, row.child.name] = row
            for member in Membership.objects.filter(
                group__site=self.site, group__kind=Group.Kind.GROUP
            ).select_related("group", "host"):
                members[member.group.name, member.host.name] = member
        draft = self.draft
        for pair in sorted(draft.nestings & nestings.keys()):
            self._note("group nesting", f"{pair[1]} below {pair[0]}", "unchanged")
        for pair in sorted(draft.memberships & members.keys()):
            self._note("membership", f"{pair[1]} in {pair[0]}", "unchanged")
        for pair in sorted(draft.nestings - nestings.keys()):
            link = Nesting(parent=self.groups[pair[0]], child=self.groups[pair[1]])
            self._new(link, "group nesting", f"{pair[1]} below {pair[0]}")
        for pair in sorted(nestings.keys() - draft.nestings):
            self._unlink(
                nestings[pair],
                "group nesting",
                f"{pair[1]} below {pair[0]}",
                all(p in draft.groups for p in pair),
            )
        self._refuse_circles({pair for pair in nestings if not set(pair) <= draft.groups.keys()})
        for pair in sorted(draft.memberships - members.keys()):
            member = Membership(group=self.groups[pair[0]], host=self.hosts[pair[1]])
            self._new(member, "membership", f"{pair[1]} in {pair[0]}")
        for pair in sorted(members.keys() - draft.memberships):
            known = pair[0] in draft.groups and pair[1] in draft.hosts
            self._unlink(members[pair], "membership", f"{pair[1]} in {pair[0]}", known)

    def _refuse_circles(self, staying: set[tuple[str, str]]) -> None:
        """Links of groups that are gone stay; together with the new ones they must not form a circle."""
        below: dict[str, set[str]] = defaultdict(set)
        for parent, child in self.draft.nestings | staying:
            below[parent].add(child)
        for parent, child in sorted(staying):
            seen: set[str] = set()
            todo = [child]
            while todo:
                name = todo.pop()
                seen.add(name)
                todo += below[name] - seen
            if parent in seen:
                raise ValidationError(
                    f"Group {child} lies below {parent} here, and no longer in what is imported, which puts {parent} "
                    f"below {child}. Take the group that is gone out of its parents first."
                )

    def _unlink(self, row: Any, noun: str, name: str, ours: bool) -> None:
        """A link goes when both its ends are still named; else it is gone with them, and stays."""
        if ours:
            self.removed.append(row)
        self._note(noun, name, "remove" if ours else "gone")

    # --- writing ---

    def write(self, the_change: SiteChange) -> None:
        the_change.delete(self.removed)
        for model in (Site, Role, Segment, Group, Host, Interface, Service, Nesting, Membership):
            rows = self.created.get(model, [])
            for row in rows:
                _refresh_keys(row)
            the_change.create(rows)
            self._update(the_change, model)

    def _update(self, the_change: SiteChange, model: type[Any]) -> None:
        if model is Site:
            for row, _ in self.changed.get(model, []):
                row.save()
            return
        by_fields: dict[tuple[str, ...], list[Any]] = defaultdict(list)
        for row, moved in self.changed.get(model, []):
            _refresh_keys(row)
            by_fields[tuple(moved)].append(row)
        for fields, rows in by_fields.items():
            the_change.update(rows, fields)


def _refresh_keys(row: Any) -> None:
    """Take over the ids of rows that were stored since this one was made."""
    for column in row._meta.concrete_fields:
        if column.is_relation and column.is_cached(row):
            setattr(row, column.name, getattr(row, column.name))


def _detail(key: str, row: Any, new: Any, column: Any) -> str:
    """Old and new of a plain field; of variables and shapes only that they differ, since they may be long or secret."""
    if isinstance(column, OrderedJSONField):
        return key
    old = getattr(row, key)
    return f"{key} {_shown(old)} → {_shown(new)}"


def _shown(value: Any) -> str:
    return "nothing" if value in (None, "") else str(value)
