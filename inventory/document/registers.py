"""Compares the lists of a site that are no hosts: lowered severities, declarations of authority, zone serials."""

from __future__ import annotations

from typing import Any, cast

from inventory.document.draft import Fields
from inventory.document.work import Work
from inventory.models import Authority, SeverityOverride


def compare(work: Work) -> None:
    if "severities" in work.draft.nouns:
        _overrides(work)
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
