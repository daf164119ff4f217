"""Projects that a site declares, and jobs at them that are carried out here."""

from __future__ import annotations

from typing import Any

from inventory.changes import change
from inventory.models import Project, Site
from provisioning import requests, runner
from provisioning.models import Job


def declare(site: Site, location: str, **fields: Any) -> Project:
    row = Project(site=site, location=location, **{"name": "lab", "source": "git", **fields})
    with change(site, by="fixture", why="where playbooks come from"):
        row.save()
    return row


def redeclare(row: Project, **fields: Any) -> None:
    with change(row.site, by="fixture", why="from elsewhere"):
        for name, value in fields.items():
            setattr(row, name, value)
        row.save()


def update(site: Site, name: str = "lab") -> Job:
    job = requests.request(
        "update_project", site=site, parameters={"project": name}, by="ada", why="to see what is new"
    )
    runner.run(job.pk)
    job.refresh_from_db()
    return job
