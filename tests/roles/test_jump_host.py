"""Jump host: people get through to declared hosts, and nowhere else; none of them has a shell there."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hosts.ansible import Control
from tests.hosts.ssh import SshHost

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]
PLAYBOOK = "mgmtplane.mgmtplane.jump_host"


def declared(ansible: Control) -> Control:
    """Three hosts, in two segments; the first one is the jump host."""
    jump, inside, outside = ansible.hosts.hosts
    for host, segment in ((jump, "management"), (inside, "management"), (outside, "guest")):
        ansible.inventory[host.name] |= {
            "fqdn": f"{host.name}.lab.example.net",
            "env": {"interfaces": {"eth0": {"ip": f"{host.address}/24", "segment": segment}}},
        }
    ansible.variables |= {
        "jump_host_hosts": jump.name,
        "jump_host_segments": ["management"],
        "jump_host_users": [{"name": "ada", "authorized_keys": [ansible.hosts.public_key]}],
    }
    return ansible


def test_people_get_through_to_the_hosts_of_the_segments_that_are_named_and_to_nothing_else(
    control: Callable[..., Control],
) -> None:
    ansible = declared(control("jump", "inside", "outside"))
    jump, inside, outside = ansible.hosts.hosts
    fresh = ansible.play(PLAYBOOK, "--check", "--diff", "-e", "jump_host_hosts=jump")
    assert fresh.changed("jump") > 3
    assert f"+    PermitOpen inside:22 inside.lab.example.net:22 {inside.address}:22\n" in fresh.said
    assert jump.run(["getent", "passwd", "ada"]).returncode == 2
    assert ansible.play(PLAYBOOK, "-e", "jump_host_hosts=jump").changed("jump") > 3
    again = ansible.play(PLAYBOOK, "-e", "jump_host_hosts=jump")
    assert again.changed("jump") == 0, again.said

    assert _ssh(ansible, "root", inside, through=jump).stdout == "inside\n"
    refused = _ssh(ansible, "root", outside, through=jump)
    assert (refused.returncode, "administratively prohibited" in refused.stderr) == (255, True), (
        refused.stderr
    )
    shell = _ssh(ansible, "ada", jump)
    assert (shell.stdout, "Access is for authorized people" in shell.stderr) == (
        "This account is currently not available.\n",
        True,
    )
    assert _ssh(ansible, "root", jump).stdout == "jump\n"
    assert _ssh(ansible, "root", inside, through=jump, jumper="root").returncode == 255

    told = jump.run(["/usr/sbin/sshd", "-T", "-C", "user=ada,host=x,addr=192.0.2.9"]).stdout.splitlines()
    assert {
        "allowagentforwarding no",
        "allowtcpforwarding local",
        "allowstreamlocalforwarding no",
        "permittty no",
        "x11forwarding no",
        "passwordauthentication no",
        "forcecommand /usr/sbin/nologin",
    } <= set(told)
    others = jump.run(["/usr/sbin/sshd", "-T", "-C", "user=root,host=x,addr=192.0.2.9"]).stdout.splitlines()
    assert {"allowtcpforwarding no", "permittty yes", "forcecommand none"} <= set(others)


def _ssh(
    ansible: Control, user: str, host: SshHost, *, through: SshHost | None = None, jumper: str = "ada"
) -> subprocess.CompletedProcess[str]:
    config = ansible.write("ssh_config", _config(ansible, ansible.folder / "known_hosts"))
    jump = ["-J", f"{jumper}@{through.address}"] if through else []
    return subprocess.run(
        ["ssh", "-F", str(config), *jump, f"{user}@{host.address}", "hostname"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


def _config(ansible: Control, known: Path) -> str:
    return f"Host *\n  BatchMode yes\n  IdentityFile {ansible.hosts.key_file}\n  UserKnownHostsFile {known}\n"
