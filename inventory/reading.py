"""Rows → Snapshot: nine queries whatever the size, never torn, one kept per site and process."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.db import connection, transaction

from inventory.door import open_change
from inventory.models import Identity, Site
from inventory.rows.sites import in_order, read_site
from inventory.snapshot import Snapshot


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
    #: see ``inventory.copying.copies``: only what is asked for as a whole knows them
    epoch: int = 1
    live_copy: str = ""


def load(slug: str) -> Snapshot:
    """Return the site as declared now. One query when nothing changed since the last call in this process.

    Raises UnknownSite.
    """
    return load_at(current(slug))


def current(slug: str) -> Now:
    """One query. Raises UnknownSite."""
    row = Site.objects.filter(slug=slug).values("pk", "uid", "revision", "epoch", "live_copy").first()
    if row is None:
        raise unknown_site(slug)
    return Now(row["pk"], str(row["uid"]), row["revision"], row["epoch"], row["live_copy"])


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
        snapshot = read_site(now.site_id)
        while inside and _moved_meanwhile(now.site_id, snapshot.revision):
            snapshot = read_site(now.site_id)
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


def with_ledger(snapshot: Snapshot, site_id: int) -> Snapshot:
    """Return the site with the plainly held identities as well: who has what since when.

    Several times the size of the rest, and wanted by the site document alone, so nobody keeps it. Newer than *snapshot*
    when the site moved on meanwhile.
    """
    with one_moment():
        held = Identity.objects.filter(site=site_id, state="held").values_list(
            "kind", "value", "state", "host_name", "since", "until"
        )
        facts = in_order(held)
        revision = Site.objects.values_list("revision", flat=True).get(pk=site_id)
        newest = snapshot if revision == snapshot.revision else read_site(site_id)
    return replace(newest, held=facts)
