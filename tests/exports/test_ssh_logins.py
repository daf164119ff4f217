"""Real logins through a real jump host, with the exported file and nothing else."""

from __future__ import annotations

import getpass
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from inventory.exports import get_export
from inventory.snapshot import SiteFacts, Snapshot
from tests.components import find_program, require
from tests.exports.example_site import host, interface

SERVER = """\
Port {port}
ListenAddress {address}
HostKey {key}
AuthorizedKeysFile {authorized}
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
"""
#: What a person's own ``~/.ssh/config`` says besides including the export.
OWN = """\
Include {export}
Host *
  StrictHostKeyChecking no
  UserKnownHostsFile {known}
  IdentitiesOnly yes
  BatchMode yes
"""


@dataclass
class World:
    """A jump host at 127.0.0.2 and a machine behind it at 127.0.0.3, which logs who asks."""

    config: Path
    logs: dict[str, Path]

    def ssh(self, destination: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["ssh", "-F", str(self.config), destination, "echo", "here"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def site_of(ports: dict[str, int], key: Path) -> Snapshot:
    user = getpass.getuser()
    access = {"user": user, "identity": str(key)}
    hosts = [
        replace(
            host(name, interface(name, "eth0", None, None, address)),
            access={**access, "port": ports[name], **({"jump": "jump01"} if name == "deep01" else {})},
        )
        for name, address in (("deep01", "127.0.0.3"), ("jump01", "127.0.0.2"))
    ]
    return Snapshot(SiteFacts("lab", "example.net"), hosts=tuple(hosts))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    require("ssh", "ssh-keygen", package="openssh-client")
    require("sshd", package="openssh-server")
    folder = tmp_path_factory.mktemp("ssh")
    Path("/run/sshd").mkdir(exist_ok=True)  # where sshd separates its privileges
    for name in ("id", "server"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    (folder / "authorized").write_bytes((folder / "id.pub").read_bytes())
    addresses = {"jump01": "127.0.0.2", "deep01": "127.0.0.3"}
    ports = {name: free_port(address) for name, address in addresses.items()}
    started, logs = [], {}
    try:
        for name, address in addresses.items():
            logs[name] = folder / f"{name}.log"
            config = folder / f"{name}.conf"
            text = SERVER.format(
                port=ports[name], address=address, key=folder / "server", authorized=folder / "authorized"
            )
            config.write_text(text)
            command = [find_program("sshd") or "sshd", "-D", "-f", str(config), "-E", str(logs[name])]
            started.append(subprocess.Popen(command))
            _wait_for(address, ports[name])
        export = folder / "ssh_config"
        site = site_of(ports, folder / "id")
        export.write_bytes(get_export("ssh-config").render(site, None).files["ssh_config"])
        own = folder / "own"
        own.write_text(OWN.format(export=export, known=folder / "known"))
        yield World(own, logs)
    finally:
        for process in started:
            process.terminate()
            process.wait(10)


def _wait_for(address: str, port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((address, port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"sshd does not answer at {address}:{port}")


@pytest.mark.parametrize("destination", ["deep01.ip", "127.0.0.3"])
def test_a_login_by_address_goes_through_the_jump_host(world: World, destination: str) -> None:
    before = world.logs["jump01"].read_text().count("Accepted publickey")
    done = world.ssh(destination)
    assert (done.returncode, done.stdout) == (0, "here\n"), done.stderr
    assert world.logs["jump01"].read_text().count("Accepted publickey") == before + 1


def test_the_jump_host_itself_is_reached_directly(world: World) -> None:
    before = world.logs["jump01"].read_text().count("Accepted publickey")
    done = world.ssh("jump01.ip")
    assert (done.returncode, done.stdout) == (0, "here\n"), done.stderr
    assert world.logs["jump01"].read_text().count("Accepted publickey") == before + 1


def test_by_name_it_is_the_name_that_is_asked_for(world: World) -> None:
    """Here no DNS knows the zone: ssh says which name it looked for."""
    done = world.ssh("jump01")
    assert done.returncode == 255
    assert "jump01.lab.example.net" in done.stderr
