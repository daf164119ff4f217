"""One attempt at a run: lay out what was frozen, gather its secrets, let Ansible do it, keep what it says."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DatabaseError

from inventory import reading
from provisioning.adapters import ansible
from provisioning.adapters.ansible import Result
from provisioning.engine.faults import Cancelled, JobFailed
from provisioning.models import PlaybookRun
from provisioning.observed import observing
from provisioning.plans import Plan
from provisioning.projects import Moved
from provisioning.runs import asking, beside, gathering, holding, places, resolving
from provisioning.runs.arguments import Arguments
from provisioning.runs.asking import Wanted
from provisioning.runs.beside import Another
from provisioning.runs.storing import Store, keep
from provisioning.secrets import NeedsUnlock

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn

#: seconds between two looks whether the run is to stop
LOOK_EVERY = 0.5


def plan_in(turn: Turn) -> Plan:
    """The plan that was frozen with the job; where the clock asked, it is frozen now."""
    if PlaybookRun.objects.filter(pk=turn.job.pk).exists() and turn.job.planned is not None:
        return turn.job.planned
    turn.step("Freeze the inputs")
    try:
        wanted = asking.understood(turn.asked)
    except asking.NotAskable as refusal:
        raise JobFailed(str(refusal), "Mend the template, or what asks for it.") from None
    plan, frozen = resolving.planned(wanted, turn)
    if frozen is not None:
        _keep(turn, frozen)
        holding.take(turn.job, frozen.arguments.hosts, turn.attempt)
    return plan


def _keep(turn: Turn, frozen: resolving.Frozen) -> None:
    turn.check()
    keep(turn.job, frozen)
    turn.keep_plan(frozen.plan)


def run(turn: Turn) -> None:
    """Do it. The run's folder is gone afterwards, whatever happens."""
    marker = places.marker_of(turn.job.pk)
    ansible.end_strays(marker)
    row = PlaybookRun.objects.select_related("inventory").get(pk=turn.job.pk)
    arguments = Arguments.from_json(row.arguments)
    store = Store(turn.job, turn.attempt)
    with places.fresh(turn.job.pk) as folder:
        turn.step("Lay out what was frozen")
        try:
            snapshot = reading.load(turn.job.site_slug)
            code = resolving.obtained(snapshot, arguments.project, turn, at=row.commit)
            laid = resolving.lay_out(arguments, code, row.inventory.text, folder, turn.check)
            beside.require_same(arguments, laid, turn.check)
        except NeedsUnlock as locked:
            turn.need_secrets(locked.needs)
        except (Moved, Another) as moved:
            _show_anew(turn, store, row, moved)
            raise
        given = gathering.gather(turn, arguments)
        launch = replace(
            resolving.launch(arguments, laid, folder, marker),
            secret_vars=given.variables,
            extra_vars=given.extra_vars,
            vault_passwords=given.vault_passwords,
            ssh_key=given.ssh_key,
            known_hosts=gathering.known_hosts(laid.project, snapshot),
        )
        turn.step(f"Run {arguments.playbook} on {_counted(len(arguments.hosts))}")
        store.begin()
        result = ansible.run(launch, on_events=store.events, stopped=_Watch(turn).stopped)
    _end(turn, arguments, store, result)


def _show_anew(turn: Turn, store: Store, row: PlaybookRun, moved: Moved | Another) -> None:
    """A directory, or what lies beside it, is not what was shown: freeze it as it is, and wait for a confirmation."""
    wanted = Wanted(
        replace(Arguments.from_json(row.arguments), plays=()),
        row.revision,
        reading.load(turn.job.site_slug),
        inventory=row.inventory.text,
        relation=row.relation,
        origin=row.origin,
    )
    plan, frozen = resolving.planned(wanted, turn)
    if frozen is None:
        raise JobFailed(" ".join((str(moved), *plan.problems))) from None
    store.refreeze(frozen)
    turn.event("warning", str(moved))
    turn.need_confirmation(plan)


class _Watch:
    """Says when to stop; the adapter asks in the thread of the turn."""

    def __init__(self, turn: Turn) -> None:
        self._turn, self._cancelled = turn, False
        self._looked = self._known = time.monotonic()

    def stopped(self) -> bool:
        """Whether somebody cancelled. Raises Superseded, upon which the adapter ends everything as well."""
        now = time.monotonic()
        if not self._cancelled and now - self._looked >= LOOK_EVERY:
            self._looked = now
            self._look(now)
        return self._cancelled

    def _look(self, now: float) -> None:
        try:
            self._turn.check()
            self._known = time.monotonic()
        except Cancelled:
            self._cancelled = True
        except DatabaseError:
            # not known for longer than the lease whether the job is still ours: somebody else may be at the hosts
            if now - self._known > settings.JOB_LEASE_SECONDS:
                raise


def _end(turn: Turn, arguments: Arguments, store: Store, result: Result) -> None:
    counts = store.result(result)
    turn.outcome |= {"rc": result.rc, "status": result.status, "hosts": sum(counts.values()), **counts}
    gathering.forget(turn.job.pk)
    _observed(turn, store)
    said = _in_words(result, counts)
    if result.status == "cancelled":
        turn.check()  # raises Cancelled with who asked
        raise Cancelled("stopped")
    if result.status == "timed_out":
        raise JobFailed(
            f"{arguments.playbook} took longer than its time limit of {arguments.time_limit_minutes} minutes and was ended "
            f"with everything that it had started. {said}",
            "Give the template more time, or look at what hangs; then relaunch it.",
        )
    if result.status != "successful":
        raise JobFailed(said, "Look at the output, mend it, then relaunch on what failed.")
    turn.message = said


def _observed(turn: Turn, store: Store) -> None:
    """What was gathered of hosts is kept, however the run ended; what cannot be kept fails no run."""
    if not store.facts or turn.job.site is None:
        return
    turn.check(cancellable=False)
    try:
        observing.keep(turn.job.site, turn.job.pk, store.facts)
    except (ValueError, TypeError, KeyError, DatabaseError) as fault:  # a host may say anything
        turn.event("warning", f"What was gathered could not be kept ({type(fault).__name__}).")


def _in_words(result: Result, counts: dict[str, int]) -> str:
    """Such as “3 hosts: 1 changed, 1 failed (web02), 1 unreachable (web03).”."""
    parts = []
    for name in ("ok", "changed", "failed", "unreachable"):
        if not counts[name]:
            continue
        named = _named(result, name) if name in ("failed", "unreachable") else ""
        parts.append(f"{counts[name]} {name}{named}")
    told = (
        f"{_counted(sum(counts.values()))}: {', '.join(parts)}."
        if parts
        else "No host was reached by a task."
    )
    return f"{told} {result.message}".strip() if result.status not in ("successful", "cancelled") else told


def _named(result: Result, outcome: str) -> str:
    hosts = sorted(host for host, stats in result.stats.items() if stats.get(outcome))
    more = f" and {len(hosts) - 5} more" if len(hosts) > 5 else ""
    return f" ({', '.join(hosts[:5])}{more})"


def _counted(number: int) -> str:
    return f"{number} host{'' if number == 1 else 's'}"
