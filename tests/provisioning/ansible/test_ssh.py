"""Runs over SSH, on hosts made of namespaces: keys, host keys, and what a run leaves of its connections."""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path

import pytest

from provisioning.adapters.ansible.processes import marked
from provisioning.adapters.ansible.surroundings import in_memory
from tests.hosts.ssh import SshHost, SshHosts
from tests.provisioning.ansible.stage import PYTHON, Stage

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

PLAYBOOK = """
- name: Three hosts
  hosts: all
  gather_facts: false
  tasks:
    - name: Who are you
      command: hostname
      changed_when: false
    - name: Fails on one
      command: "false"
      when: inventory_hostname == 'two'
"""


def declare(stage: Stage, hosts: list[SshHost], **variables) -> None:
    groups = {
        host.name: {"ansible_host": host.address, "ansible_python_interpreter": PYTHON, **variables}
        for host in hosts
    }
    stage.inventory.write_text(json.dumps({"all": {"hosts": groups}}))


def given(hosts: SshHosts) -> dict:
    return {"ssh_key": hosts.key, "known_hosts": hosts.known_hosts, "remote_user": "root"}


def test_one_host_succeeds_one_fails_and_one_is_unreachable(stage: Stage, ssh_hosts: SshHosts) -> None:
    one, two, three = ssh_hosts(3, names=("one", "two", "three"))
    declare(stage, [one, two, three])
    three.stop()

    told = stage.run(PLAYBOOK, **given(ssh_hosts))

    assert set(told.outcomes()) == {
        ("one", "ok"),
        ("one", "skipped"),
        ("two", "ok"),
        ("two", "failed"),
        ("three", "unreachable"),
    }
    assert told.result.status == "failed"
    assert told.result.rc == 4
    assert told.result.message == "The run failed on two and could not reach three."
    assert told.result.stats["three"]["unreachable"] == 1
    # connections are kept open for the next task, but not for longer than the run
    assert marked(stage.marker) == []


def test_the_key_is_in_an_agent_of_the_run_and_in_no_file(stage: Stage, ssh_hosts: SshHosts) -> None:
    (one,) = ssh_hosts(1, names=("one",))
    declare(stage, [one])
    lines = ssh_hosts.key.splitlines()[1:-1]
    done, found = threading.Event(), []

    def search() -> None:
        while not done.wait(0.02):
            for folder in (stage.root / "run", in_memory(stage.marker)):
                for path in folder.rglob("*"):
                    try:
                        if path.is_file() and any(line.encode() in path.read_bytes() for line in lines):
                            found.append(path)
                    except OSError:
                        continue

    searching = threading.Thread(target=search)
    searching.start()
    told = stage.run(PLAYBOOK, **given(ssh_hosts))
    done.set()
    searching.join()

    assert told.result.status == "successful"
    assert found == []


def test_a_host_with_another_key_than_declared_is_unreachable(stage: Stage, ssh_hosts: SshHosts) -> None:
    one, two = ssh_hosts(2, names=("one", "two"))
    declare(
        stage,
        [one, two],
        ansible_host_key_checking=False,
        ansible_ssh_common_args="-o StrictHostKeyChecking=no",
    )
    swapped = f"{one.address} {two.host_key}\n{two.known_hosts}"

    told = stage.run(PLAYBOOK, **{**given(ssh_hosts), "known_hosts": swapped}, limit="one")

    assert told.outcomes() == [("one", "unreachable")]
    assert "Host key verification failed" in told.text


def test_without_a_key_nobody_elses_is_used(
    stage: Stage, ssh_hosts: SshHosts, monkeypatch, tmp_path: Path
) -> None:
    """Neither the agent of whoever started the worker, nor the keys of the user that it runs as."""
    (one,) = ssh_hosts(1, names=("one",))
    declare(stage, [one])
    with an_agent(tmp_path / "agent.sock", ssh_hosts.key_file) as socket:
        monkeypatch.setenv("SSH_AUTH_SOCK", socket)

        told = stage.run(PLAYBOOK, known_hosts=ssh_hosts.known_hosts, remote_user="root")

    assert told.outcomes() == [("one", "unreachable")]
    assert "Permission denied" in told.text


def test_a_key_that_the_inventory_names_is_used(stage: Stage, ssh_hosts: SshHosts) -> None:
    (one,) = ssh_hosts(1, names=("one",))
    declare(stage, [one], ansible_ssh_private_key_file=str(ssh_hosts.key_file))

    told = stage.run(PLAYBOOK, known_hosts=ssh_hosts.known_hosts, remote_user="root")

    assert told.result.status == "successful"


def test_facts_of_a_host_hold_its_addresses_and_host_keys(stage: Stage, ssh_hosts: SshHosts) -> None:
    (one,) = ssh_hosts(1, names=("one",))
    declare(stage, [one])

    told = stage.run("- hosts: all\n  gather_facts: true\n", **given(ssh_hosts))

    (facts,) = [event.facts for event in told.events if event.facts]
    assert facts["hostname"] == "one"
    (card,) = [each for each in facts["interfaces"] if each["name"] == "eth0"]
    assert any(address.startswith(f"{one.address}/") for address in card["addresses"])
    assert len(card["mac"].split(":")) == 6


def test_a_cancelled_run_leaves_no_connection(stage: Stage, ssh_hosts: SshHosts) -> None:
    (one,) = ssh_hosts(1, names=("one",))
    declare(stage, [one])
    sleeping = threading.Event()

    def watch(events) -> None:
        if any(event.task == "Sleep" for event in events):
            sleeping.set()

    playbook = PLAYBOOK + "    - name: Sleep\n      command: sleep 300\n"
    told = stage.run(playbook, **given(ssh_hosts), on_events=watch, stopped=sleeping.is_set)

    assert told.result.status == "cancelled"
    assert told.result.stats["one"]["ok"] == 1
    assert marked(stage.marker) == []


class an_agent:
    """An ssh-agent of an operator, with a key."""

    def __init__(self, path: Path, key: Path) -> None:
        self.path, self.key = path, key

    def __enter__(self) -> str:
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(["ssh-agent", "-D", "-a", str(self.path)], stdout=quiet)
        while not self.path.exists():
            pass
        env = {"SSH_AUTH_SOCK": str(self.path), "PATH": "/usr/bin:/bin"}
        subprocess.run(["ssh-add", "-q", str(self.key)], env=env, check=True)
        return str(self.path)

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait()
