"""A run over three hosts by SSH, one of which fails and one of which cannot be reached."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command

from inventory.changes import change
from inventory.models import Host
from provisioning import runner, states
from provisioning.management.commands import job as command
from provisioning.models import Job, PlaybookRun
from tests.provisioning.ansible.stage import PYTHON

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(600)]

PLAYBOOK = """
- name: Configure
  hosts: web
  gather_facts: false
  tasks:
    - name: Leave a mark
      ansible.builtin.copy:
        dest: /root/mark
        content: "{{ inventory_hostname }}\\n"
        mode: "0600"
    - name: Fail where a file says so
      ansible.builtin.command: test ! -e /root/broken
      changed_when: false
"""


@pytest.fixture
def over_ssh(playground, ssh_hosts):
    """The three hosts of the site are real ones; web02 is broken, web03 is switched off."""
    playground.machines = ssh_hosts(names=["web01", "web02", "web03"])
    key = f"file:{ssh_hosts.key_file}"
    ssh_hosts.key_file.chmod(0o600)
    playground.write("configure.yml", PLAYBOOK)
    playground.write("known_hosts", ssh_hosts.known_hosts)
    with change(playground.site, by="fixture", why="real hosts"):
        for machine in playground.machines:
            host = Host.objects.get(site=playground.site, name=machine.name)
            host.variables = {
                "ansible_host": machine.address,
                "ansible_user": "root",
                "ansible_python_interpreter": PYTHON,
            }
            host.save()
    playground.template("configure", playbook="configure.yml", ssh_key=key)
    _, two, three = playground.machines
    assert two.run(["touch", "/root/broken"]).returncode == 0
    three.stop()
    return playground


def test_one_fails_one_is_away_and_what_failed_is_repeated_alone(over_ssh, output):
    one, two, three = over_ssh.machines
    run = over_ssh.run("configure")
    assert run.job.state == states.FAILED
    assert run.rc in (2, 4), run.job.message
    assert run.job.message.startswith("3 hosts: 1 changed, 1 failed (web02), 1 unreachable (web03).")
    assert {host.host: host.worst for host in run.hosts.all()} == {
        "web01": "changed", "web02": "failed", "web03": "unreachable",
    }  # fmt: skip
    assert one.read("/root/mark") == "web01\n"
    one.run(["rm", "/root/mark"])
    two.run(["rm", "/root/broken"])
    again = over_ssh.run("", origin=run.pk, on="failed")
    assert (again.job.state, [host.host for host in again.hosts.all()]) == (states.SUCCEEDED, ["web02"])
    assert one.run(["test", "-e", "/root/mark"]).returncode == 1, "nobody touched it again"
    three.start()
    late = over_ssh.run("", origin=run.pk, on="unreachable")
    assert (late.job.state, [host.host for host in late.hosts.all()]) == (states.SUCCEEDED, ["web03"])
    assert three.read("/root/mark") == "web03\n"


def test_the_shell_ends_with_the_same_exit_code(over_ssh, monkeypatch):
    run = over_ssh.run("configure")
    monkeypatch.setattr(
        command.time, "sleep", lambda _: [runner.run(one.pk) for one in Job.objects.filter(state="queued")]
    )
    out, err = io.StringIO(), io.StringIO()
    given = ("--site", "lab", "--template", "configure", "--why", "to see", "--wait")
    with pytest.raises(SystemExit) as leaving:
        call_command("job", "run", *given, stdout=out, stderr=err)
    assert leaving.value.code == run.rc == PlaybookRun.objects.latest("pk").rc
    assert "UNREACHABLE!" in out.getvalue() and "PLAY RECAP" in out.getvalue()


def test_a_host_whose_key_nobody_knows_is_not_entered(over_ssh):
    over_ssh.write("known_hosts", "")
    run = over_ssh.run("configure", limit="web01")
    assert [host.worst for host in run.hosts.all()] == ["unreachable"]
    assert over_ssh.machines[0].run(["test", "-e", "/root/mark"]).returncode == 1


def test_a_host_whose_key_somebody_recorded_is_entered_and_another_key_is_not(over_ssh):
    one, two, _ = over_ssh.machines
    over_ssh.write("known_hosts", "")
    with change(over_ssh.site, by="ada", why="compared at the console"):
        for machine in (one, two):
            host = Host.objects.get(name=machine.name)
            host.host_keys = one.host_key
            host.save()
    run = over_ssh.run("configure", limit="web01,web02")
    assert {host.host: host.worst for host in run.hosts.all()} == {"web01": "changed", "web02": "unreachable"}
