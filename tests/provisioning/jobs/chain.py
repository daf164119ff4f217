"""A machine whose role and profile name templates, and what tests of its chain do with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inventory.changes import change
from inventory.models import (
    Host,
    JobTemplate,
    Membership,
    Project,
    Role,
    Site,
    WorkloadProfile,
)
from provisioning import requests, runner, states
from provisioning.models import Job
from tests.provisioning.runs.conftest import LOCAL

HOST = "netctrl-vm01"
PLAYBOOK = """
- name: Configure
  hosts: all
  gather_facts: false
  tasks:
    - name: Fail while it is broken
      ansible.builtin.fail:
        msg: broken
      when: lookup("ansible.builtin.file", marks ~ "/broken", errors="ignore") == mark
    - name: Leave a mark
      ansible.builtin.shell:
        cmd: 'echo {{ inventory_hostname }} >> {{ marks }}/{{ mark }}'
"""


class Chain:
    """The lab, whose machine has a role and a profile that name the templates base and web."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site, self.marks = site, folder / "marks"
        self.marks.mkdir()
        (folder / "playbooks").mkdir()
        (folder / "playbooks" / "site.yml").write_text(PLAYBOOK)
        host: Any = Host.objects.get(name=HOST)
        with change(site, by="fixture", why="a chain"):
            project = Project(site=site, name="lab", location=str(folder / "playbooks"))
            project.save()
            made = {}
            for name in ("base", "web", "clean"):
                given: Any = {"mark": name, "marks": str(self.marks)}
                made[name] = JobTemplate(
                    site=site,
                    name=name,
                    project=project,
                    playbook="site.yml",
                    extra_vars=given,
                    limit_required=True,
                )
                made[name].save()
            role = Role(
                site=site, slug="netctrl", configure_template=made["base"], retire_template=made["clean"]
            )
            role.save()
            profile = WorkloadProfile(site=site, name="web", configure_template=made["web"])
            profile.save()
            Membership(group=profile, host=host).save()
            host.role, host.variables = role, dict(LOCAL)
            host.save()

    def ask(self, kind: str = "create_vm") -> Job:
        return self.work(
            requests.request(kind, site=self.site, parameters={"host": HOST}, by="olga", why="to see")
        )

    def work(self, job: Job) -> Job:
        """Do what a worker does, until *job* is finished or waits for more than its part."""
        for _ in range(12):
            for row in Job.objects.filter(state="queued").order_by("pk"):
                Job.objects.filter(pk=row.pk).update(not_before=None)
                runner.run(row.pk, "here")
            job.refresh_from_db()
            if job.is_finished or (job.waiting_for and job.waiting_for != states.PART):
                break
        return job

    def step(self, job: Job) -> Job:
        """One attempt at *job* alone."""
        Job.objects.filter(pk=job.pk).update(not_before=None)
        runner.run(job.pk, "here")
        job.refresh_from_db()
        return job

    def begun(self, kind: str = "create_vm") -> tuple[Job, Job]:
        """A job that waits for its part, and the part, which nobody has taken up."""
        whole = requests.request(kind, site=self.site, parameters={"host": HOST}, by="olga", why="to see")
        self.step(whole)
        return whole, parts_of(whole)[0]

    def left(self) -> dict[str, list[str]]:
        return {
            path.name: path.read_text().split()
            for path in sorted(self.marks.iterdir())
            if path.name != "broken"
        }

    def breaks(self, template: str) -> None:
        (self.marks / "broken").write_text(template)

    def mend(self) -> None:
        (self.marks / "broken").unlink()


@pytest.fixture
def chain(lab, pve, guest_answers, tmp_path, settings) -> Chain:
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    return Chain(lab, tmp_path)


def parts_of(job: Job) -> list[Job]:
    return list(Job.objects.filter(parent=job, kind="run_playbook").order_by("pk"))


def clones(pve) -> int:
    return len(pve.requests("POST", "/clone"))
