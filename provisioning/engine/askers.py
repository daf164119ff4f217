"""Who asked for a job, as they are now: in their name it asks for its parts, and does what needs a further permission.

A user may be deleted, a token may expire, and either may have lost a permission since the job was asked for. Who has
only a name (a command on the server, the clock) was let in by whoever gave it.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User

from inventory.levels import permissions_of_scope
from inventory.models import Token
from inventory.permissions import may
from provisioning.engine.faults import JobFailed
from provisioning.models import Job

#: as ``inventory.api.v1.callers.Caller`` calls one
TOKEN = "token "  # noqa: S105 - how a name begins


def asker_of(job: Job, *needed: str) -> Any:
    """The user or the name in which *job* goes on, who has every permission of *needed* at its site.

    Raises JobFailed where that one is gone, or may not any more.
    """
    if problem := _problem(job, needed):
        raise JobFailed(f"{job.by_name}, who asked for job {job.pk}, {problem}.", WAY_OUT)
    return User.objects.get(pk=job.by_id) if job.by_id else job.by_name


WAY_OUT = "Somebody who may runs this again."


def _problem(job: Job, needed: tuple[str, ...]) -> str:
    if not job.by_user:
        token = job.by_name.startswith(TOKEN)
        return token_problem(job.by_name.removeprefix(TOKEN), job.site_id, *needed) if token else ""
    user = User.objects.filter(pk=job.by_id).first() if job.by_id else None
    if user is None:
        return "is no user here any more"
    if not user.is_active or not user.is_staff:
        return "may not sign in any more"
    lacking = [one for one in needed if not may(user, one, job.site)]
    return f"has no permission {', '.join(lacking)} at {job.site_slug}" if lacking else ""


def token_problem(name: str, site: int | None, *needed: str) -> str:
    """Why the token *name* may not do at *site* what is *needed*, as “is expired”; empty: it may."""
    token = Token.objects.filter(name=name).first()
    if token is None:
        return "is gone"
    if token.is_expired:
        return "is expired"
    if token.site_id not in (None, site):
        return "is one of another site"
    lacking = [one for one in needed if one not in permissions_of_scope(token.scope)]
    return f"has no permission {', '.join(lacking)} with its scope {token.scope}" if lacking else ""
