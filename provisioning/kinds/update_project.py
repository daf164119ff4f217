"""Take the newest commit of a project, and see what it needs. A run does so by itself; this shows it before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django import forms

from inventory import reading
from inventory.automating.automation_facts import ProjectFacts
from inventory.models import Project, Site
from provisioning import projects, updating
from provisioning.adapters.base import AdapterError
from provisioning.engine.faults import JobFailed, in_words
from provisioning.kinds.base import Asked, Kind, Shown
from provisioning.kinds.machine import site_of
from provisioning.plans import RUN, Line, Plan
from provisioning.secrets import NeedsUnlock

if TYPE_CHECKING:
    from provisioning.engine.turns import Turn
    from provisioning.projects import Obtained, Since

#: commits that are said one by one
SAID = 20


class Parameters(forms.Form):
    project = forms.CharField(max_length=63, help_text="The project, as declared.")


class UpdateProject(Kind):
    """Outcome: ``commit``, ``before`` (may be empty), ``commits`` and ``playbooks`` (how many)."""

    name = "update_project"
    title = "Update project {project} of {site}"
    verb = "Update"
    what = (
        "Takes the newest commit of a project, says what is new in it, and installs the collections and roles that it "
        "names. Changes no host."
    )
    reads_only = True
    Parameters = Parameters

    def target_key(self, asked: Asked) -> str:
        return f"project/{asked.site}/{asked['project']}"

    def strangers(self, asked: Asked) -> Mapping[str, list[str]]:
        site, name = site_of(asked), asked["project"]
        if Project.objects.filter(site=site, name=name).exists():
            return {}
        return {"project": [f"Site {site.slug} has no project {name}."]}

    def there(self, site: Site, given: Mapping[str, str]) -> Shown | None:
        rows = Project.objects.filter(site=site).order_by("name")
        return Shown(
            "Projects",
            ("project", "from", "ref"),
            tuple((row.name, row.location, row.ref) for row in rows[:50]),
            "None is declared.",
        )

    def plan(self, asked: Asked) -> Plan:
        site, name = site_of(asked), asked["project"]
        project = updating.facts_of(reading.load(site.slug), name)
        if project is None:
            return Plan(problems=(f"Site {site.slug} has no project {name}.",))
        verb = "fetch" if project.source == "git" else "read"
        ref = f" at {project.ref}" if project.ref else ""
        return Plan(
            (
                Line(RUN, f"{verb} {project.location}{ref}", "reads, and changes nothing there"),
                Line(RUN, "install what its requirements files name", "into this application's own cache"),
            )
        )

    def run(self, turn: Turn, plan: Plan) -> None:
        site, name = site_of(turn.asked), turn.asked["project"]
        row = Project.objects.filter(site=site, name=name).first()
        project = updating.facts_of(reading.load(site.slug), name)
        if row is None or project is None:
            raise JobFailed(
                f"Site {site.slug} has no project {name} any more.", "There is nothing to update."
            )
        try:
            obtained = self._taken(turn, row, project)
            turn.step("See what it needs")
            updating.try_requirements(project, obtained, turn.check)
        except NeedsUnlock as locked:
            turn.need_secrets(locked.needs)
        except (AdapterError, JobFailed) as fault:
            turn.check(cancellable=False)
            updating.keep_fault(row, in_words(fault))
            raise

    def _taken(self, turn: Turn, row: Project, project: ProjectFacts) -> Obtained:
        turn.step(f"Take it from {project.location}")
        state = updating.current(row)
        before = state.commit if state else ""
        obtained = updating.obtain(
            reading.load(row.site.slug), project, job_id=turn.job.pk, hide=turn.hide, check=turn.check
        )
        turn.step("See what is new")
        since = projects.since(obtained, before, check=turn.check)
        playbooks = projects.playbooks(obtained, check=turn.check)
        notes = projects.notes(obtained, check=turn.check)
        _tell(turn, obtained, before, since)
        for note in notes:
            turn.event("warning", note)
        turn.check()
        updating.keep(row, obtained, since, playbooks, " ".join(notes))
        turn.outcome = {
            "commit": obtained.commit,
            "before": before,
            "commits": len(since.commits),
            "playbooks": len(playbooks),
        }
        turn.message = f"{project.name} is at {_short(obtained.commit)}, {_news(obtained, before, since)}."
        return obtained


def _news(obtained: Obtained, before: str, since: Since) -> str:
    if before == obtained.commit:
        return "as before"
    if since.rewritten:
        return "and was rewritten: what was taken before is no part of it any more"
    number = f"{len(since.commits)} commits" if len(since.commits) != 1 else "1 commit"
    return f"{number} after {_short(before)}" if before and since.commits else "which was not seen before"


def _tell(turn: Turn, obtained: Obtained, before: str, since: Since) -> None:
    level = "warning" if since.rewritten else "info"
    turn.event(level, f"{_short(obtained.commit)}: {_news(obtained, before, since)}.")
    for commit in since.commits[:SAID]:
        turn.event("info", f"{_short(commit.id)} {commit.when[:10]} {commit.author}: {commit.subject}")
    if len(since.commits) > SAID:
        turn.event("info", f"and {len(since.commits) - SAID} more.")


def _short(commit: str) -> str:
    return commit[:17] if commit.startswith("tree:") else commit[:12]
