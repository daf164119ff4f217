"""Asking for jobs, confirming and cancelling them. Browser, command and clock all come here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q

from inventory.models import Site
from provisioning import kinds, states
from provisioning.engine import parts, standing
from provisioning.engine.asking import Refused, allowed, person, require
from provisioning.engine.delivery import deliver
from provisioning.engine.moments import DatabaseTime
from provisioning.engine.moves import move, note
from provisioning.engine.turns import without_secrets
from provisioning.kinds.base import TYPED, Asked, Kind, plain
from provisioning.models import Job
from provisioning.plans import Plan
from provisioning.redaction import holds_secret, redact
from provisioning.unlocks.unlocking import answer, lock, unlock

__all__ = [
    "Refused",
    "answer",
    "cancel",
    "check",
    "confirm",
    "lock",
    "request",
    "run_again",
    "show_plan",
    "unlock",
]

CONFIRM, CANCEL = "provisioning.confirm_job", "provisioning.cancel_job"
READ_RUNS = "provisioning.view_run"


@dataclass(frozen=True)
class _Wanted:
    """A request that is understood and allowed."""

    kind: Kind
    asked: Asked
    parameters: dict[str, Any]

    @property
    def columns(self) -> dict[str, Any]:
        site = self.asked.site
        return {
            "kind": self.kind.name,
            "parameters": self.parameters,
            "site": site,
            "site_slug": site.slug if site else "",
            "machine_key": self.kind.machine_key(self.asked),
            "target_key": self.kind.target_key(self.asked),
            "queue": self.kind.queue,
        }


def request(
    kind: str,
    *,
    site: Site | None = None,
    parameters: Mapping[str, Any] | None = None,
    by: Any,
    why: str,
    key: str = "",
    confirmed: str = "",
    parent: Job | None = None,
    schedule: str = "",
    due: Any = None,
    reads: bool = True,
) -> Job:
    """Make a job and tell the workers. Raises Refused, and PermissionDenied where *by*, a user, may not.

    *by* may be a name instead (a command, the clock): who runs those may. *key* names this request: a second one of the
    same person with it gets the same job. *confirmed* is the fingerprint of the plan that was shown; a destructive job
    without it waits for a confirmation, with another it is refused with the plan as it is now. Not *reads*: a refusal is
    told to others than *by*, who may not read what runs say.
    """
    wanted = _understood(kind, site, parameters or {}, by, why, reads=reads)
    standing.require_live(wanted.kind, site)
    if (known := _same(by, key)) is not None:
        return _repeated(known, wanted)
    plan = _planned(wanted, by_clock=bool(schedule))
    columns = {
        **wanted.columns,
        **person(by),
        "by_user": isinstance(by, User),
        "why": redact(why),
        "request_key": key,
        "parent": parent,
        "schedule": schedule,
        "due": due,
        "sent": DatabaseTime(),
        **_beginning(wanted.kind, site, plan, confirmed, by),
    }
    try:
        with transaction.atomic():
            job = Job.objects.create(**columns)
            wanted.kind.keep(job, wanted.asked)
            note(job.pk, _asked_for(job, plan))
            if job.state == states.QUEUED:
                transaction.on_commit(partial(deliver, job.pk, job.queue))
    except IntegrityError:
        if (known := _same(by, key)) is not None:
            return _repeated(known, wanted)
        raise _taken(wanted, schedule, due) from None
    return job


def show_plan(
    kind: str, *, site: Site | None = None, parameters: Mapping[str, Any] | None = None, by: Any
) -> Plan:
    """What such a job would do now; nothing is kept. Raises as ``request`` does, but not for the plan's problems."""
    return without_secrets(
        (wanted := _understood(kind, site, parameters or {}, by, "")).kind.plan(wanted.asked)
    )


def check(kind: str, *, site: Site | None, parameters: Mapping[str, Any], by: Any) -> Asked:
    """What is asked for. Raises as ``request`` does for what is asked wrongly or by the wrong person; the world is not
    looked at."""
    return _understood(kind, site, parameters, by, "").asked


