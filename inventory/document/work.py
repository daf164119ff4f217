"""A draft beside the rows of its site: what all comparisons share. Notes the plan, gathers the rows to write."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from inventory.document.draft import Fields, SiteDraft, plain
from inventory.document.plans import Action, Entry
from inventory.models import (
    Group,
    Host,
    HostNeed,
    Hypervisor,
    Identity,
    Interface,
    JobTemplate,
    Project,
    Role,
    Segment,
    Service,
    Site,
    VirtualMachine,
)
from inventory.models.fields import OrderedJSONField
from inventory.models.segments import WAYS_IN
from inventory.packed import to_text
from inventory.snapshot import IdentityFacts

#: From here on one query for the whole site is cheaper than asking for the rows by name.
MANY = 500


class Work:
    def __init__(self, draft: SiteDraft, site: Site | None) -> None:
        self.draft, self.site = draft, site
        self.entries: list[Entry] = []
        self.notes: list[str] = []
        #: (noun of the document, sentence): what forbids the draft
        self.refused: list[tuple[str, str]] = []
        self.created: dict[type, list[Any]] = defaultdict(list)
        self.changed: dict[type, list[tuple[Any, list[str]]]] = defaultdict(list)
        self.removed: dict[type, list[Any]] = defaultdict(list)
        self.roles: dict[str, Role] = self.rows(Role, "slug")
        self.segments: dict[str, Segment] = self.rows(Segment, "name")
        self.hosts: dict[str, Host] = self._hosts()
        groups = self.listed(Group)
        self.groups = {row.name: row for row in groups if row.kind == Group.Kind.GROUP}
        self.profiles = {row.name: row for row in groups if row.kind == Group.Kind.PROFILE}
        self.services: list[Service] = []
        #: zone → [serial, hash] as they will be; None: as they are
        self.serials: dict[str, list[Any]] | None = None
        self.identities_new: list[IdentityFacts] = []
        self.identities_moved: list[Identity] = []
        self.interfaces: dict[int, dict[str, Interface]] = defaultdict(dict)
        self.apis: dict[int, Hypervisor] = {}
        self.machines: dict[int, VirtualMachine] = {}
        #: host → its needs, in their order
        self.needs: dict[int, list[HostNeed]] = defaultdict(list)

    # --- rows there are ---

    @property
    def is_stored(self) -> bool:
        return self.site is not None and self.site.pk is not None

    @property
    def leaves(self) -> bool:
        """Whether what the draft no longer names has to leave."""
        return self.draft.unnamed == "leave"

    @property
    def alone(self) -> bool:
        """Whether the draft is a patch, which looks at nothing but what it names."""
        return self.draft.unnamed == "alone"

    def _hosts(self) -> dict[str, Host]:
        """All hosts; of a patch, those that it speaks of, while asking for them by name is cheaper."""
        names = hosts_named(self.draft) if self.alone else set()
        if not self.alone or len(names) > MANY:
            return self.rows(Host, "name")
        return self.rows(Host, "name", name__in=names)

    def of_hosts(self, rows: Any) -> Any:
        """Those of *rows*, parts of hosts, whose host the draft speaks of."""
        if not self.alone or len(self.hosts) > MANY:
            return rows.filter(host__site=self.site)
        return rows.filter(host__in=[row.pk for row in self.hosts.values() if row.pk])

    def listed(self, model: type[Any], **only: Any) -> list[Any]:
        rows = list(model._default_manager.filter(site=self.site, **only)) if self.is_stored else []
        for row in rows:
            row.site = self.site  # saves a query for each question after it
        return rows

    def rows(self, model: type[Any], key: str, **only: Any) -> dict[str, Any]:
        return {getattr(row, key): row for row in self.listed(model, **only)}

    @cached_property
    def projects(self) -> dict[str, Project]:
        return self.rows(Project, "name")

    @cached_property
    def templates(self) -> dict[str, JobTemplate]:
        """Asked for once somebody names one."""
        return self.rows(JobTemplate, "name")

    # --- the plan ---

    def note(self, noun: str, name: str, action: Action, details: Iterable[str] = ()) -> None:
        self.entries.append(Entry(noun, name, action, tuple(details)))

    def refuse(self, noun: str, sentence: str) -> None:
        self.refused.append((noun, sentence))

    def new(self, row: Any, noun: str, name: str) -> Any:
        self.created[type(row)].append(row)
        self.note(noun, name, "create")
        return row

    def remove(self, row: Any, noun: str, name: str) -> None:
        self.removed[type(row)].append(row)
        self.note(noun, name, "remove")

    def compare(self, noun: str, name: str, row: Any, fields: Fields, details: Iterable[str] = ()) -> None:
        """Bring *row* to *fields*; *details* say what moved already."""
        moved, told = self.moved(row, fields)
        self.write_later(row, moved)
        told = [*details, *told]
        self.note(noun, name, "change" if told else "unchanged", told)

    def write_later(self, row: Any, columns: list[str]) -> None:
        if columns:
            self.changed[type(row)].append((row, columns))

    def moved(self, row: Any, fields: Fields) -> tuple[list[str], list[str]]:
        """Set on *row* what differs; return which columns, and how to tell it."""
        columns, told = [], []
        for key, new in plain(fields, new=False).items():
            column = row._meta.get_field(key)
            if not _is_same(row, column, new):
                told.append(_detail(key, row, new, column))
                setattr(row, key, new)
                columns.append(key)
        return columns, told


def hosts_named(draft: SiteDraft) -> set[str]:
    """Every host that *draft* speaks of: those it describes, what these name, jump hosts, members of groups."""
    names = set(draft.hosts)
    for host in draft.hosts.values():
        names |= {host.hypervisor} if isinstance(host.hypervisor, str) else set()
        names |= set(host.needs) if isinstance(host.needs, tuple) else set()
        names |= {one["switch"] for one in host.interfaces.values() if one.get("switch")}
    for segment in draft.segments.values():
        names |= {segment[key] for key in WAYS_IN if segment.get(key)}
    for pairs in (draft.memberships, draft.profile_members, *draft.parted.values()):
        names |= {host for _, host in pairs}
    return names


def _is_same(row: Any, column: Any, new: Any) -> bool:
    old = getattr(row, column.attname)
    if column.is_relation:
        return (old is None and new is None) or (new is not None and new.pk is not None and old == new.pk)
    if isinstance(column, OrderedJSONField):
        return to_text(old) == to_text(new)
    return bool(old == new)


def _detail(key: str, row: Any, new: Any, column: Any) -> str:
    """Old and new of a plain field; of variables and shapes only that they differ, since they may be long or secret."""
    if isinstance(column, OrderedJSONField) and not isinstance(new, list):
        return key
    return f"{key} {_shown(getattr(row, key))} → {_shown(new)}"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return (
            ", ".join("-".join(item) if isinstance(item, list) else str(item) for item in value) or "nothing"
        )
    return "nothing" if value in (None, "") else str(value)
