"""Which workers live, as far as they have been heard; what to tell people when none has."""

from __future__ import annotations

from mgmtplane.celery import LONG, SHORT
from provisioning import states
from provisioning.engine.moments import DatabaseTime, database_now
from provisioning.models import Job, Worker

#: a worker says so this often (seconds), and counts as gone after so long a silence
SAY_EVERY, SILENT_AFTER = 5.0, 60.0
#: and as busy with nothing only while it was heard just now
ALIVE = 15.0
FORGET_AFTER = 86_400.0


def heard(name: str, queues: list[str], slots: int) -> None:
    """Write down that the worker *name* lives, if that is not written down yet."""
    row = Worker.objects.filter(name=name)
    said = ",".join(queues)
    if row.filter(seen__gt=DatabaseTime(-SAY_EVERY), queues=said, slots=slots).exists():
        return
    now = DatabaseTime()
    if not row.update(seen=now, queues=said, slots=slots):
        made = {"seen": now, "started": now, "queues": said, "slots": slots}
        Worker.objects.get_or_create(name=name, defaults=made)


def silent_queues() -> list[str]:
    """The queues of which no worker has been heard for a minute."""
    alive = Worker.objects.filter(seen__gt=DatabaseTime(-SILENT_AFTER)).values_list("queues", flat=True)
    served = {queue for queues in alive for queue in queues.split(",")}
    return [queue for queue in (SHORT, LONG) if queue not in served]


def unheard(queue: str) -> str:
    """One sentence when no worker of *queue* has been heard for a minute, or ever; else empty."""
    return _sentence([queue]) if queue in silent_queues() else ""


def silence() -> str:
    """One sentence for a banner when workers that there were went silent, or a job waits in vain; else empty.

    A new installation, where nothing was asked for yet, is not at fault.
    """
    missing = silent_queues()
    if not missing:
        return ""
    once = {
        queue for queues in Worker.objects.values_list("queues", flat=True) for queue in queues.split(",")
    }
    long_ago = Job.objects.filter(
        state=states.QUEUED, created__lt=DatabaseTime(-SILENT_AFTER), queue__in=missing
    )
    missed = [queue for queue in missing if queue in once]
    return _sentence(missed) if missed else _sentence(missing) if long_ago.exists() else ""


def _sentence(queues: list[str]) -> str:
    whose = "No worker" if len(queues) > 1 else f"No worker for {queues[0]} jobs"
    return f"{whose} has been heard for a minute: what is asked for waits. See that the workers run."


def ages() -> dict[str, float]:
    """Seconds since each queue's worker that was heard last; queues without any are left out."""
    now = database_now()
    found: dict[str, float] = {}
    for queues, seen in Worker.objects.values_list("queues", "seen"):
        for queue in queues.split(","):
            age = max(0.0, (now - seen).total_seconds())
            found[queue] = min(found.get(queue, age), age)
    return found


def idle(queue: str) -> bool:
    """Whether a worker of *queue* that lives has a thread to spare."""
    alive = Worker.objects.filter(seen__gt=DatabaseTime(-ALIVE)).values_list("queues", "slots")
    slots = sum(slots for queues, slots in alive if queue in queues.split(","))
    return bool(slots) and Job.objects.filter(state=states.RUNNING, queue=queue).count() < slots


def forget() -> int:
    """Remove the rows of workers that are long gone; how many."""
    return Worker.objects.filter(seen__lt=DatabaseTime(-FORGET_AFTER)).delete()[0]