def confirm(job: Job, fingerprint: str, *, by: Any) -> Job:
    """Let a waiting job go on with exactly the plan of *fingerprint*. Raises Refused with the plan as it is now."""
    require(by, CONFIRM, job.site)
    if (kind := kinds.find(job.kind)) is not None:
        require(by, kind.permission, job.site)
    standing.require_live(kind, job.site)
    name = person(by)["by_name"]
    won = move(
        job.pk,
        states.WAITING,
        states.QUEUED,
        said=f"Confirmed by {name}.",
        where=Q(waiting_for=states.CONFIRMATION, fingerprint=fingerprint) & ~Q(fingerprint=""),
        confirmed=fingerprint,
        confirmed_by=name,
        confirmed_at=DatabaseTime(),
        tries=0,
        plan_begun=False,
        sent=DatabaseTime(),
    )
    job.refresh_from_db()
    if won:
        transaction.on_commit(partial(deliver, job.pk, job.queue))
        return job
    if job.state == states.WAITING and job.waiting_for == states.CONFIRMATION:
        raise Refused("The plan is another by now; look at it as it is.", plan=job.planned, job=job)
    raise Refused(f"Job {job.pk} does not wait for a confirmation; it is {job.state}.", job=job)


def cancel(job: Job, *, by: Any) -> Job:
    """Cancel a job: at once where it is not running, else before its next step. Raises Refused for a finished one."""
    require(by, CANCEL, job.site)
    name = person(by)["by_name"]
    asked = {"cancel_asked": DatabaseTime(), "cancel_asked_by": name}
    job.refresh_from_db()
    said = f"Cancelled by {name}, {_where_it_stood(job)}."
    if not move(
        job.pk,
        (states.QUEUED, states.WAITING),
        states.CANCELLED,
        said=said,
        message=said,
        level="warning",
        where=Q(started__isnull=job.started is None, waiting_for=job.waiting_for),
        **asked,
    ):
        running = Q(state=states.RUNNING, cancel_asked__isnull=True)
        note(
            job.pk,
            f"{name} asks to cancel; it stops before its next step.",
            level="warning",
            where=running,
            **asked,
        )
    job.refresh_from_db()
    if job.state in (states.QUEUED, states.WAITING):  # it moved between the two
        return cancel(job, by=by)
    parts.cancel_those_of(job)
    if job.is_finished and job.state != states.CANCELLED:
        raise Refused(f"Job {job.pk} has {job.state} already; there is nothing left to cancel.", job=job)
    return job


def _where_it_stood(job: Job) -> str:
    """Of a job that no worker is at, for the sentence that it was cancelled."""
    if job.started is None:
        return "before it was taken up"
    waited = {
        states.CONFIRMATION: "while it waited for somebody to confirm its plan",
        states.UNLOCK: "while it waited for a secret",
        states.PART: "while it waited for its part",
    }
    where = waited.get(job.waiting_for, "before it was taken up again")
    if job.waiting_for == states.CONFIRMATION and job.attempt <= 1:
        return where
    return f"{where}; what was done before it stays done"


def run_again(job: Job, *, by: Any, why: str, key: str = "") -> Job:
    """A new job like *job*. Raises as ``request`` does, and Refused where a name is to be typed once more."""
    if job.is_active:
        raise Refused(f"Job {job.pk} is still {job.state}; wait for it, or cancel it.", job=job)
    if TYPED in job.parameters:
        raise Refused(
            f"What a job of the kind {job.kind} takes is gone afterwards: the name is typed anew each time. "
            "Ask for it as for a new job.",
            job=job,
        )
    return request(job.kind, site=job.site, parameters=job.parameters, by=by, why=why, key=key, parent=job)


# --- understanding ---


def _understood(
    kind: str, site: Site | None, parameters: Mapping[str, Any], by: Any, why: str, *, reads: bool = True
) -> _Wanted:
    known = kinds.find(kind)
    if known is None:
        names = ", ".join(one.name for one in kinds.all_kinds())
        raise Refused(f"There are no jobs of the kind “{kind}”; there are {names}.")
    if known.of_site and site is None:
        raise Refused(f"A job of the kind {kind} belongs to a site; name one.")
    if not known.of_site and site is not None:
        raise Refused(f"A job of the kind {kind} belongs to no site; leave the site out.")
    require(by, known.permission, site)
    form = known.Parameters(dict(parameters))
    strange = sorted(set(parameters) - set(form.fields))
    errors = {name: _faults(form, name, parameters.get(name)) for name in form.errors}
    errors |= {
        name: [f"There is no such parameter; there are: {', '.join(form.fields) or 'none'}."]
        for name in strange
    }
    if errors:
        raise _unusable(errors)
    kept = plain(form.cleaned_data)
    if hidden := [name for name, value in kept.items() if holds_secret({name: value})]:
        raise Refused(
            f"{', '.join(hidden)}: this looks like a secret, and a job keeps none. Give a reference: env:NAME, file:/path, "
            "vault:VARIABLE or unlock:NAME.",
            fields={name: ["A secret has no place here; give a reference to it."] for name in hidden},
        )
    asked = Asked(
        site, form.cleaned_data, person(by)["by_name"], why, reads=reads and allowed(by, READ_RUNS, site)
    )
    if strangers := known.strangers(asked):
        raise _unusable(strangers)
    return _Wanted(known, asked, kept)


