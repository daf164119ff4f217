"""A site with three hosts that are this machine, a project in a directory, and templates that run it by real Ansible."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inventory.changes import change
from inventory.models import Group, Host, JobTemplate, Membership, Project, Site
from provisioning import requests, runner
from provisioning.models import Job, PlaybookRun
from provisioning.runs import places
from tests.provisioning.ansible.stage import PYTHON

HOSTS = ("web01", "web02", "web03")
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": PYTHON}

PLAYBOOK = """
- name: Say
  hosts: web
  gather_facts: false
  tasks:
    - name: Say who it is
      ansible.builtin.debug:
        msg: "this is {{ inventory_hostname }}, release {{ release | default('none') }}"
    - name: Leave a mark
      ansible.builtin.copy:
        dest: "{{ marks }}/{{ inventory_hostname }}"
        content: "{{ colour | default('plain') }}"
        mode: "0600"
    - name: Fail where it is told to
      ansible.builtin.fail:
        msg: told to
      when: inventory_hostname in (failing | default([]))
"""


class Playground:
    """The site, its project's folder, and the ways to ask for runs."""

    def __init__(self, site: Site, root: Path) -> None:
        self.site, self.root = site, root
        self.folder, self.marks = root / "playbooks", root / "marks"
        self.folder.mkdir()
        self.marks.mkdir()
        self.write("site.yml", PLAYBOOK)
        with change(site, by="fixture", why="three hosts"):
            group = Group(site=site, name="web")
            group.save()
            for name in HOSTS:
                variables: Any = {**LOCAL, "marks": str(self.marks)}
                host = Host(site=site, name=name, variables=variables)
                host.save()
                Membership(group=group, host=host).save()
            self.project = Project(site=site, name="lab", source="directory", location=str(self.folder))
            self.project.save()
        self.template("base")

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def template(self, name: str, **columns: Any) -> JobTemplate:
        template = JobTemplate(
            site=self.site, name=name, project=self.project, **{"playbook": "site.yml", **columns}
        )
        with change(self.site, by="fixture", why="a template"):
            template.save()
        return template

    def host_variables(self, name: str, **variables: Any) -> None:
        host: Any = Host.objects.get(site=self.site, name=name)
        host.variables = {**host.variables, **variables}
        with change(self.site, by="fixture", why="other variables"):
            host.save()

    def ask(self, template: str = "base", **parameters: Any) -> Job:
        given = {"template": template, **parameters} if template else parameters
        return requests.request("run_playbook", site=self.site, parameters=given, by="olga", why="to see")

    def run(self, template: str = "base", **parameters: Any) -> PlaybookRun:
        return self.carry_out(self.ask(template, **parameters))

    def carry_out(self, job: Job) -> PlaybookRun:
        runner.run(job.pk)
        return PlaybookRun.objects.select_related("job").get(pk=job.pk)

    def marked(self) -> dict[str, str]:
        """What the playbook left at each host."""
        return {path.name: path.read_text() for path in sorted(self.marks.iterdir())}

    def nothing_is_left(self) -> bool:
        return not list(places.folder_of(0).parent.iterdir())


@pytest.fixture
def playground(site: Site, tmp_path: Path, settings: Any) -> Playground:
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir(exist_ok=True)
    return Playground(site, tmp_path)


@pytest.fixture
def output() -> Callable[[PlaybookRun], str]:
    """Everything that a run said."""
    return lambda run: "\n".join(run.events.order_by("counter").values_list("text", flat=True))
