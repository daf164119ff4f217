"""What the page of a job shows: its steps with their times, and what it said after a number."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from inventory.permissions import may, sites_where
from provisioning import kinds, states
from provisioning.admin.unlocked import needs_of
from provisioning.engine import parts, workers
from provisioning.kinds.base import TYPED, Kind
from provisioning.models import Job, JobEvent
from provisioning.requests import CANCEL, CONFIRM
from provisioning.unlocks.unlocking import PERMISSION as UNLOCK

#: so many lines at once; who wants more asks for all of them
MOST = 500
#: so many when somebody asked for all of them
MOST_OF_ALL = 20_000
#: keys of an outcome that people write in capitals
SHORT_WORDS = frozenset({"mac", "vmid", "ip", "ssh"})
#: of an outcome what the page has in another place
_SHOWN_APART = frozenset({"parts"})
_OF_A_PART = ("kind", "parameters", "site_slug", "state", "waiting_for")
#: seconds between two looks at a job that runs, and at one that waits for a person
LOOK_RUNNING, LOOK_WAITING = 1, 5


@dataclass(frozen=True)
class Step:
    """One step of an attempt."""

    attempt: int
    name: str
    began: datetime
    #: None while it runs; of one in which an attempt ended before its end, nobody knows
    seconds: float | None
    #: done, running, how the job ended here, or ``ENDED``
    state: str


#: of a step in which an earlier attempt ended: its worker died, a fault may pass, or it waited for a person
ENDED = "attempt ended"


def steps_of(job: Job) -> list[Step]:
    """The steps of all attempts, each until the next began; of very many the newest."""
    newest = job.events.filter(level="step").order_by("-number").values_list("attempt", "text", "at")[:MOST]
    rows = list(newest)[::-1]
    found = []
    for (attempt, name, began), later in zip_longest(rows, rows[1:]):
        if later is not None and later[0] == attempt:
            state, end = "done", later[2]
        elif attempt != job.attempt:
            state, end = ENDED, None
        else:
            state, end = "done" if job.state == states.SUCCEEDED else job.state, job.finished
        found.append(Step(attempt, name, began, (end - began).total_seconds() if end else None, state))
    return found


def said_after(job: Job, after: int, most: int = 0) -> list[JobEvent]:
    """The next lines after the one numbered *after*; never with a gap."""
    return list(job.events.filter(number__gt=after).order_by("number")[: most or MOST])


def mark_of(job: Job) -> str:
    """Moves when what stands above the lines has to be shown anew."""
    step = zlib.crc32(job.step.encode())
    return f"{job.state}.{job.attempt}.{step:x}.{job.fingerprint[:12]}.{bool(job.cancel_asked):d}"


def context_of(job: Job, user: Any) -> dict[str, Any]:
    """What the upper half of the page shows, and what this person may do there."""
    kind = kinds.find(job.kind)
    may_start = kind is not None and _may(user, kind.permission, job)
    waits = job.state == states.WAITING and job.waiting_for == states.CONFIRMATION
    return {
        "job": job,
        "kind": kind,
        "steps": steps_of(job),
        "plan": job.planned,
        # a destructive job keeps the plan that was confirmed
        "planned_anew": job.attempt > 1 and kind is not None and not kind.destructive,
        "meaning": states.MEANING.get(job.state, ""),
        "mark": mark_of(job),
        "unheard": workers.unheard(job.queue) if job.state == states.QUEUED else "",
        "may_cancel": job.is_active and not job.cancel_asked and _may(user, CANCEL, job),
        "may_confirm": waits and may_start and _may(user, CONFIRM, job),
        "may_run_again": job.is_finished and may_start and TYPED not in job.parameters,
        "way_out": _way_out(kind, job, user) if kind is not None else None,
        "anew": _anew(kind, job) if kind is not None and job.is_finished and may_start else None,
        "waits": waits,
        **needs_of(job),
        "may_unlock": _may(user, UNLOCK, job),
        "outcome": [
            (_label(name), _plain(job.outcome[name])) for name in sorted({*job.outcome} - _SHOWN_APART)
        ],
        "whole": job.parent if parts.is_part(job) else None,
        "parts": list(parts.of(job).only(*_OF_A_PART)[:MOST]),
        "poll": 0 if job.is_finished else LOOK_WAITING if job.state == states.WAITING else LOOK_RUNNING,
    }


@dataclass(frozen=True)
class Link:
    said: str
    address: str


def _way_out(kind: Kind, job: Job, user: Any) -> Link | None:
    """Where another job can be asked for that leads on, filled in; for who may ask for it."""
    way = kind.way_out(job)
    other = kinds.find(way.kind) if way else None
    if way is None or other is None or job.site is None or not _may(user, other.permission, job):
        return None
    address = reverse("admin:start_job_at", args=(job.site.slug, way.kind))
    return Link(way.said, f"{address}?{urlencode(way.parameters)}")


def _anew(kind: Kind, job: Job) -> Link | None:
    """Instead of running it again: where the name that is typed each time is asked for, the rest filled in."""
    if TYPED not in job.parameters or job.site is None:
        return None
    kept = {name: value for name, value in job.parameters.items() if name != TYPED and value}
    address = reverse("admin:start_job_at", args=(job.site.slug, kind.name))
    return Link("Ask for it anew", f"{address}?{urlencode(kept)}")


def _label(name: str) -> str:
    """``vmid`` → VMID, ``serial_of`` → Serial of."""
    return name.upper() if name in SHORT_WORDS else name.replace("_", " ").capitalize()


def _plain(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _may(user: Any, permission: str, job: Job) -> bool:
    if job.site_id is None:  # of every site, or of one that is gone
        return sites_where(user, permission) is None
    return may(user, permission, job.site_id)
