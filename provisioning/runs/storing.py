"""The only writer of runs, their events and their hosts. What an older attempt writes does not count."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q

from provisioning import states
from provisioning.adapters.ansible import Event, Result
from provisioning.engine.faults import Superseded
from provisioning.engine.moments import DatabaseTime
from provisioning.models import Job, PlaybookRun, RunEvent, RunHost
from provisioning.models.runs import OUTCOMES, worst
from provisioning.runs import freezing
from provisioning.runs.arguments import Arguments
from provisioning.runs.resolving import Frozen

#: characters of one event that are kept
LONGEST = 200_000
#: hosts that are named which no plan showed
MOST_OTHERS = 200
#: rows of one INSERT
AT_ONCE = 500
#: seconds between two tries to write
PAUSE = 0.5


def keep(job: Job, frozen: Frozen) -> PlaybookRun:
    """The row of *job*'s run, with what was frozen for it; the caller's transaction has the job too."""
    return PlaybookRun.objects.create(job=job, site=job.site, **columns(frozen))


def columns(frozen: Frozen) -> dict[str, Any]:
    arguments, wanted = frozen.arguments, frozen.wanted
    return {
        "template": arguments.template,
        "project": arguments.project.name,
        "playbook": arguments.playbook,
        "commit": frozen.commit,
        "revision": wanted.revision,
        "inventory": freezing.keep(frozen.inventory),
        "arguments": arguments.as_json(),
        "digest": frozen.digest,
        "check_mode": arguments.check,
        "relation": wanted.relation,
        "origin": wanted.origin,
    }


def may_repeat(job: Job) -> bool:
    """Whether what a worker left of *job* may begin again unseen."""
    run = PlaybookRun.objects.filter(pk=job.pk).only("check_mode", "begun").first()
    return run is None or run.begun is None or run.check_mode


class Store:
    """Keeps what Ansible says in one attempt. Counters and lines go on where the attempts before ended."""

    def __init__(self, job: Job, attempt: int) -> None:
        self.job, self.attempt = job, attempt
        run = PlaybookRun.objects.get(pk=job.pk)
        self._before, self._lines_before = run.last_event, run.lines
        self._shown = {*Arguments.from_json(run.arguments).hosts}
        self._others = {*run.others}
        #: host → what was gathered of it
        self.facts: dict[str, Any] = {}

    @contextmanager
    def fenced(self) -> Iterator[None]:
        """A transaction in which the job is this attempt's, or Superseded is raised and nothing is written."""
        mine = Q(state=states.RUNNING, attempt=self.attempt)
        with transaction.atomic():
            # this locks the row: nobody claims or reaps the job before the commit
            if not Job.objects.filter(mine, pk=self.job.pk).update(heartbeat=DatabaseTime()):
                raise Superseded(f"job {self.job.pk} is not attempt {self.attempt}'s any more")
            yield

    def refreeze(self, frozen: Frozen) -> None:
        """Give the run other inputs, which nobody has confirmed yet."""
        with self.fenced():
            self._update(**columns(frozen))

    def begin(self) -> None:
        """From here on hosts may have been changed."""
        with self.fenced():
            self._update(begun=DatabaseTime())

    def events(self, events: Sequence[Event]) -> None:
        """Keep *events*, all of them or none."""
        if not events:
            return
        self._patiently(lambda again: self._write([self._row(event) for event in events], again=again))
        self._others |= {
            name for event in events for name in (event.host, event.delegated) if name
        } - self._shown
        self.facts |= {event.host: event.facts for event in events if event.facts and event.host}

    def _patiently(self, write: Callable[[bool], None]) -> None:
        """Write though the database is away for a moment, Ansible waiting meanwhile; not for longer than the lease.

        *write* is told whether it is tried again.
        """
        until, again = time.monotonic() + settings.JOB_LEASE_SECONDS, False
        while True:
            try:
                return write(again)
            except (OperationalError, InterfaceError):
                if connection.in_atomic_block or time.monotonic() >= until:
                    raise
                connection.close()
                time.sleep(PAUSE)
                again = True

    def _write(self, rows: list[RunEvent], *, again: bool = False) -> None:
        with self.fenced():
            # of a commit that was not answered nobody knows whether it was made: then the rows are there
            RunEvent.objects.bulk_create(rows, batch_size=AT_ONCE, ignore_conflicts=again)
            last = max(rows, key=lambda row: row.counter)
            end = max(row.first_line + row.lines - 1 for row in rows)
            self._update(last_event=last.counter, lines=max(end, self._lines_before))

    def result(self, result: Result) -> dict[str, int]:
        """Keep how each host fared; how many there are of each."""
        counts = Counter(worst(stats) for stats in result.stats.values())
        with self.fenced():
            RunHost.objects.filter(run=self.job.pk).delete()
            RunHost.objects.bulk_create(
                (
                    RunHost(run_id=self.job.pk, host=host, **_counted(stats))
                    for host, stats in result.stats.items()
                ),
                batch_size=AT_ONCE,
            )
            others = sorted(self._others)[:MOST_OTHERS]
            found = {name: counts.get(name, 0) for name in ("ok", "changed", "failed", "unreachable")}
            self._update(
                rc=result.rc,
                complaint=_shortened(result.complaint),
                others=others,
                **{f"hosts_{name}": number for name, number in found.items()},
            )
        return found

    def _update(self, **values: Any) -> None:
        PlaybookRun.objects.filter(pk=self.job.pk).update(**values)

    def _row(self, event: Event) -> RunEvent:
        return RunEvent(
            run_id=self.job.pk,
            counter=self._before + event.counter,
            attempt=self.attempt,
            uuid=event.uuid[:40],
            kind=event.kind[:60],
            at=datetime.fromisoformat(event.at),
            play=event.play[:300],
            task=event.task[:500],
            role=event.role[:200],
            host=event.host[:255],
            outcome=event.outcome,
            first_line=self._lines_before + event.first_line + 1,
            lines=len(event.lines),
            text=_shortened("\n".join(event.lines)),
            diff=_shortened(event.diff),
            duration=event.duration,
        )


def _counted(stats: Mapping[str, int]) -> dict[str, int]:
    return {name: stats.get(name, 0) for name in OUTCOMES}


def _shortened(text: str) -> str:
    # PostgreSQL keeps no NUL in a text
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}\n[{len(text) - LONGEST} more characters are not kept]"
