"""The MAC that a machine really has, recorded as observed in the place of the one that was assigned to it.

The one place where an assigned MAC gives way to a found one: the machine exists, and its card has another. The assigned
one goes into quarantine.
"""

from __future__ import annotations

from typing import Any

from inventory.allocation.choosing import Refused
from inventory.changes import change
from inventory.models import Interface


def record_observed(
    interface: Interface, mac: str, *, by: Any, why: str, source: str, expected: str | None
) -> None:
    """Write *mac* (canonical) as observed, in one change, on *interface* and those of its host that share its MAC.

    EUI-64 addresses follow. *expected* is the MAC that was shown as declared: Refused where it is another by now, and
    without *why*. ValidationError where somebody else holds *mac*. Nothing is written then.
    """
    if not why.strip():
        raise Refused("Say why; another identity is asked about later.")
    with change(interface.host.site, by=by, why=why, source=source) as the_change:
        row = Interface.objects.select_related("host__site", "segment").get(pk=interface.pk)
        if (row.mac or None) != (expected or None):
            raise Refused(f"{row} had {expected or 'no MAC'} when it was shown, and has {row.mac} by now.")
        rows = list(row.host.interfaces.filter(mac=row.mac).select_related("segment")) if row.mac else [row]
        the_change.reidentified |= {one.pk for one in rows}
        for one in rows:
            one.host = row.host
            one.mac, one.mac_kind = mac, Interface.MacKind.OBSERVED
            one.full_clean()
            one.save()