def _faults(form: forms.Form, name: str, given: Any) -> list[str]:
    """What is wrong with a parameter in words; of a choice that there is not, those that there are."""
    found, field = [str(one) for one in form.errors[name]], form.fields.get(name)
    if (
        given
        and isinstance(field, forms.ChoiceField)
        and form.errors[name].as_data()[0].code == "invalid_choice"
    ):
        choices: Any = field.choices
        there = ", ".join(str(value) for value, _ in choices if value)
        return [f"“{redact(str(given))}” is none of: {there}."]
    return found


def _unusable(errors: Mapping[str, list[str]]) -> Refused:
    told = " ".join(f"{name}: {' '.join(found)}" for name, found in errors.items())
    return Refused(f"The parameters cannot be used. {told}", fields=errors)


def _planned(wanted: _Wanted, *, by_clock: bool) -> Plan | None:
    """The plan at this moment, where the kind looks at once. Raises Refused for its problems."""
    if not wanted.kind.plans_on_request or (by_clock and not wanted.kind.plans_by_clock):
        return None
    plan = without_secrets(wanted.kind.plan(wanted.asked))
    if plan.problems:
        raise Refused("It cannot be done as things are: " + " ".join(plan.problems), plan=plan)
    if wanted.kind.destructive and not plan.lines:
        raise Refused(" ".join(("There is nothing to do.", *plan.warnings)), plan=plan)
    return plan


def _beginning(kind: Kind, site: Site | None, plan: Plan | None, confirmed: str, by: Any) -> dict[str, Any]:
    """State and plan of a new job."""
    if plan is None:
        return {"state": states.QUEUED}
    found: dict[str, Any] = {"plan": plan.as_dict(), "fingerprint": plan.fingerprint, "state": states.QUEUED}
    if confirmed and confirmed != plan.fingerprint:
        raise Refused("The plan is another by now; look at it as it is.", plan=plan)
    if confirmed:
        if kind.destructive:
            require(by, CONFIRM, site)
        return found | {
            "confirmed": confirmed,
            "confirmed_by": person(by)["by_name"],
            "confirmed_at": DatabaseTime(),
        }
    if kind.destructive:
        return found | {
            "state": states.WAITING,
            "waiting_for": states.CONFIRMATION,
            "waiting_since": DatabaseTime(),
        }
    return found


# --- the same again, and others at the same machine ---


def _same(by: Any, key: str) -> Job | None:
    return Job.objects.filter(by_name=person(by)["by_name"], request_key=key).first() if key else None


def _repeated(known: Job, wanted: _Wanted) -> Job:
    """The job of the first request, if this one asks for the same."""
    same = known.kind == wanted.kind.name and known.site_id == (
        wanted.asked.site.pk if wanted.asked.site else None
    )
    if not same or _text(known.parameters) != _text(wanted.parameters):
        raise Refused(f"This request was made before, for something else: job {known.pk}.", job=known)
    return known


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _taken(wanted: _Wanted, schedule: str, due: Any) -> Refused:
    """Who holds what the job would touch, in words."""
    columns = wanted.columns
    active = Job.objects.filter(state__in=states.ACTIVE)
    for key, what in (("machine_key", "machine"), ("target_key", "target")):
        holder = active.filter(**{key: columns[key]}).first() if columns[key] else None
        if holder is not None:
            return Refused(
                f"{what.capitalize()} {columns[key]} is taken: job {holder.pk} ({holder.title}, by "
                f"{holder.by_name or 'nobody'}) is {holder.state}. Wait for it, or cancel it.",
                job=holder,
            )
    if schedule and Job.objects.filter(schedule=schedule, due=due).exists():
        return Refused(f"The schedule {schedule} has its job for {due} already.")
    return Refused("Another job was at the same at this moment, and is done by now. Ask once more.")


def _asked_for(job: Job, plan: Plan | None) -> str:
    said = f"Asked for by {job.by_name or 'nobody'}."
    if plan is not None and plan.lines:
        said += f" The plan: {plan.summary}."
    if job.state == states.WAITING:
        said += " It waits for somebody to confirm the plan."
    return said
