"""Entering secrets for a site or for one job, and locking them again. Browser, command and API all come here.

The keeper holds the values; rows say who entered which, until when, and never what.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from inventory import reading
from inventory.models import Site
from provisioning import states
from provisioning.engine.asking import Refused, person, require
from provisioning.engine.delivery import deliver
from provisioning.engine.moments import DatabaseTime
from provisioning.engine.moves import move, note
from provisioning.keeper import client, wire
from provisioning.keeper.client import KeeperAway, KeeperRefused, of_job, of_site
from provisioning.models import Job
from provisioning.models.unlockings import GIVEN, LOCKED, UNLOCKED, Unlocking
from provisioning.unlocks import opening, private_keys
from provisioning.unlocks.needs import Held, Need, lacking
from provisioning.unlocks.wanted import KEY, wanted

log = logging.getLogger(__name__)

PERMISSION = "provisioning.unlock"
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}\Z")


@dataclass(frozen=True)
class Unlocked:
    """*jobs* are those that went on at once."""

    name: str
    until: datetime
    jobs: tuple[int, ...]


def unlock(site: Site, name: str, value: str, *, minutes: int, by: Any) -> Unlocked:
    """Hold *value* for *site* as ``unlock:NAME``, and go on with its jobs that waited for it.

    Raises Refused (``fields`` says of what: name, value, minutes), and PermissionDenied.
    """
    require(by, PERMISSION, site)
    if not NAME.match(name):
        raise _refused("name", "A name has letters, digits, dots, dashes and underscores, such as vault.")
    most = settings.UNLOCK_MINUTES_MOST
    if not 1 <= minutes <= most:
        raise _refused("minutes", f"It is unlocked for 1 to {most} minutes (UNLOCK_MINUTES_MOST).")
    value = _usable(site, name, value)
    who = person(by)["by_name"]
    until = _held(of_site(site.slug), name, value, seconds=60.0 * minutes, by=who)
    try:
        _write(site, name, UNLOCKED, who, until)
    except Exception:
        client.drop(of_site(site.slug), name)  # nothing is held that nobody answers for
        raise
    waiting = Job.objects.filter(site=site, state=states.WAITING, waiting_for=states.UNLOCK).order_by("pk")
    went_on = _go_on(waiting, f"{name} was unlocked by {who}.", tries=0)
    return Unlocked(name, until, tuple(went_on))


def answer(job: Job, given: Mapping[str, str], *, by: Any) -> Job:
    """Give a waiting job secrets that are held for it alone, until it ends, and go on once it lacks none.

    *given* is by the names that ``job.needed`` has. Raises Refused (``fields`` by those names), and PermissionDenied.
    """
    require(by, PERMISSION, job.site)
    job.refresh_from_db()
    if job.state != states.WAITING or job.waiting_for != states.UNLOCK:
        raise Refused(f"Job {job.pk} does not wait for a secret; it is {job.state}.", job=job)
    needed = {need.name: need for need in job.needed}
    if strange := sorted(set(given) - set(needed)):
        raise Refused(
            f"Job {job.pk} does not need {', '.join(strange)}; it needs {', '.join(needed)}.", job=job
        )
    who = person(by)["by_name"]
    values = _all_usable(job, needed, given)
    for name, value in values.items():
        until = _held(of_job(job.pk), name, value, seconds=3600.0 * settings.JOB_WAIT_HOURS, by=who)
        _write(job.site, name, GIVEN, who, until, job)
    if not _go_on([job], f"{who} entered {', '.join(values)} for this job.", tries=0):
        note(job.pk, f"{who} entered {', '.join(values)} for this job; it waits for more.", where=_waits())
    job.refresh_from_db()
    return job


def give(job: Job, needs: Iterable[Need], given: Mapping[str, str], *, by: Any) -> None:
    """Hold secrets for a job that was asked for just now, before it says that it needs them; *needs* judge them.

    Raises Refused, and PermissionDenied; nothing is held then.
    """
    require(by, PERMISSION, job.site)
    needed = {need.name: need for need in needs}
    who, own = person(by)["by_name"], of_job(job.pk)
    for name, value in _all_usable(
        job, needed, {name: given[name] for name in needed if name in given}
    ).items():
        until = _held(own, name, value, seconds=3600.0 * settings.JOB_WAIT_HOURS, by=who)
        _write(job.site, name, GIVEN, who, until, job)
    job.refresh_from_db()
    if job.is_finished:  # cancelled meanwhile: what it was given is not held for a job that is over
        client.drop(own)
        return
    # a worker that was quicker waits already
    _go_on([job], f"{who} entered {', '.join(needed)} for this job.", tries=0)


def lock(site: Site, name: str | None = None, *, by: Any) -> list[str]:
    """Forget *name*, or all that is unlocked for *site*; the names. Raises Refused where the keeper is away."""
    require(by, PERMISSION, site)
    scope, who = of_site(site.slug), person(by)["by_name"]
    try:
        names = [one.name for one in client.held(scope) if name in (None, one.name)]
        client.drop(scope, name)
    except (KeeperAway, KeeperRefused) as reason:
        raise Refused(f"Nothing is unlocked. {reason}") from None
    for one in names:
        _write(site, one, LOCKED, who)
    return names


def go_on() -> list[int]:
    """Queue every waiting job that lacks nothing any more; their ids. For the sweep: no person asked anew."""
    waiting = Job.objects.filter(state=states.WAITING, waiting_for=states.UNLOCK).order_by("pk")
    return _go_on(waiting, "What it waited for is unlocked.")


# --- values ---


def _usable(site: Site | None, name: str, value: str) -> str:
    """*value* as it is held, if it can be what *name* is for; else Refused, which says nothing of it."""
    value = value.replace("\r\n", "\n")
    if not value.strip():
        raise _refused("value", "Nothing was entered.")
    if len(value.encode()) > wire.LONGEST_VALUE:
        raise _refused("value", f"A secret has at most {wire.LONGEST_VALUE // 1024} KiB.")
    if "\0" in value:
        raise _refused("value", "A secret has no zero bytes.")
    snapshot = reading.load(site.slug) if site is not None else None
    is_key = snapshot is not None and any(one.name == name and one.what == KEY for one in wanted(snapshot))
    if is_key or private_keys.looks_like_one(value):
        value = private_keys.as_agents_take_it(value)
        if said := private_keys.problem(value):
            raise _refused("value", said)
        return value
    value = value.rstrip("\n")
    if snapshot is not None and (said := opening.opens_nothing(snapshot, name, value)):
        raise _refused("value", said)
    return value


def _all_usable(job: Job, needed: Mapping[str, Need], given: Mapping[str, str]) -> dict[str, str]:
    """All that was *given*, or Refused with what is wrong with each. Nothing entered is no answer."""
    found, errors = {}, {}
    for name, value in given.items():
        of_this_site = job.site if needed[name].scope != of_job(job.pk) else None
        try:
            found[name] = _usable(of_this_site, name, value)
        except Refused as refusal:
            errors[name] = refusal.fields["value"]
            continue
        if said := needed[name].problem(found[name]):
            errors[name] = [said]
    if not given:
        raise Refused("Nothing was entered.", job=job)
    if errors:
        said = " ".join(f"{needed[name].said}: {' '.join(found)}" for name, found in errors.items())
        raise Refused(said, fields=errors, job=job)
    return found


def _held(scope: str, name: str, value: str, *, seconds: float, by: str) -> datetime:
    try:
        return client.hold(scope, name, value, seconds=seconds, by=by)
    except (KeeperAway, KeeperRefused) as reason:
        raise Refused(str(reason)) from None


def _refused(field: str, said: str) -> Refused:
    return Refused(said, fields={field: [said]})


# --- rows ---


def _write(
    site: Site | None, name: str, verb: str, who: str, until: datetime | None = None, job: Job | None = None
) -> None:
    slug = site.slug if site is not None else ""
    Unlocking.objects.create(
        site=site, site_slug=slug, job=job, name=name, verb=verb, by_name=who, at=DatabaseTime(), until=until
    )


def _waits() -> Q:
    return Q(state=states.WAITING, waiting_for=states.UNLOCK)


def _go_on(waiting: Iterable[Job], said: str, **columns: Any) -> list[int]:
    """Queue those of *waiting* whose needs are all held; their ids."""
    held: Held | None = None
    went_on = []
    for job in waiting:
        if held is None:
            held = _all_held()
        if lacking(job.needed, of_job(job.pk), held):
            continue
        if move(
            job.pk,
            states.WAITING,
            states.QUEUED,
            said=said,
            where=Q(waiting_for=states.UNLOCK),
            sent=DatabaseTime(),
            not_before=None,
            **columns,
        ):
            transaction.on_commit(partial(deliver, job.pk, job.queue))
            went_on.append(job.pk)
    return went_on


def _all_held() -> Held:
    try:
        return {(one.scope, one.name) for one in client.held()}
    except (KeeperAway, KeeperRefused):
        return frozenset()
