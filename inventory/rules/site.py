"""The site as a whole: its bootstrap node, and what its retired hosts left behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from inventory import bootstrap
from inventory.findings import Finding
from inventory.rules.places import named
from inventory.snapshot import Snapshot

#: Days after which a quarantine is long, whenever it ends.
LONG = 180


def findings(snapshot: Snapshot) -> Iterable[Finding]:
    """A bootstrap node that could not serve, found before it has to."""
    if any(authority.bootstrap_host or authority.mode == "bootstrap" for authority in snapshot.authorities):
        for finding in bootstrap.served(snapshot, "bootstrap").findings:
            if finding.id == "bootstrap-node-missing":
                yield finding


def long_in_quarantine(snapshot: Snapshot, today: date) -> Iterator[Finding]:
    """What could be free: told once a site."""
    over, long = [], []
    for identity in snapshot.identities:
        if identity.state != "quarantined":
            continue
        if (until := _day(identity.until)) is not None and until < today:
            over.append(f"{identity.value} of {identity.host}")
        elif (since := _day(identity.since)) is not None and (today - since).days > LONG:
            long.append(f"{identity.value} of {identity.host}")
    if over:
        yield Finding(
            "quarantine-passed",
            "info",
            f"site {snapshot.site.slug}",
            f"has {len(over)} identities whose quarantine has passed and that nobody released: {named(over)}.",
            "Run housekeeping (it does so every hour while the application runs), or free them by hand.",
        )
    if long:
        yield Finding(
            "quarantine-long",
            "info",
            f"site {snapshot.site.slug}",
            f"has {len(long)} identities in quarantine for more than {LONG} days: {named(long)}.",
            "Free what nothing is keyed on any more, so that it can be handed out again.",
        )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
