"""Whether a declared schedule can be carried out, in whose name, and what it is called in rows of jobs."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied

from inventory import reading
from inventory.models import Schedule
from provisioning import kinds, requests
from provisioning.engine.askers import TOKEN, token_problem
from provisioning.kinds.base import Kind
from provisioning.requests import Refused

#: who asks where a schedule was declared by a command, as the hourly chores are
CLOCK = "clock"


class NoOwner(Exception):
    """Nobody is there in whose name the schedule could ask; the message says why, and the way out."""


def key_of(schedule: Schedule) -> str:
    """As ``Job.schedule`` has it."""
    return f"{schedule.site.slug}/{schedule.name}"


def asks_as(schedule: Schedule, kind: Kind) -> Any:
    """The user, or the name, in whose name it asks for a job of *kind*. Raises NoOwner.

    A user's permissions are looked at again when the job is asked for; a token has only a name there, so it is here.
    """
    owner = schedule.owner
    if not owner:
        return CLOCK
    if owner.startswith(TOKEN):
        _require_token(schedule, owner.removeprefix(TOKEN), kind)
        return owner
    user = User.objects.filter(username=owner).first()
    if user is None or not user.is_active or not user.is_staff:
        gone = "is no user here" if user is None else "may not sign in"
        raise NoOwner(
            f"Its owner {owner} {gone}. Somebody who may start such a job saves the schedule once more."
        )
    return user


def _require_token(schedule: Schedule, name: str, kind: Kind) -> None:
    if problem := token_problem(name, schedule.site_id):
        raise NoOwner(f"Its owner, the token {name}, {problem}. Write it with another.")
    if token_problem(name, schedule.site_id, kind.permission):
        raise NoOwner(
            f"Its owner, the token {name}, may not start {kind.name} here. Write it with one that may."
        )


def faults_of(schedule: Schedule) -> dict[str, list[str]]:
    """What forbids to carry it out, by field; nothing outside of the database is asked."""
    found: dict[str, list[str]] = {}
    for field, message in schedule.timing.problems():
        found.setdefault(field, []).append(message)
    kind = kinds.find(schedule.kind)
    if kind is None:
        names = ", ".join(one.name for one in schedulable())
        return found | {"kind": [f"There are no jobs of the kind “{schedule.kind}”; there are {names}."]}
    if not kind.of_site:
        return found | {"kind": [f"{kind.name} belongs to no site, and the clock asks for it by itself."]}
    if kind.never_by_clock:
        return found | {"kind": [kind.never_by_clock]}
    try:
        by = asks_as(schedule, kind)
        asked = requests.check(kind.name, site=schedule.site, parameters=schedule.parameters, by=by)
        if problem := kind.against_clock(asked):
            found.setdefault("parameters", []).append(problem)
    except NoOwner as gone:
        found.setdefault("kind", []).append(str(gone))
    except PermissionDenied:
        found.setdefault("kind", []).append(
            f"{schedule.owner} may not start {kind.name} at {schedule.site}; it needs the permission {kind.permission}."
        )
    except Refused as refusal:
        said = [f"{name}: {' '.join(messages)}" for name, messages in refusal.fields.items()] or [
            str(refusal)
        ]
        found.setdefault("parameters", []).extend(said)
    if problem := _host_problem(schedule, kind):
        found.setdefault("parameters", []).append(problem)
    return found


def _host_problem(schedule: Schedule, kind: Kind) -> str:
    """A schedule names its host for good: another one is never taken instead."""
    name = schedule.parameters.get("host")
    if not name or not isinstance(name, str) or "host" not in kind.Parameters.base_fields:
        return ""
    host = reading.load(schedule.site.slug).host_by_name.get(name)
    if host is None:
        return f"host: {schedule.site} has no host {name}."
    return f"host: {name} is retired." if host.is_retired else ""


def judge(schedule: Schedule) -> dict[str, list[str]]:
    """For forms: what the row itself says of its timing is not said twice."""
    mine = faults_of(schedule)
    return {field: said for field, said in mine.items() if field in ("kind", "parameters")}


def schedulable() -> list[Kind]:
    """The kinds that a schedule may ask for."""
    return [kind for kind in kinds.all_kinds() if kind.of_site and not kind.never_by_clock]
