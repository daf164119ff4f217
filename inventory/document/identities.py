"""Brings the ledger to what a document remembers of it: who held what since when, who disputes, what is withheld.

The door settles the ledger afterwards as ever (``inventory.ledger``), and finds it settled. A quarantine that had
passed comes back as it was; housekeeping ends it, unless a host of the document takes the value.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from django.utils import timezone

from inventory import ledger
from inventory.changes import SiteChange
from inventory.disputes import WORDS
from inventory.document.work import Work
from inventory.models import Identity
from inventory.snapshot import IdentityFacts

Key = tuple[str, str]  # kind, value
BLOCKING = ("held", "quarantined")


def compare(work: Work) -> None:
    """Note what the document's lines change; only claims that hosts make are restored."""
    lines = work.draft.identities
    if not lines:
        return
    rows: dict[Key, list[Identity]] = defaultdict(list)
    if work.is_stored:
        for row in Identity.objects.active().filter(site=work.site):
            rows[row.kind, row.value].append(row)
    by_key: dict[Key, list[IdentityFacts]] = defaultdict(list)
    unclaimed = 0
    for line in lines:
        key: Key = (line.kind, line.value)
        if line.state == "quarantined" or line.host in work.draft.claims.get(key, ()):
            by_key[key].append(line)
        else:
            unclaimed += 1
    if unclaimed:
        work.notes.append(
            f"{unclaimed} of the identities in the document {'is' if unclaimed == 1 else 'are'} not claimed by "
            "the host that is named, and ignored."
        )
    for value, found in by_key.items():
        _value(work, found, rows[value])
    if work.identities_moved:
        work.note("identity", "ledger", "change", [f"{len(work.identities_moved)} as the document remembers"])


def _value(work: Work, lines: list[IdentityFacts], rows: list[Identity]) -> None:
    """One value: its lines beside the rows that there are."""
    by_host = {row.host_name: row for row in rows if row.state != "quarantined"}
    blocked_by = {row.host_name for row in rows if row.state in BLOCKING}
    told = {line.host for line in lines if line.state != "quarantined"}
    taken = work.draft.claims.get((lines[0].kind, lines[0].value), set()) - told
    for line in lines:
        row = by_host.get(line.host)
        if line.state == "quarantined":
            if not rows and not (taken and has_passed(line)):
                work.identities_new.append(line)
                until = f" until {line.until[:10]}" if line.until else ""
                work.note(
                    "identity",
                    f"{line.kind} {line.value}",
                    "create",
                    [f"in quarantine{until}, was the {WORDS[line.kind]} of {line.host}"],
                )
        elif row is not None:
            _remember(work, row, line, may_move=blocked_by <= told)
        elif line.state == "disputed" or not blocked_by:
            work.identities_new.append(line)


def _remember(work: Work, row: Identity, line: IdentityFacts, *, may_move: bool) -> None:
    """A claim never gets younger; who holds it and who waits is as the document says, if it names them all."""
    since = min(row.since, datetime.fromisoformat(line.since))
    state = line.state if may_move else row.state
    if (row.since, row.state) != (since, state):
        row.since, row.state = since, state
        work.identities_moved.append(row)


def has_passed(line: IdentityFacts) -> bool:
    """Whether *line* withholds nothing any more."""
    return bool(line.until) and datetime.fromisoformat(line.until) <= timezone.now()


def write(work: Work, the_change: SiteChange) -> None:
    """After the hosts, before the ledger is settled."""
    site = work.site
    if site is None:
        return
    claimed = {
        (line.kind, line.value, line.host) for line in work.identities_new if line.state != "quarantined"
    }
    new = []
    for line in work.identities_new:
        host = work.hosts.get(line.host)
        if line.state == "quarantined" and (line.kind, line.value, line.host) in claimed:
            host = None  # its name was given to another machine since
        until = datetime.fromisoformat(line.until) if line.until else None
        since = datetime.fromisoformat(line.since)
        new.append(
            Identity(
                site=site, kind=line.kind, value=line.value, state=line.state, host=host, host_name=line.host,
                since=since, until=until,
            )
        )  # fmt: skip
    ledger.remember(work.identities_moved, new)
    withheld = {(row.kind, row.value) for row in new if row.state == "quarantined"}
    the_change.remembered[site.pk] |= withheld
