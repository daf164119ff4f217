"""Compares the lists of a site that are no hosts: lowered severities, uses of the emergency access, schedules, places of
kits, declarations of authority, zone serials."""

from __future__ import annotations

from typing import Any, cast

from inventory.document.draft import Fields
from inventory.document.work import Work
from inventory.models import Authority, EmergencyUse, KitPlace, Schedule, SeverityOverride


def compare(work: Work) -> None:
    if "severities" in work.draft.nouns:
        _overrides(work)
    if "emergency_uses" in work.draft.nouns:
        _uses(work)
    if "schedules" in work.draft.nouns:
        _schedules(work)
    if "kit_places" in work.draft.nouns:
        _kit_places(work)
    if "authority" in work.draft.nouns:
        _authorities(work, work.draft.authorities)
    if work.draft.serials:
        _serials(work)


def _overrides(work: Work) -> None:
    rows = {(row.finding, row.subject): row for row in work.listed(SeverityOverride)}
    for key, fields in work.draft.overrides.items():
        name = " of ".join(part for part in key if part)
        if key in rows:
            work.compare("lowered severity", name, rows[key], fields)
        else:
            made = SeverityOverride(site=work.site, finding=key[0], subject=key[1], **fields)
            work.new(made, "lowered severity", name)
    for key in sorted(rows.keys() - work.draft.overrides.keys()):
        work.remove(rows[key], "lowered severity", " of ".join(part for part in key if part))


def _uses(work: Work) -> None:
    """None goes: what happened is not undone by leaving it out."""
    rows = {(row.at, row.who): row for row in work.listed(EmergencyUse)}
    for (at, who), fields in work.draft.emergency_uses.items():
        name = f"{who} at {at:%Y-%m-%d %H:%M}"
        if (at, who) in rows:
            work.compare("use of the emergency access", name, rows[at, who], fields)
        else:
            made = EmergencyUse(site=work.site, at=at, who=who, **fields)
            work.new(made, "use of the emergency access", name)


def _schedules(work: Work) -> None:
    rows = work.rows(Schedule, "name")
    for name, fields in work.draft.schedules.items():
        if name in rows:
            work.compare("schedule", name, rows[name], fields)
        else:
            work.new(Schedule(site=work.site, name=name, **fields), "schedule", name)
    for name in sorted(rows.keys() - work.draft.schedules.keys()):
        work.remove(rows[name], "schedule", name)


def _kit_places(work: Work) -> None:
    rows = work.rows(KitPlace, "name")
    for name, fields in work.draft.kit_places.items():
        if name in rows:
            work.compare("place of kits", name, rows[name], fields)
        else:
            work.new(KitPlace(site=work.site, name=name, **fields), "place of kits", name)
    for name in sorted(rows.keys() - work.draft.kit_places.keys()):
        work.remove(rows[name], "place of kits", name)


def _authorities(work: Work, wanted: list[Fields]) -> None:
    """All of them where none is declared; else they must be the same, since a switch is a job with preconditions."""
    rows = sorted(work.listed(Authority), key=lambda row: (row.at, row.pk))
    if not rows:
        for fields in wanted:
            named = {**fields, "bootstrap_host": work.hosts.get(fields["bootstrap_host"])}
            work.new(
                Authority(site=work.site, **named),
                "authority",
                f"{fields['mode']} since {fields['at']:%Y-%m-%d}",
            )
        return
    names = {row.pk: name for name, row in work.hosts.items()}
    stored = [
        {
            "mode": row.mode,
            "at": row.at,
            "by_name": row.by_name,
            "why": row.why,
            "bootstrap_host": names.get(row.bootstrap_host_id, ""),
        }
        for row in rows
    ]
    if stored == wanted:
        work.note("authority", stored[-1]["mode"], "unchanged")
        return
    slug, mode = work.draft.slug, wanted[-1]["mode"] if wanted else "gateway|bootstrap"
    work.refuse(
        "authority",
        f"authority of {slug}: {stored[-1]['mode']} is declared, and the document's list is another. A switch is "
        f"no edit: run `manage.py job switch_authority --site {slug} --to {mode}`, or leave `authority` out of the "
        "document.",
    )


def _serials(work: Work) -> None:
    """As they are where the zone has none, else never back: secondaries would ignore the zone (RFC 1982)."""
    if work.site is None:
        return
    before_all: dict[str, list[Any]] = cast(Any, work.site.zone_serials)
    stored = dict(before_all)
    for zone, wanted in work.draft.serials.items():
        before = stored.get(zone)
        if before is None or before[0] < wanted.serial:
            stored[zone] = [wanted.serial, wanted.content_hash]
            told = [] if before is None else [f"serial {before[0]} → {wanted.serial}"]
            work.note("zone serial", zone, "create" if before is None else "change", told)
        else:
            work.note("zone serial", zone, "unchanged")
    work.serials = dict(sorted(stored.items())) if stored != before_all else None
