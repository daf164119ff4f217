"""Zone serials: moved when a zone's content is published for the first time, never back.

A serial says "newer than" to every secondary (RFC 1982), whatever the clock says: it becomes the greater of
its successor and the seconds since 1970. The site's revision stays: nothing that a person declares moves.

A key is a zone, or a zone in one mode of the authority (``<zone>@bootstrap``). The successor is that of the
zone's highest serial in any mode: who follows one mode and then the other sees serials rise.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from django.db import connection, transaction

from inventory import reading
from inventory.door import bulk_allowed
from inventory.exports import registry
from inventory.exports.bind import zone_of_key
from inventory.models import Site
from inventory.snapshot import AuthorityMode, Snapshot, ZoneSerial

Hashes = Callable[[Snapshot, AuthorityMode | None], dict[str, str]]

#: How long publication waits for a change of the site that is under way (PostgreSQL; SQLite: see settings).
LOCK_TIMEOUT = "20s"


def published(snapshot: Snapshot, format: str, authority: AuthorityMode | None = None) -> Snapshot:
    """Return the site with a serial for every zone of *format* that is true to its content.

    The Snapshot itself when all are; a newer one when the site moved on meanwhile: nobody publishes an older
    state after a newer. Raises OperationalError when a change of the site takes too long.
    """
    hashes_of = _hashes_of(format)
    if hashes_of is None or not _outdated(snapshot.serials, hashes_of(snapshot, authority)):
        return snapshot
    with transaction.atomic():
        row = _locked(snapshot)
        now = reading.Now(row["pk"], str(row["uid"]), row["revision"])
        stored = {zone: ZoneSerial(*entry) for zone, entry in row["zone_serials"].items()}
        fresh = reading.load_at(now)
        outdated = _outdated(stored, hashes_of(fresh, authority))
        serials = dict(sorted({**stored, **_moved(stored, outdated)}.items()))
        if outdated:
            entries = {zone: [entry.serial, entry.content_hash] for zone, entry in serials.items()}
            with bulk_allowed():
                Site.objects.filter(pk=now.site_id).update(zone_serials=entries)
    fresh = replace(fresh, serials=serials)
    if not connection.in_atomic_block:
        reading.keep(now.site_id, fresh)
    return fresh


def _hashes_of(format: str) -> Hashes | None:
    """A format with zones says in its module what their contents are."""
    module = importlib.import_module(registry.MODULES[format])
    return getattr(module, "content_hashes", None)


def _outdated(serials: Mapping[str, ZoneSerial], hashes: Mapping[str, str]) -> dict[str, str]:
    return {
        zone: wanted
        for zone, wanted in hashes.items()
        if zone not in serials or serials[zone].content_hash != wanted
    }


def _moved(serials: Mapping[str, ZoneSerial], outdated: Mapping[str, str]) -> dict[str, ZoneSerial]:
    epoch = int(time.time())
    highest: dict[str, int] = {}
    for key, entry in serials.items():
        zone = zone_of_key(key)
        highest[zone] = max(entry.serial, highest.get(zone, 0))
    return {
        key: ZoneSerial(max(highest.get(zone_of_key(key), 0) + 1, epoch), wanted)
        for key, wanted in outdated.items()
    }


def _locked(snapshot: Snapshot) -> dict[str, Any]:
    """The site's row, which nobody else changes before this transaction ends."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
    row = (
        Site.objects.select_for_update(no_key=True)
        .filter(uid=snapshot.site.uid)
        .values("pk", "uid", "revision", "zone_serials")
        .first()
    )
    if row is None:
        raise reading.unknown_site(snapshot.site.slug)
    return {**row}
