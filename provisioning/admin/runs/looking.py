"""What a run would do, before it is asked for: its plays with their hosts, and the fingerprints of what is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from inventory.models import Site
from inventory.permissions import may
from provisioning import kinds
from provisioning.admin.runs.launch_form import KIND
from provisioning.admin.runs.parts import READ
from provisioning.engine.turns import without_secrets
from provisioning.kinds.base import Asked
from provisioning.plans import Plan
from provisioning.runs.looks import UPDATE_FIRST
from provisioning.runs.resolving import Frozen, short

#: what a button does → the parameters that it adds
ACTS: dict[str, dict[str, str]] = {"check": {"check_first": "yes"}, "run": {}}
#: so many hosts of a play are named at once
MOST_NAMED = 200


@dataclass(frozen=True)
class Play:
    name: str
    hosts: tuple[str, ...]

    @property
    def named(self) -> tuple[str, ...]:
        return self.hosts[:MOST_NAMED]

    @property
    def more(self) -> int:
        return max(0, len(self.hosts) - MOST_NAMED)


@dataclass(frozen=True)
class Seen:
    """What somebody is shown. With problems there are no plays and no fingerprints."""

    problems: tuple[str, ...] = ()
    plays: tuple[Play, ...] = ()
    count: int = 0
    commit: str = ""
    revision: int = 0
    check: bool = False
    #: somebody else looks; this is asked again by itself
    is_busy: bool = False
    #: where its project is updated, if that is the way out
    update_at: str = ""
    #: what a button does → the fingerprint of its plan
    fingerprints: Mapping[str, str] | None = None


def seen(site: Site, parameters: Mapping[str, Any], user: Any) -> Seen:
    """What a run at *site* with *parameters* would touch. Takes as long as Ansible needs to say so; nothing is kept."""
    kind = kinds.find(KIND)
    assert kind is not None, "runs are a kind of job"  # noqa: S101
    form = kind.Parameters(dict(parameters))
    if not form.is_valid():
        return Seen(tuple(f"{_label(name)}: {said}" for name, found in form.errors.items() for said in found))
    asked = Asked(site, form.cleaned_data, user.get_username(), reads=may(user, READ, site))
    if strangers := kind.strangers(asked):
        return Seen(tuple(f"{_label(name)}: {said}" for name, found in strangers.items() for said in found))
    plan: Plan = without_secrets(kind.plan(asked))
    frozen: Frozen | None = asked.found.get("frozen")
    if plan.problems or frozen is None:
        return Seen(
            plan.problems or ("It cannot be said what would be done.",),
            is_busy=bool(asked.found.get("busy")),
            update_at=_update_at(site, asked) if any(UPDATE_FIRST in said for said in plan.problems) else "",
        )
    return _of(frozen, plan)


def _update_at(site: Site, asked: Asked) -> str:
    at = reverse("admin:start_job_at", args=(site.slug, "update_project"))
    return f"{at}?{urlencode({'project': asked.found['wanted'].arguments.project.name})}"


def _of(frozen: Frozen, plan: Plan) -> Seen:
    checked = replace(frozen, arguments=replace(frozen.arguments, check=True))
    return Seen(
        plays=tuple(Play(name, tuple(hosts)) for name, hosts in frozen.arguments.plays),
        count=len(frozen.arguments.hosts),
        commit=short(frozen.commit),
        revision=frozen.wanted.revision,
        check=frozen.arguments.check,
        fingerprints={"run": plan.fingerprint, "check": without_secrets(checked.plan).fingerprint},
    )


def _label(name: str) -> str:
    return name.removeprefix("answers.").replace("_", " ").capitalize()
