"""Runs that follow another with the inputs that one was given: on all hosts, on those that failed, applied after a check."""

from __future__ import annotations

from dataclasses import replace

from inventory.models import Site
from provisioning import states
from provisioning.models.runs import PlaybookRun
from provisioning.runs.arguments import Arguments

ALL, FAILED, UNREACHABLE, APPLY = "all", "failed", "unreachable", "apply"
WAYS = (ALL, FAILED, UNREACHABLE, APPLY)


class NotThat(Exception):
    """Nothing follows that run in this way; *field* is the parameter that asks for it."""

    def __init__(self, message: str, field: str = "on") -> None:
        super().__init__(message)
        self.field = field


def of(site: Site | None, origin: int, on: str) -> tuple[PlaybookRun, Arguments]:
    """The run *origin* of *site*, and what one that follows it is given. Raises NotThat."""
    run = PlaybookRun.objects.select_related("job", "inventory").filter(pk=origin, site=site).first()
    if run is None:
        raise NotThat(f"The site has no run {origin}.", "origin")
    if run.job.state not in states.FINISHED:
        raise NotThat(f"Run {origin} is still {run.job.state}; wait for it, or cancel it.", "origin")
    if on == APPLY:
        return run, _applied(run)
    arguments = Arguments.from_json(run.arguments)
    if on == ALL:
        return run, arguments
    hosts = hosts_on(run, on)
    if not hosts:
        raise NotThat(f"No host of run {origin} is {on}; there is nothing to repeat.")
    return run, replace(arguments, limit=",".join(hosts))


def hosts_on(run: PlaybookRun, on: str) -> list[str]:
    """The hosts of *run* that failed, or could not be reached; all of them where that is asked for."""
    if on == ALL:
        return list(Arguments.from_json(run.arguments).hosts)
    column = "failed" if on == FAILED else "unreachable"
    rows = run.hosts.filter(**{f"{column}__gt": 0})
    return sorted(rows.values_list("host", flat=True))


def _applied(run: PlaybookRun) -> Arguments:
    if not run.check_mode:
        raise NotThat(f"Run {run.pk} was no check: it has done what it does already.")
    if run.rc is None:
        raise NotThat(f"The check {run.pk} did not come to its end; check anew.")
    return replace(Arguments.from_json(run.arguments), check=False)
