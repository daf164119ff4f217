"""A site document, read and judged, as the draft that plan and apply take."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from inventory.addressing import Range
from inventory.automating import prompts
from inventory.document import facts, ports
from inventory.document.draft import Fields, HostDraft, SiteDraft
from inventory.exports.site import automation, nouns
from inventory.exports.site.vocabulary import Schema
from inventory.snapshot import (
    HostFacts,
    InterfaceFacts,
    JobTemplateFacts,
    SealedFile,
    SegmentFacts,
    Snapshot,
    claims_of,
)

Values = Mapping[str, Any]


def draft_of(post: Snapshot, values: Values) -> SiteDraft:
    """What *values* say of the site that will be *post*."""
    identities = facts.identities(values)
    draft = SiteDraft(
        post.site.slug,
        site=_site(post, values),
        nouns=frozenset(values),
        segments={one.name: _segment(one, values) for one in _named(post.segments, values, "segments")},
        hosts={host.name: _host(host, post, values) for host in _named(post.hosts, values, "hosts")},
        roles={role.slug: _columns(role, nouns.ROLE) for role in post.roles},
        aliases={alias.name: alias.service for alias in post.aliases},
        overrides={
            (one.finding, one.subject): {
                "severity": one.severity,
                "why": one.why,
                "expires": datetime.date.fromisoformat(one.expires),
            }
            for one in post.overrides
        },
        emergency_uses={
            (datetime.datetime.fromisoformat(one.at), one.who): {
                "why": one.why,
                "done_at": datetime.datetime.fromisoformat(one.done_at) if one.done_at else None,
                "done_by": one.done_by,
            }
            for one in post.emergency_uses
        },
        schedules={one.name: _columns(one, nouns.SCHEDULE) for one in post.schedules},
        projects={one.name: _columns(one, automation.PROJECT) for one in post.projects},
        kit_places={one.name: _columns(one, nouns.KIT_PLACE) for one in post.kit_places},
        templates={one.name: _template(one) for one in post.templates},
        authorities=_authorities(post) if "authority" in values else [],
        serials=facts.serials(values),
        identities=identities,
        unnamed="leave",
    )
    _groups(draft, post, values)
    if identities:
        for kind, value, host in claims_of(post.live_hosts, post.segment_by_name):
            draft.claims.setdefault((kind, value), set()).add(host)
    return draft


def _named(rows: Iterable[Any], values: Values, noun: str) -> list[Any]:
    """Those that the document itself names."""
    said = values.get(noun, {})
    return [row for row in rows if row.name in said]


def _columns(row: Any, table: Schema, *without: str) -> Fields:
    return {key: _column(getattr(row, key)) for key in table["properties"] if key not in without}


def _column(value: Any) -> Any:
    if isinstance(value, tuple):
        return [[item.first, item.last] if isinstance(item, Range) else item for item in value]
    return dict(value) if isinstance(value, Mapping) else value


def _site(post: Snapshot, values: Values) -> Fields:
    out = _columns(post.site, nouns.FACTS) if "facts" in values else {}
    out |= {key: dict(getattr(post.site, key)) for key in ("naming", "mapping", "variables") if key in values}
    if "shapes" in values:
        out["written"] = dict(post.site.written)
    if "sealed" in values:
        out["sealed"] = _files(post.sealed, "group", "all")
    return out


def _files(files: Iterable[SealedFile], kind: str, owner: str) -> dict[str, str]:
    return {file.path: file.text for file in files if (file.owner_kind, file.owner) == (kind, owner)}


def _segment(segment: SegmentFacts, values: Values) -> Fields:
    out = _columns(segment, nouns.SEGMENT, "pool", "static_range")
    for column, ends in (("pool", segment.pool), ("static", segment.static_range)):
        out |= {
            f"{column}_first": ends.first if ends else None,
            f"{column}_last": ends.last if ends else None,
        }
    if "shapes" in values:
        out["written"] = dict(segment.written)
    return out


def _host(host: HostFacts, post: Snapshot, values: Values) -> HostDraft:
    fields = _columns(host, nouns.HOST, "role", "hypervisor", "needs", *nouns.PARTS)
    if "shapes" in values:
        fields["written"] = dict(host.written)
    if "sealed" in values:
        fields["sealed"] = _files(post.sealed, "host", host.name)
    return HostDraft(
        fields,
        role=host.role or None,
        interfaces={one.name: _interface(one, at, values) for at, one in enumerate(host.interfaces)},
        services={
            (one.name, one.tenant): ports.kept(_columns(one, nouns.SERVICE, "name", "tenant"))
            for one in host.services
        },
        hypervisor=host.hypervisor or None,
        needs=host.needs,
        proxmox=_columns(host.proxmox, nouns.PROXMOX) if host.proxmox else None,
        machine=_columns(host.machine, nouns.MACHINE) if host.machine else None,
    )


def _template(template: JobTemplateFacts) -> Fields:
    """Columns, but for the project, which is named; ``check`` is a method of every row."""
    fields = _columns(template, automation.TEMPLATE, "check", "prompts", "vault_secrets")
    return {
        **fields,
        "check_mode": template.check,
        "prompts": prompts.written(template.prompts),
        "vault_secrets": dict(template.vault_secrets),
    }


def _interface(interface: InterfaceFacts, position: int, values: Values) -> Fields:
    out = {**_columns(interface, nouns.INTERFACE), "position": position}
    if "shapes" in values:
        out["written"] = dict(interface.written)
    return out


def _groups(draft: SiteDraft, post: Snapshot, values: Values) -> None:
    for group in _named(post.groups, values, "groups"):
        fields = draft.groups[group.name] = _columns(group, nouns.GROUP, "children", "hosts")
        if "sealed" in values:
            fields["sealed"] = _files(post.sealed, "group", group.name)
        draft.nestings |= {(group.name, child) for child in group.children}
        draft.memberships |= {(group.name, host) for host in group.hosts}
    for profile in _named(post.profiles, values, "profiles"):
        draft.profiles[profile.name] = _columns(profile, nouns.PROFILE, "hosts")
        draft.profile_members |= {(profile.name, host) for host in profile.hosts}


def _authorities(post: Snapshot) -> list[Fields]:
    return [
        {
            "mode": one.mode,
            "at": datetime.datetime.fromisoformat(one.at),
            "by_name": one.by,
            "why": one.why,
            "bootstrap_host": one.bootstrap_host,
        }
        for one in post.authorities
    ]
