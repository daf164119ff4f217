"""What is done with a declared project: taking its newest commit, and what became of that, as a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from django.conf import settings

from inventory.automating.automation_facts import ProjectFacts
from inventory.models import Project
from inventory.snapshot import Snapshot
from provisioning import projects
from provisioning.adapters.commands import go_on
from provisioning.engine.faults import JobFailed
from provisioning.engine.moments import DatabaseTime
from provisioning.models import ProjectState
from provisioning.projects import Installed, Limits, Obtained, Since
from provisioning.projects.places import working_folder
from provisioning.secrets import NeedsUnlock, SecretError
from provisioning.unlocks import opening


def facts_of(snapshot: Snapshot, name: str) -> ProjectFacts | None:
    return next((one for one in snapshot.projects if one.name == name), None)


def origin_of(project: ProjectFacts | Project) -> str:
    """Where it is taken from, as a state keeps it: under another one the state is of the past."""
    return f"{project.source} {project.location} {project.ref}".strip()


def limits() -> Limits:
    return Limits(bytes=settings.PROJECT_MAX_MEGABYTES << 20)


def obtain(
    snapshot: Snapshot,
    project: ProjectFacts,
    *,
    at: str = "",
    last_fetched: bool = False,
    job_id: int | None = None,
    hide: Callable[[str], None] = lambda secret: None,
    check: Callable[[], None] = go_on,
) -> Obtained:
    """The code of a declared project; see ``projects.obtain``. *hide* is told of the key. Raises NeedsUnlock too."""

    def key() -> str:
        resolve = opening.resolver(snapshot, data_dir=Path(settings.DATA_DIR), job_id=job_id)
        try:
            found = resolve(project.key, label=f"SSH key of project {project.name}", key=True)
        except NeedsUnlock:
            raise
        except SecretError as fault:
            raise JobFailed(f"The key of project {project.name}: {fault}") from None
        hide(found)
        return found

    return projects.obtain(
        project,
        site=snapshot.site.slug,
        data_dir=Path(settings.DATA_DIR),
        at=at,
        key=key,
        last_fetched=last_fetched,
        limits=limits(),
        check=check,
    )


def try_requirements(
    project: ProjectFacts, obtained: Obtained, check: Callable[[], None] = go_on
) -> Installed:
    """Install what that commit needs, as a run of it would. Raises ProjectError, which names what is missing."""
    with working_folder(Path(settings.DATA_DIR)) as folder:
        laid = folder / "project"
        projects.lay_out(obtained, laid, check=check)
        return projects.requirements(
            laid, data_dir=Path(settings.DATA_DIR), offline=project.collections, check=check
        )


def keep(row: Project, obtained: Obtained, since: Since, playbooks: list[str], note: str) -> None:
    """It was taken; what there was to say of an earlier failure is over."""
    ProjectState.objects.update_or_create(
        project=row,
        defaults={
            "origin": origin_of(row),
            "commit": obtained.commit,
            "fetched": DatabaseTime(),
            "playbooks": playbooks,
            "commits": [asdict(one) for one in since.commits],
            "note": note,
            "failed": None,
            "fault": "",
        },
    )


def keep_fault(row: Project, fault: str) -> None:
    """The commit of before stays, with the time from which on nothing newer was to be had."""
    state, _ = ProjectState.objects.get_or_create(project=row, defaults={"origin": origin_of(row)})
    columns = {"fault": fault} if state.fault else {"fault": fault, "failed": DatabaseTime()}
    ProjectState.objects.filter(pk=state.pk).update(**columns)


def current(row: Project) -> ProjectState | None:
    """The state of *row*, unless it tells of another location or ref."""
    state = ProjectState.objects.filter(project=row).first()
    return state if state is not None and state.origin == origin_of(row) else None
