"""The roles as an operator applies them from here: our ``ansible/`` is the project, a job runs its playbook."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inventory.changes import change
from inventory.models import Host, JobTemplate, Project, Site
from provisioning import requests, runner
from provisioning.models import PlaybookRun
from tests.hosts.ssh import SshHosts
from tests.roles.debian import archive_of
from tests.shared_data import REPOSITORY

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900), pytest.mark.django_db]
NAMESERVERS: Any = {"base_nameservers": ["192.0.2.53"]}
USERS: Any = {"base_users": [{"name": "ada", "sudo": "nopasswd"}]}


@pytest.fixture
def site(ssh_hosts: SshHosts, tmp_path: Path, settings: Any) -> Iterator[Site]:
    """Three hosts that answer SSH, and a template that applies the role base to them."""
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    project = tmp_path / "project"
    shutil.copytree(REPOSITORY / "ansible", project, symlinks=True)
    made = ssh_hosts(names=("pi01", "pi02", "pi03"), init="systemd")
    (project / "known_hosts").write_text(ssh_hosts.known_hosts)
    site = Site(slug="lab", root_domain="example.net", variables=NAMESERVERS)
    with change(site, by="fixture", why="three hosts"):
        site.save()
        for host in made:
            archive_of(host)
            variables: Any = {"ansible_host": host.address}
            Host(site=site, name=host.name, variables=variables).save()
        ours = Project(site=site, name="ours", source="directory", location=str(project))
        ours.save()
        JobTemplate(
            site=site,
            name="base",
            project=ours,
            playbook="playbooks/base.yml",
            remote_user="root",
            ssh_key=f"file:{ssh_hosts.key_file}",
            extra_vars=USERS,
            diff=True,
            time_limit_minutes=15,
        ).save()
    yield site


def test_a_job_applies_our_role_to_three_hosts_and_a_second_one_changes_nothing(
    site: Site, ssh_hosts: SshHosts
) -> None:
    first = _run(site)
    said = "\n".join(first.events.values_list("text", flat=True))
    assert first.job.state == "succeeded", said
    assert {row.host: (row.changed > 3, row.failed) for row in first.hosts.all()} == {
        host.name: (True, 0) for host in ssh_hosts.hosts
    }
    for host in ssh_hosts.hosts:
        assert host.run(["runuser", "-u", "ada", "--", "sudo", "-n", "id", "-u"]).stdout == "0\n"
        assert "search lab.example.net\nnameserver 192.0.2.53\n" in host.read("/etc/resolv.conf")
        assert f"127.0.1.1 {host.name}.lab.example.net {host.name}\n" in host.read("/etc/hosts")
    second = _run(site)
    assert [row.changed for row in second.hosts.all()] == [0, 0, 0]


def _run(site: Site) -> PlaybookRun:
    job = requests.request("run_playbook", site=site, parameters={"template": "base"}, by="olga", why="")
    runner.run(job.pk)
    return PlaybookRun.objects.select_related("job").get(pk=job.pk)
