"""Compares a draft with the rows, noun by noun. Writes nothing."""

from __future__ import annotations

from typing import Any

from inventory.document import automation, identities, links, parts, registers
from inventory.document.draft import Fields, HostDraft, Left, SiteDraft, plain
from inventory.document.work import Work
from inventory.models import Group, Host, Role, Segment, Site, WorkloadProfile
from inventory.models.segments import WAYS_IN


def compare(draft: SiteDraft, site: Site | None) -> Work:
    """The rows of *site* (None: it is new) beside *draft*: the plan, and what to write."""
    work = Work(draft, site)
    _site(work)
    automation.compare(work)
    _roles(work)
    _announce_hosts(work)
    _named(work, Segment, "segments", work.segments, draft.segments)
    _named(work, Group, "groups", work.groups, draft.groups)
    _named(work, WorkloadProfile, "profiles", work.profiles, draft.profiles)
    _hosts(work)
    links.compare(work)
    registers.compare(work)
    identities.compare(work)
    _refuse_what_is_needed(work)
    work.entries.sort()
    return work


def _site(work: Work) -> None:
    if work.site is None or work.site.pk is None:
        work.note("site", work.draft.slug, "create")
    else:
        work.compare("site", work.draft.slug, work.site, work.draft.site)


def _roles(work: Work) -> None:
    wanted, said = dict(work.draft.roles), "roles" in work.draft.nouns
    if not said and not work.alone:  # an import knows them by their hosts alone
        hosts = work.draft.hosts.values()
        wanted = {slug: {} for slug in sorted({host.role for host in hosts if host.role})}
    elif not said:
        wanted = {}
    for slug, named in wanted.items():
        fields = automation.with_templates(work, named)
        if slug not in work.roles:
            work.roles[slug] = work.new(Role(site=work.site, slug=slug, **fields), "role", slug)
        elif said:
            work.compare("role", slug, work.roles[slug], fields)
    if said:
        for slug in sorted(work.roles.keys() - wanted.keys()) if work.leaves else ():
            work.remove(work.roles[slug], "role", slug)


def _named(
    work: Work, model: type[Any], said_as: str, rows: dict[str, Any], drafts: dict[str, Fields]
) -> None:
    if said_as not in work.draft.nouns:
        return
    noun = str(model._meta.verbose_name)
    kind = {"kind": Group.Kind.PROFILE} if model is WorkloadProfile else {}
    for name, named in drafts.items():
        fields = _with_ways_in(work, named) if model is Segment else named
        fields = automation.with_templates(work, named) if model is WorkloadProfile else fields
        if name in rows:
            work.compare(noun, name, rows[name], fields)
        else:
            made = model(site=work.site, name=name, **plain(fields, new=True), **kind)
            rows[name] = work.new(made, noun, name)
    if work.alone:
        return
    for name in sorted(rows.keys() - drafts.keys()):
        if work.leaves:
            work.remove(rows[name], noun, name)
        else:
            work.note(noun, name, "gone")


def _announce_hosts(work: Work) -> None:
    """Others may name a new host before it is compared: segments their jump host, guests their hypervisor."""
    for name in work.draft.hosts if "hosts" in work.draft.nouns else ():
        if name not in work.hosts:
            work.hosts[name] = Host(site=work.site, name=name)


def _with_ways_in(work: Work, named: Fields) -> Fields:
    """Names of hosts as their rows."""
    rows = {key: work.hosts[named[key]] if named[key] else None for key in WAYS_IN if key in named}
    return {**named, **rows}


def _hosts(work: Work) -> None:
    if "hosts" not in work.draft.nouns:
        return
    parts.read(work)
    for name, draft in work.draft.hosts.items():
        _host(work, name, draft)
    for name in sorted(work.hosts.keys() - work.draft.hosts.keys()) if not work.alone else ():
        _unnamed(work, work.hosts[name])
    parts.compare_services(work)


def _host(work: Work, name: str, draft: HostDraft) -> None:
    fields: Fields = {**draft.fields, "role": work.roles[draft.role] if draft.role else None}
    if draft.hypervisor is not Left.ALONE:
        fields["hypervisor"] = work.hosts[draft.hypervisor] if draft.hypervisor else None
    row = work.hosts[name]
    if row._state.adding:
        for key, value in plain(fields, new=True).items():
            setattr(row, key, value)
        work.new(row, "host", name)
    else:
        work.compare("host", name, row, fields)
    parts.compare_interfaces(work, row, draft)
    parts.compare_needs(work, row, draft)
    parts.compare_proxmox(work, row, draft)
    parts.compare_machine(work, row, draft)


def _unnamed(work: Work, row: Host) -> None:
    if not work.leaves or row.status == Host.Status.RETIRED:
        work.note("host", row.name, "unchanged" if work.leaves else "gone")
        return
    row.status = Host.Status.RETIRED
    work.write_later(row, ["status"])
    work.note("host", row.name, "retire")


def _refuse_what_is_needed(work: Work) -> None:
    """What the draft no longer names cannot go while something that stays stands on it."""
    if not work.is_stored:
        return
    automation.refuse_what_is_needed(work)
    going = {row.pk: row.slug for row in work.removed[Role]}
    for host in work.hosts.values():
        if host.role_id in going:
            role = f"role {going[host.role_id]} cannot be removed: it is the role of host {host.name}."
            work.refuse("roles", f"{role} Keep the role, or give {host.name} another.")
    leaving = {row.pk: row.name for row in work.removed[Segment]}
    for row in parts.all_interfaces(work) if leaving else ():
        if row.segment_id in leaving:
            segment = f"segment {leaving[row.segment_id]} cannot be removed: interface {row} is on it."
            work.refuse("segments", f"{segment} Keep the segment, or move the interface.")
