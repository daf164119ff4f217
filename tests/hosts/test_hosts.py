"""The hosts themselves: reached by anybody here, apart from each other, gone when the tests end or die."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.hosts.ansible import Control
from tests.hosts.ssh import Init, SshHost, SshHosts, require_ssh_hosts

pytestmark = pytest.mark.lab

DYING = """
import os, sys
from pathlib import Path
from tests.hosts.ansible import Control
from tests.hosts.ssh import SshHosts
hosts = SshHosts(Path(sys.argv[1]))
one, = hosts(1, init=sys.argv[2])
print(one.address, hosts.cgroup or "/nowhere", flush=True)
os.kill(os.getpid(), 9)
"""

PLAY = """
- hosts: all
  tasks:
    - ansible.builtin.assert:
        that: ansible_facts['default_ipv4']['address'] == ansible_host and ansible_facts['hostname'] == inventory_hostname
"""


def test_hosts_are_logged_into_with_the_key_and_have_their_own_names(ssh_hosts: SshHosts) -> None:
    made = ssh_hosts(3)
    said = [_ssh(ssh_hosts, host, "hostname; id -un; /usr/bin/python3 -c 'print(6 * 7)'") for host in made]
    assert [answer.stdout for answer in said] == [f"host{number}\nroot\n42\n" for number in (1, 2, 3)]


def test_what_one_host_writes_neither_the_others_nor_the_machine_see(ssh_hosts: SshHosts) -> None:
    one, two = ssh_hosts(2)
    places = ("/etc", "/var", "/home", "/root", "/run", "/tmp", "/usr/local")
    for place in places:
        assert one.run(["sh", "-c", f"echo x >{place}/mgmtplane-proof"]).returncode == 0
        assert two.run(["test", "-e", f"{place}/mgmtplane-proof"]).returncode == 1
        assert not Path(place, "mgmtplane-proof").exists()


def test_a_stopped_host_is_unreachable_and_keeps_its_disk(ssh_hosts: SshHosts) -> None:
    (host,) = ssh_hosts(1)
    host.run(["sh", "-c", "echo kept >/etc/kept"])
    host.stop()
    gone = _ssh(ssh_hosts, host, "true")
    assert (gone.returncode, "No route to host" in gone.stderr) == (255, True), gone.stderr
    host.start()
    assert _ssh(ssh_hosts, host, "cat /etc/kept").stdout == "kept\n"


def test_a_host_cannot_set_the_clock_or_the_kernel_of_the_machine(ssh_hosts: SshHosts) -> None:
    (host,) = ssh_hosts(1)
    assert _ssh(ssh_hosts, host, "date -s '2001-01-01 00:00:00'").returncode == 1
    assert _ssh(ssh_hosts, host, "echo 1 >/proc/sys/kernel/panic").returncode != 0


def test_ansible_gathers_facts_of_each(ssh_hosts: SshHosts) -> None:
    ssh_hosts(3, names=("web1", "web2", "db1"))
    ansible = Control(ssh_hosts)
    try:
        done = ansible.play(ansible.write("play.yml", PLAY))
        assert {host: row["ok"] for host, row in done.recap.items()} == {"web1": 2, "web2": 2, "db1": 2}, (
            done.said
        )
    finally:
        ansible.close()


def test_services_of_a_host_with_systemd_are_its_own(ssh_hosts: SshHosts) -> None:
    (host,) = ssh_hosts(1, init="systemd")
    assert _ssh(ssh_hosts, host, "systemctl is-active ssh sshd").stdout.split()[0] == "active"
    restarted = _ssh(ssh_hosts, host, "systemctl restart rsyslog && systemctl is-active rsyslog")
    assert restarted.stdout == "active\n", restarted.stderr
    host.stop()
    host.start()
    assert _ssh(ssh_hosts, host, "systemctl is-active rsyslog").stdout == "inactive\n"


@pytest.mark.parametrize("init", ["sshd", "systemd"])
def test_nothing_is_left_when_the_tests_are_killed(tmp_path: Path, init: Init) -> None:
    require_ssh_hosts()
    words = [sys.executable, "-c", DYING, str(tmp_path), init]
    killed = subprocess.run(words, timeout=60, check=False, capture_output=True, text=True)
    assert killed.returncode == -9, killed.stderr
    address = killed.stdout.split()[0]
    net = address.rpartition(".")[0]
    _wait_until(lambda: net not in subprocess.check_output(["ip", "addr"], text=True))
    _wait_until(lambda: str(tmp_path) not in _arguments())
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()
    group = killed.stdout.split()[1]
    _wait_until(lambda: not Path(group).exists())


@pytest.mark.parametrize("init", ["sshd", "systemd"])
def test_nothing_is_left_of_hosts_that_ended(tmp_path: Path, init: Init) -> None:
    require_ssh_hosts()
    hosts = SshHosts(tmp_path)
    (host,) = hosts(1, init=init)
    hosts.close()
    assert hosts.cgroup is None or not hosts.cgroup.exists()
    _wait_until(
        lambda: host.address.rpartition(".")[0] not in subprocess.check_output(["ip", "addr"], text=True)
    )
    _wait_until(lambda: str(tmp_path) not in _arguments())


def _ssh(hosts: SshHosts, host: SshHost, command: str) -> subprocess.CompletedProcess[str]:
    known = hosts.key_file.with_name("known_hosts")
    known.write_text(hosts.known_hosts)
    options = [
        "-i",
        str(hosts.key_file),
        "-F",
        "none",
        "-o",
        "BatchMode=yes",
        "-o",
        f"UserKnownHostsFile={known}",
    ]
    return subprocess.run(
        ["ssh", *options, f"root@{host.address}", command],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


def _arguments() -> str:
    """The words of every process here but this one's relatives of pytest."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:  # it ended meanwhile
            continue
        found.append(b" ".join(words).decode(errors="replace"))
    return "\n".join(found)


def _wait_until(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within twenty seconds"
        time.sleep(0.05)
