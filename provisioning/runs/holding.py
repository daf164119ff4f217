"""One at a time at each host: runs, and jobs at a machine. All hosts of a job are taken together, or none of them.

Whoever finds one taken stays queued and says for whom it waits; no worker is held meanwhile. Who waits is served in the
order of asking: nobody takes a host for which an older job waits, and a part stands where its whole does. The unique
constraint decides, not the look before.

A machine that is declared at two sites, by the same MAC, is one machine: what is at it at one site is at it at the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Greatest

from inventory.models import Identity
from provisioning import states
from provisioning.engine.faults import Paused, Superseded
from provisioning.engine.moments import DatabaseTime
from provisioning.engine.moves import move, note
from provisioning.models import HostHold, Job, PlaybookRun
from provisioning.runs.arguments import Arguments

#: seconds before a job that waits for a host is looked at again
AGAIN_AFTER = 3.0
#: seconds for which a place in the line is kept for a job that no worker looks at
STANDS = 60.0
#: hosts that are named in a sentence
NAMED = 3


def hosts_of(job: Job) -> tuple[str, ...]:
    """The hosts that *job* has to itself while it runs; none where it does not know them yet."""
    if job.site_id is None:
        return ()
    run = PlaybookRun.objects.filter(pk=job.pk).only("arguments").first()
    if run is not None:
        return Arguments.from_json(run.arguments).hosts
    _, _, host = job.machine_key.partition("/")
    return (host,) if host else ()


def must_wait(job: Job) -> bool:
    """Whether somebody else is at a host of *job*, which is queued; it then says so, and is looked at again later."""
    places = _places(job, hosts_of(job))
    said = _taken(job, places) or _in_line(job, places)
    if not said:
        return False
    later: dict[str, Any] = {"not_before": DatabaseTime(AGAIN_AFTER), "sent": None}
    queued = Q(state=states.QUEUED)
    if said != job.message:
        note(job.pk, said, where=queued, message=said, **later)
    else:
        Job.objects.filter(queued, pk=job.pk).update(**later)
    return True


def take(job: Job, hosts: tuple[str, ...], attempt: int) -> None:
    """Take *hosts* for *job*, whose *attempt* runs, or send it back to wait: raises Paused, and Superseded."""
    if not hosts or job.site is None:
        return
    places = _places(job, hosts)
    mine = Q(state=states.RUNNING, attempt=attempt)
    try:
        with transaction.atomic():
            if not Job.objects.filter(mine, pk=job.pk).update(heartbeat=DatabaseTime()):
                raise Superseded(f"job {job.pk} is not attempt {attempt}'s any more")
            places -= set(HostHold.objects.filter(job=job).values_list("site", "host"))
            if said := _in_line(job, places):
                raise _Behind(said)
            HostHold.objects.bulk_create(
                HostHold(site_id=site, host=host, job=job) for site, host in sorted(places)
            )
    except (IntegrityError, _Behind) as behind:
        said = str(behind) if isinstance(behind, _Behind) else _taken(job, places)
        said = said or "Waits: another job was at one of its hosts."
        tries = Greatest(F("tries") - 1, 0)
        back: dict[str, Any] = {"not_before": DatabaseTime(AGAIN_AFTER), "sent": None, "tries": tries}
        if not move(job.pk, states.RUNNING, states.QUEUED, said=said, where=mine, message=said, **back):
            raise Superseded(f"job {job.pk} is not attempt {attempt}'s any more") from None
        raise Paused from None


def release(job_id: int, attempt: int) -> None:
    """Let go of what *attempt* took, unless a later attempt of the job is at it by now."""
    later = Job.objects.filter(pk=job_id, state=states.RUNNING, attempt__gt=attempt)
    if HostHold.objects.filter(~Exists(later), job=job_id).delete()[0]:
        wake()


def reap() -> int:
    """Let go of what jobs hold that do not run: their worker is gone. How many hosts."""
    running = Job.objects.filter(pk=OuterRef("job_id"), state=states.RUNNING)
    gone = HostHold.objects.filter(~Exists(running)).delete()[0]
    if gone:
        wake()
    return gone


def wake() -> None:
    """Whoever waits for a host is looked at now."""
    Job.objects.filter(state=states.QUEUED, message__startswith=WAITS).update(not_before=DatabaseTime())


WAITS = "Waits for job "


class _Behind(Exception):
    """An older job comes first; the message says which."""


#: (site's id, name of a host)
Place = tuple[int, str]


def _places(job: Job, hosts: Iterable[str]) -> set[Place]:
    """*hosts* at the job's site, and the same machines wherever else they are declared."""
    if job.site_id is None or not (own := {(job.site_id, host) for host in hosts}):
        return set()
    macs = Identity.objects.filter(kind=Identity.Kind.MAC, state__in=_CLAIMED)
    mine = macs.filter(site=job.site_id, host_name__in=hosts).values("value")
    return own | set(macs.filter(value__in=mine).values_list("site", "host_name"))


_CLAIMED = (Identity.State.HELD, Identity.State.DISPUTED)


def _others(job: Job) -> Q:
    """Not the job itself, and not the one that it is a part of."""
    return ~Q(job__in=[job.pk, job.parent_id or job.pk])


def _taken(job: Job, places: set[Place]) -> str:
    """Who is at one of *places*, such as “Waits for job 12 at web01.”; empty where nobody is in the way."""
    if not places:
        return ""
    at = {"site__in": {site for site, _ in places}, "host__in": {host for _, host in places}}
    rows = (
        HostHold.objects.filter(_others(job), **at).order_by("job", "host").values_list("job", "site", "host")
    )
    held = [(number, host) for number, site, host in rows if (site, host) in places]
    return _in_words(held[0][0], (host for number, host in held if number == held[0][0])) if held else ""


def _in_line(job: Job, places: set[Place]) -> str:
    """Which older job waits for one of *places*, or is just about to take it; empty: none does.

    One that no worker has looked at for a while is in nobody's way.
    """
    if not places:
        return ""
    waits = Q(state=states.QUEUED, message__startswith=WAITS, not_before__gt=DatabaseTime(-STANDS))
    begins = Q(state=states.RUNNING) & ~Exists(HostHold.objects.filter(job=OuterRef("pk")))
    rows = Job.objects.filter(waits | begins, site__in={site for site, _ in places})
    for older in rows.exclude(pk__in=[job.pk, job.parent_id or job.pk]).order_by("pk"):
        wanted = {(older.site_id, host) for host in hosts_of(older)} & places
        if wanted and _rank(older) < _rank(job):
            waiting = older.state == states.QUEUED
            return _in_words(older.pk, (host for _, host in wanted), waiting=waiting)
    return ""


def _rank(job: Job) -> int:
    """Its place in the line: a part stands where its whole does, which waits for it."""
    from provisioning.engine import parts

    return job.parent_id if job.parent_id is not None and parts.is_part(job) else job.pk


def _in_words(number: int, named: Iterable[str], *, waiting: bool = False) -> str:
    hosts = sorted(set(named))
    more = f" and {len(hosts) - NAMED} more" if len(hosts) > NAMED else ""
    at = f"{WAITS}{number} at {', '.join(hosts[:NAMED])}{more}"
    return f"{at}, which was asked for before and waits as well." if waiting else f"{at}."
