"""What housekeeping does, one function a chore; each says in a few words what it did."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from inventory import quarantine, remembered
from inventory.copying import copies
from inventory.models import Project
from inventory.serving import renderings
from provisioning import states
from provisioning.adapters import ansible
from provisioning.adapters.commands import go_on
from provisioning.clockwork import clock, powered
from provisioning.drills import scratch
from provisioning.engine import workers
from provisioning.engine.moments import DatabaseTime
from provisioning.models import Job, Unlocking
from provisioning.projects import tidying
from provisioning.runs import pruning

KEEP_MESSAGES = 3600.0  # seconds
DAY = 86_400.0  # seconds
AT_ONCE = 1000


def clear_sessions() -> str:
    call_command("clearsessions")
    return "removed expired sessions"


def clear_messages() -> str:
    removed = remove_delivered_messages(
        settings.BROKER_DIR / "processed", older_than=time.time() - KEEP_MESSAGES
    )
    return f"removed {removed} delivered messages"


def prune_renderings() -> str:
    rows, files = renderings.prune()
    return f"removed {rows} renderings and {files} files"


def end_quarantines() -> str:
    return f"ended the quarantine of {quarantine.release_expired()} identities"


def forget_answers() -> str:
    return f"forgot {remembered.prune()} answers of the API"


def forget_rumours() -> str:
    return f"forgot {copies.forget_rumours()} copies that nobody proved"


def prune_jobs() -> str:
    """Finished jobs go with their events; of each kind at each site the newest stays."""
    old = DatabaseTime(-DAY * settings.JOB_KEEP_DAYS)
    newest = Job.objects.filter(state__in=states.FINISHED).order_by("kind", "site_slug", "-pk")
    kept = {(kind, site): pk for pk, kind, site in reversed(newest.values_list("pk", "kind", "site_slug"))}
    gone = Job.objects.filter(state__in=states.FINISHED, finished__lt=old).exclude(pk__in=kept.values())
    removed = 0
    while pks := list(gone.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        Job.objects.filter(pk__in=pks).delete()
        removed += len(pks)
    forgotten = clock.forget()
    return f"removed {removed} old jobs, {workers.forget()} workers and {forgotten} schedules that are gone"


def prune_unlockings() -> str:
    """Who unlocked what is kept as long as what was done with it."""
    removed, _ = Unlocking.objects.filter(at__lt=DatabaseTime(-DAY * settings.JOB_KEEP_DAYS)).delete()
    return f"removed {removed} lines about secrets that were unlocked"


def prune_runs() -> str:
    outputs, inputs, folders = pruning.prune()
    return f"removed the output of {outputs} runs, {inputs} frozen inputs and {folders} folders"


def end_orphans() -> str:
    """On this machine alone: what a worker left here, another cannot see."""
    return f"ended what {ansible.end_orphans()} broken runs had left"


def tidy_projects() -> str:
    """What a finished job may be run again with stays as long as the job; what a waiting one holds, as long as it waits."""
    declared = set(Project.objects.values_list("site__slug", "name"))
    waits = 3600.0 * settings.JOB_WAIT_HOURS
    kept = max(waits, DAY * settings.JOB_KEEP_DAYS)
    return str(tidying.tidy(Path(settings.DATA_DIR), declared, unused=waits, kept=kept, check=go_on))


def end_drills() -> str:
    """On this machine alone: what a drill that was killed left."""
    return f"removed {scratch.sweep()} places of broken drills"


def forget_spans() -> str:
    return f"forgot {powered.forget()} spans of powered-on time"


CHORES: tuple[Callable[[], str], ...] = (
    clear_sessions,
    clear_messages,
    prune_renderings,
    end_quarantines,
    forget_answers,
    forget_rumours,
    prune_jobs,
    tidy_projects,
    prune_unlockings,
    prune_runs,
    end_orphans,
    end_drills,
    forget_spans,
)


def remove_delivered_messages(folder: Path, *, older_than: float) -> int:
    """Delete the files in *folder* last written before *older_than* (seconds since the epoch); how many."""
    removed = 0
    for path in folder.glob("*.msg"):
        if path.stat().st_mtime < older_than:
            path.unlink(missing_ok=True)
            removed += 1
    return removed
