"""Rows put back from an archive made another copy's, in their own transaction: read-only, and nothing of them under way."""

from __future__ import annotations

from django.apps.registry import Apps
from django.utils import timezone

from inventory.copying import copies
from provisioning import states

STOOD_IN_A_BACKUP = (
    "It stood in the backup that this copy was restored from, and the copy that was live may have gone on with it. Look "
    "at what there is, then ask anew."
)


def make(then: Apps, archive: str) -> None:
    """Of the models *then*, of the archive's version. The caller's transaction is that in which the rows were put back."""
    end_jobs(then)
    try:
        copy = then.get_model("inventory", "Copy")
    except (
        LookupError
    ):  # of before there were such: the migration that makes them asks ``inventory.copying.unfinished``
        return
    copies.renew(archive, copy)


def end_jobs(then: Apps, said: str = STOOD_IN_A_BACKUP) -> int:
    """End what was queued, running or waiting; how many. No clock is asked which those are: they are all that there are.

    Past ``provisioning.engine.moves``, since the models may be of an older version, and without events: tables are
    compared by their number of rows afterwards. Nobody works here yet.
    """
    try:
        model = then.get_model("provisioning", "Job")
    except LookupError:
        return 0
    fields = {field.name for field in model._meta.concrete_fields}
    over = {
        "message": said,
        "finished": timezone.now(),
        "lease_until": None,
        "waiting_for": "",
        "needs": [],
    }
    over = {name: value for name, value in over.items() if name in fields}
    active = model.objects.filter(state__in=states.ACTIVE)
    lost = active.filter(state=states.RUNNING).update(state=states.LOST, **over)
    return lost + active.update(state=states.CANCELLED, **over)
