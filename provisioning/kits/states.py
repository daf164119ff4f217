"""What becomes of each kit, written down: the only writer of ``KitState``."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from inventory.models import Site
from provisioning.engine.moments import database_now
from provisioning.kits.delivering import Brought
from provisioning.models import KitState

#: the place of a state that is where kits are built
HERE = ""


def built(site: Site, revision: int) -> None:
    """A new kit of *site* lies in KIT_DIR."""
    now = database_now()
    values = {"arrived": now, "tried": now, "revision": revision, "fault": ""}
    KitState.objects.update_or_create(site=site, place=HERE, defaults=values)


def revision_of(site: Site) -> int:
    """Of the newest kit in KIT_DIR; 0 where nothing is known of it."""
    found = KitState.objects.filter(site=site, place=HERE).values_list("revision", flat=True).first()
    return found or 0


def brought(site: Site, revision: int, found: Iterable[Brought], declared: Collection[str]) -> None:
    """What became of each place; what is said of places that are not *declared* any more goes."""
    now = database_now()
    for one in found:
        values = {"tried": now, "fault": one.fault}
        if not one.fault:
            values |= {"arrived": now, "revision": revision}
        KitState.objects.update_or_create(site=site, place=one.place, defaults=values)
    KitState.objects.filter(site=site).exclude(place__in=[HERE, *declared]).delete()
