"""What is no longer kept of runs: output after RUN_KEEP_DAYS, inputs that no run names, folders that nobody removed."""

from __future__ import annotations

import shutil
import time

from django.conf import settings
from django.db.models import Exists, OuterRef

from provisioning import states
from provisioning.engine.moments import DatabaseTime
from provisioning.models import FrozenInput, Job, PlaybookRun, RunEvent
from provisioning.runs import places

DAY = 86_400.0  # seconds
#: runs whose output is removed in one transaction, and events of one DELETE
RUNS_AT_ONCE, EVENTS_AT_ONCE = 50, 5000
#: seconds after which nobody plans in a folder any more
PLANNED = 3600.0
#: seconds in which whoever froze an input has made the run that names it
YOUNG = 3600.0


def prune() -> tuple[int, int, int]:
    """How many runs lost their output, how many inputs went, how many folders."""
    return _outputs(), _inputs(), _folders()


def _outputs() -> int:
    """The numbers of hosts stay as long as the job."""
    old = PlaybookRun.objects.filter(
        pruned__isnull=True,
        job__state__in=states.FINISHED,
        job__finished__lt=DatabaseTime(-DAY * settings.RUN_KEEP_DAYS),
    )
    removed = 0
    while pks := list(old.order_by("pk").values_list("pk", flat=True)[:RUNS_AT_ONCE]):
        _events(pks)
        removed += PlaybookRun.objects.filter(pk__in=pks).update(pruned=DatabaseTime())
    return removed


def _events(runs: list[int]) -> None:
    """In small steps: nobody waits for the deletion of a million rows."""
    rows = RunEvent.objects.filter(run__in=runs).order_by("pk")
    while events := list(rows.values_list("pk", flat=True)[:EVENTS_AT_ONCE]):
        RunEvent.objects.filter(pk__in=events).delete()


def _inputs() -> int:
    named = PlaybookRun.objects.filter(inventory=OuterRef("pk"))
    gone = FrozenInput.objects.filter(~Exists(named), created__lt=DatabaseTime(-YOUNG))
    return gone.delete()[0]


def _folders() -> int:
    """Folders of runs that are not running, and of plans whose process is gone."""
    removed = 0
    for folder in places.all_of_them().iterdir():
        if folder.name.startswith(places.PLANNING):
            left = folder.stat().st_mtime < time.time() - PLANNED
        else:
            left = not Job.objects.filter(pk=_number(folder.name), state=states.RUNNING).exists()
        if left:
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed


def _number(name: str) -> int:
    return int(name) if name.isascii() and name.isdecimal() and len(name) < 19 else 0
