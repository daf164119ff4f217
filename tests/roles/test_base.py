"""Base: what every machine has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hosts.ansible import Control
from tests.hosts.ssh import SshHosts

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]
PLAYBOOK = "mgmtplane.mgmtplane.base"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1tq0Vn0f1YbP1v7yZr2Nq3qk9H0bQ2mX9y8Qw7Zc1s ada@example.net"


def declared(control: Control) -> Control:
    """Variables as the inventory of a site gives them."""
    control.variables |= {
        "deevnet_vlans": {"management": {"gateway": "192.0.2.1"}, "iot": {"gateway": "198.51.100.1"}},
        "base_users": [
            {
                "name": "ada",
                "comment": "Ada",
                "authorized_keys": [KEY],
                "sudo": "nopasswd",
                "groups": ["lab"],
            },
            {"name": "grace", "sudo": "password"},
        ],
        "base_time_servers": ["192.0.2.1"],
    }
    for name, host in control.inventory.items():
        host |= {
            "fqdn": f"{name}.lab.example.net",
            "env": {"interfaces": {"eth0": {"ip": host["ansible_host"], "segment": "management"}}},
        }
    return control


def test_a_host_becomes_what_is_declared_and_a_second_run_changes_nothing(
    control: Callable[..., Control],
) -> None:
    ansible = declared(control("pi01"))
    (host,) = ansible.hosts.hosts
    assert ansible.play(PLAYBOOK).changed("pi01") > 5
    assert host.read("/etc/hostname") == "pi01\n"
    assert "127.0.1.1 pi01.lab.example.net pi01\n" in host.read("/etc/hosts")
    assert "search lab.example.net\nnameserver 192.0.2.1\n" in host.read("/etc/resolv.conf")
    assert "NTP=192.0.2.1\n" in host.read("/etc/systemd/timesyncd.conf.d/50-mgmtplane.conf")
    assert KEY in host.read("/home/ada/.ssh/authorized_keys")
    assert host.run(["runuser", "-u", "ada", "--", "sudo", "-n", "id", "-u"]).stdout == "0\n"
    assert host.run(["runuser", "-u", "grace", "--", "sudo", "-n", "id", "-u"]).returncode == 1
    again = ansible.play(PLAYBOOK)
    assert again.changed("pi01") == 0, again.said


def test_check_mode_shows_what_a_fresh_host_would_become_and_leaves_it_as_it_is(
    control: Callable[..., Control],
) -> None:
    """Also where Ansible cannot ask apt yet, and the package that would bring a service is not there."""
    ansible = declared(control("pi01"))
    (host,) = ansible.hosts.hosts
    apt = "/usr/lib/python3/dist-packages/apt"
    host.run(["sh", "-c", f"rm -rf {apt} {apt}_pkg*"])
    before = host.read("/etc/passwd"), host.read("/etc/hosts")
    ansible.variables["base_time_service"] = "chrony"
    checked = ansible.play(PLAYBOOK, "--check", "--diff")
    assert checked.changed("pi01") > 5
    assert (
        "Would install python3-apt, then whatever is missing of ca-certificates, curl, sudo, chrony."
        in checked.said
    )
    for line in (
        "+127.0.1.1 pi01.lab.example.net pi01",
        "+ada ALL=(ALL:ALL) NOPASSWD: ALL",
        "+nameserver 192.0.2.1",
    ):
        assert f"{line}\n" in checked.said
    assert (host.read("/etc/passwd"), host.read("/etc/hosts")) == before
    assert host.run(["test", "-e", "/etc/chrony"]).returncode == 1


@pytest.mark.slow
@pytest.mark.whole
def test_a_package_is_installed_and_its_service_restarted_when_its_configuration_changes(
    control: Callable[..., Control],
) -> None:
    ansible = declared(control("pi01"))
    (host,) = ansible.hosts.hosts
    ansible.variables["base_time_service"] = "chrony"
    first = ansible.play(PLAYBOOK, "--tags", "packages,time")
    assert first.changed("pi01") > 2
    assert host.run(["dpkg-query", "-W", "-f", "${Status}", "chrony"]).stdout == "install ok installed"
    assert "server 192.0.2.1 iburst\n" in host.read("/etc/chrony/chrony.conf")
    assert host.run(["systemctl", "is-enabled", "chrony"]).stdout == "enabled\n"
    started = host.run(["systemctl", "show", "-p", "MainPID", "chrony"]).stdout
    ansible.variables["base_time_servers"] = ["192.0.2.2"]
    assert ansible.play(PLAYBOOK, "--tags", "packages,time").changed("pi01") == 2
    assert host.run(["systemctl", "show", "-p", "MainPID", "chrony"]).stdout not in (started, "MainPID=0\n")
    assert ansible.play(PLAYBOOK, "--tags", "packages,time").changed("pi01") == 0


@pytest.mark.slow
@pytest.mark.whole
def test_without_systemd_services_are_left_alone_and_that_is_said(
    ssh_hosts: SshHosts, collections: Path
) -> None:
    ssh_hosts(names=["pi01"])
    ansible = Control(ssh_hosts, [collections])
    try:
        declared(ansible).variables["base_manage_packages"] = False
        said = "systemd does not run on pi01: services are neither enabled nor restarted."
        first = ansible.play(PLAYBOOK)
        assert (first.changed("pi01") > 5, said in first.said) == (True, True)
        assert ansible.play(PLAYBOOK).changed("pi01") == 0
    finally:
        ansible.close()


@pytest.mark.slow
@pytest.mark.whole
def test_a_password_is_taken_as_a_hash_that_no_output_shows(control: Callable[..., Control]) -> None:
    ansible = declared(control("pi01"))
    (host,) = ansible.hosts.hosts
    sealed = (
        "$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/"
    )
    ansible.variables["base_passwords"] = {"grace": sealed}
    done = ansible.play(PLAYBOOK, "--tags", "users", "--diff", "-vvv")
    assert (done.changed("pi01") > 3, sealed in done.said) == (True, False)
    assert f"\ngrace:{sealed}:" in host.read("/etc/shadow")
    ansible.variables["base_passwords"] = {"grace": "hunter22-in-plain"}
    refused = ansible.play(PLAYBOOK, "--tags", "users", "-vvv")
    assert (refused.rc, "hunter22" in refused.said) == (2, False), refused.said


@pytest.mark.slow
@pytest.mark.whole
def test_a_fedora_is_given_the_names_of_fedora(control: Callable[..., Control]) -> None:
    ansible = declared(control("pi01"))
    (host,) = ansible.hosts.hosts
    done = host.run(["sh", "-ec", FEDORA])
    assert done.returncode == 0, done.stderr
    ansible.variables["base_manage_packages"] = False  # there is no dnf here
    assert ansible.play(PLAYBOOK, "--tags", "time").changed("pi01") == 3
    assert "driftfile /var/lib/chrony/drift\n" in host.read("/etc/chrony.conf")
    assert host.run(["systemctl", "is-enabled", "chronyd"]).stdout == "enabled\n"


#: A machine that says it is a Fedora, with a unit of the name that Fedora gives it.
FEDORA = """
rm -f /etc/debian_version /etc/lsb-release /etc/os-release
printf 'NAME="Fedora Linux"\\nID=fedora\\nVERSION_ID=42\\nPRETTY_NAME="Fedora Linux 42"\\n' >/etc/os-release
echo 'Fedora release 42 (Adams)' >/etc/redhat-release
printf '[Service]\\nExecStart=/usr/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n' \\
    >/etc/systemd/system/chronyd.service
systemctl daemon-reload
"""
