"""The page of a job that runs a playbook: what the page of every job shows, and its hosts, tasks and output."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from provisioning import states
from provisioning.admin.runs import acting, output, parts
from provisioning.admin.runs.output import Filter
from provisioning.admin.runs.tables import Look
from provisioning.models import Job, PlaybookRun
from provisioning.models.runs import APPLIES, CHECKS, RELAUNCHES
from provisioning.runs.holding import WAITS

KIND = "run_playbook"
#: relatives that are named
MOST_RELATED = 20
#: characters of an answer that are shown
LONGEST_VALUE = 300
#: what a run says of its origin, and its origin of it
_SAID = {
    CHECKS: ("Check of", "Checked by"),
    APPLIES: ("Applies what was checked by", "Applied by"),
    RELAUNCHES: ("Relaunch of", "Relaunched as"),
}


@dataclass(frozen=True)
class Related:
    said: str
    job: Job


def run_of(job: Job) -> PlaybookRun | None:
    """The run that *job* is; None: it is of another kind."""
    if job.kind != KIND:
        return None
    found = PlaybookRun.objects.select_related("site", "origin__job").filter(job=job).first()
    if found is not None:
        found.job = job
    return found


def context_of(request: HttpRequest, run: PlaybookRun) -> dict[str, Any]:
    """What the page has beside what every job's page has."""
    wanted, given = Filter.of(request.GET), request.GET
    found = {**facts_of(request, run), **parts.matrix_context(request.user, run, Look.of(given))}
    if "tasks" in given:
        found |= parts.tasks_context(run)
    if found["reads"]:
        found |= parts.output_context(request, run, wanted)
        word = given.get("q", "").replace("\0", "").strip()[: output.LONGEST_WORD]
        if word:
            found |= {"word": word, "found": output.found(run, wanted, word)}
    return found


def pulse_of(request: HttpRequest, run: PlaybookRun) -> dict[str, Any]:
    """What may have moved since the page was last told: the number of lines, the matrix, the upper half."""
    wanted = Filter.of(request.GET)
    context = {
        **facts_of(request, run),
        **parts.matrix_context(request.user, run, Look.of(request.GET)),
        "wanted": wanted,
    }
    context["count"] = output.lines_of(run, wanted) if context["reads"] else 0
    context["failure"] = output.first_failure(run) if context["reads"] else 0
    context["matrix_moved"] = request.GET.get("matrix", "") != context["mark_of_matrix"]
    return context


def facts_of(request: HttpRequest, run: PlaybookRun) -> dict[str, Any]:
    """What stands above: what it is, how far it came, whom it is related to."""
    return {
        "run": run,
        "reads": parts.may_read(request.user, run),
        "related": related(run),
        "ways": acting.ways(run) if acting.may_follow(request.user, run) else [],
        "arguments": said_of(run.arguments),
        "waits_for": waits_for(run.job),
    }


def said_of(arguments: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What was said for the run, in words; as Ansible has it anyhow is left out. No secret is among it."""
    found = [
        (name.replace("_", " ").capitalize(), arguments.get(name)) for name in ("limit", "tags", "skip_tags")
    ]
    found += [(name.capitalize(), "yes") for name in ("check", "diff") if arguments.get(name)]
    found.append(("Forks", arguments.get("forks")))
    hosts = {host for _, named in arguments.get("plays") or () for host in named}
    found.append(("Hosts", len(hosts) or None))
    found += sorted((arguments.get("answers") or {}).items())
    return [(name, shown_value(value)) for name, value in found if value not in ("", None)]


def shown_value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def waits_for(job: Job) -> int:
    """The number of the job that holds a host of this one, which is queued; 0: none."""
    found = re.match(rf"{WAITS}(\d+) ", job.message) if job.state == states.QUEUED else None
    return int(found[1]) if found else 0


def related(run: PlaybookRun) -> list[Related]:
    """The run that it came from, and those that came from it."""
    found = []
    if run.origin is not None and run.relation:
        found.append(Related(_SAID[run.relation][0], run.origin.job))
    later = run.descendants.exclude(relation="").select_related("job").order_by("-pk")[:MOST_RELATED]
    return found + [Related(_SAID[one.relation][1], one.job) for one in later]
