"""Created, configured, seen to answer: the stand-in hypervisor starts a machine that is a namespaced host with sshd."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inventory.changes import change
from inventory.models import Host, Interface, JobTemplate, Project, Role, Segment, Service
from provisioning import requests, runner
from provisioning.models import DriftFinding, Job, Observation
from tests.provisioning.jobs.conftest import MAC
from tests.provisioning.support import texts

pytestmark = pytest.mark.django_db

HOST = "netctrl-vm01"
PLAYBOOK = """
- name: Configure
  hosts: all
  tasks:
    - name: Say what it is for
      ansible.builtin.copy:
        dest: /etc/purpose
        content: "{{ purpose }}"
        mode: "0644"
"""


@pytest.fixture
def guest(lab, pve, ssh_hosts, tmp_path, settings) -> Any:
    """The host that answers at the declared address; its role names a template that enters it by SSH."""
    (guest,) = ssh_hosts(names=[HOST])
    settings.DATA_DIR = tmp_path / "data"
    (settings.DATA_DIR / "tokens").mkdir(parents=True)
    settings.SSH_WAIT_SECONDS = 10
    key = settings.DATA_DIR / "tokens" / "key"
    key.write_text(ssh_hosts.key_file.read_text())
    key.chmod(0o600)
    folder: Path = tmp_path / "playbooks"
    folder.mkdir()
    (folder / "site.yml").write_text(PLAYBOOK)
    (folder / "known_hosts").write_text(guest.known_hosts)
    host: Any = Host.objects.get(name=HOST)
    with change(lab, by="fixture", why="a host to configure"):
        network = guest.address.rpartition(".")[0]
        segment = Segment.objects.get(name="management")
        segment.network4, segment.gateway4 = f"{network}.0/24", None
        segment.save()
        card = Interface.objects.get(host=host)
        card.ipv4 = guest.address
        card.save()
        project = Project(site=lab, name="lab", location=str(folder))
        project.save()
        given: Any = {"purpose": "network control"}
        template = JobTemplate(
            site=lab, name="base", project=project, playbook="site.yml", limit_required=True, ssh_key=f"file:{key}",
            remote_user="root", extra_vars=given,
        )  # fmt: skip
        template.save()
        role = Role(site=lab, slug="netctrl", configure_template=template)
        role.save()
        host.role = role
        host.variables = {"ansible_host": guest.address, "ansible_python_interpreter": "/usr/bin/python3"}
        host.save()
        Service(host=host, name="shell", port=guest.port).save()
    pve.change(leases={MAC: guest.address})
    return guest


def _worked(job: Job) -> Job:
    for _ in range(8):
        for row in Job.objects.filter(state="queued").order_by("pk"):
            Job.objects.filter(pk=row.pk).update(not_before=None)
            runner.run(row.pk, "here")
        job.refresh_from_db()
        if job.is_finished:
            break
    return job


def test_a_machine_is_made_configured_over_ssh_and_seen_to_answer(lab, pve, guest):
    job = _worked(
        requests.request("create_vm", site=lab, parameters={"host": HOST}, by="olga", why="a new one")
    )
    (part,) = Job.objects.filter(parent=job)
    assert (job.state, part.state) == ("succeeded", "succeeded"), (job.message, part.message)
    assert guest.read("/etc/purpose") == "network control"
    said = texts(job)
    assert any(text.startswith(f"SSH answers at {guest.address}") for text in said)
    assert f"shell answers at {guest.address}, port {guest.port}." in said
    assert len(pve.requests("POST", "/clone")) == 1
    observed = {row.kind: row for row in Observation.objects.filter(host_name=HOST)}
    assert observed["name"].value["hostname"] == HOST and observed["name"].run_id == part.pk
    assert guest.address in str(observed["interfaces"].value)
    # the namespace has a card of its own, with another MAC than the declared one
    assert DriftFinding.objects.get(closed=None, kind="gathered_mac").wanted == MAC
