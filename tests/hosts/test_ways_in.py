"""The generated files against real hosts: logins through a jump host with recorded keys, shutting down, Wake-on-LAN."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from inventory.exports import get_export
from inventory.recovery.scripts import ssh_files
from inventory.snapshot import HostFacts, InterfaceFacts, SegmentFacts, SiteFacts, Snapshot
from provisioning.adapters import waking
from provisioning.adapters.waking import NotSent, Relay
from tests.exports.jump_site import host_key
from tests.hosts.ssh import SshHost, SshHosts, require_ssh_hosts

pytestmark = [pytest.mark.lab, pytest.mark.timeout(400)]

#: In place of the host's own: it is off the network a moment after it said so, as a machine that shuts down.
SHUTDOWN = """\
#!/bin/sh
date +%s.%N >/etc/went-down
(sleep 0.2; ip link set eth0 down) >/dev/null 2>&1 &
"""
LISTEN = """\
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 9)); s.settimeout(30)
open("/tmp/listening", "w").close()
data, sender = s.recvfrom(2048)
open("/etc/heard", "w").write(f"{data.hex()} {sender[0]}")
"""


@dataclass
class World:
    hosts: dict[str, SshHost]
    site: Snapshot
    folder: Path

    def ssh(
        self, destination: str, command: str, folder: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """A login by the generated files alone; strict, and without a question."""
        at = folder or self.folder
        words = [
            "ssh",
            "-F",
            "ssh_config",
            "-o",
            "BatchMode=yes",
            "-o",
            "ConnectTimeout=10",
            destination,
            command,
        ]
        return subprocess.run(words, cwd=at, capture_output=True, text=True, timeout=60, check=False)


def site_of(hosts: dict[str, SshHost], key: Path) -> Snapshot:
    """jump01 leads into the segment; hv01 and vm101 lie behind it."""
    declared = []
    for last, (name, one) in enumerate(sorted(hosts.items())):
        mac = f"02:00:00:12:00:{last + 0x20:02x}"
        card = InterfaceFacts(
            name, "eth0", mac, segment="management", addressing="static", ipv4=one.address, a_record=True,
            wake_on_lan=name == "hv01",
        )  # fmt: skip
        declared.append(HostFacts(name, form="ph", interfaces=(card,), host_keys=one.host_key))
    net = f"{declared[0].interfaces[0].ipv4}".rsplit(".", 1)[0] + ".0/24"
    lan = SegmentFacts("management", network4=net, jump_host="jump01", wake_relay="jump01")
    variables = {"mgmtplane_ssh": {"user": "root", "identity": str(key)}}
    return Snapshot(
        SiteFacts("lab", "example.net", variables=variables), segments=(lan,), hosts=tuple(declared)
    )


@pytest.fixture
def world(ssh_hosts: SshHosts, tmp_path: Path) -> Iterator[World]:
    require_ssh_hosts()
    made = dict(zip(("hv01", "jump01", "vm101"), ssh_hosts(3), strict=True))
    site = site_of(made, ssh_hosts.key_file)
    for name, content in get_export("power-scripts").render(site, None).files.items():
        (tmp_path / name).write_bytes(content.replace(b"\ninterval=5\n", b"\ninterval=1\n"))
    yield World(made, site, tmp_path)


def test_logins_go_through_the_jump_host_with_recorded_keys_alone(world: World, tmp_path: Path) -> None:
    jump = world.hosts["jump01"].address
    for destination in ("hv01.ip", world.hosts["hv01"].address, "vm101.ip"):
        done = world.ssh(destination, 'echo "${SSH_CONNECTION%% *}"')
        assert (done.returncode, done.stdout.strip()) == (0, jump), done.stderr
    by_name = _by_name(world, "hv01")
    assert (by_name.returncode, by_name.stdout.strip()) == (0, jump), by_name.stderr
    direct = world.ssh("jump01.ip", "hostname")
    assert direct.returncode == 0, direct.stderr
    # another key on record for the same host, and nobody gets in
    wrong = tuple(
        replace(one, host_keys=host_key(7)) if one.name == "hv01" else one for one in world.site.hosts
    )
    other = tmp_path / "other"
    other.mkdir()
    for name, content in ssh_files(replace(world.site, hosts=wrong)).items():
        (other / name).write_bytes(content)
    refused = world.ssh("hv01.ip", "true", other)
    assert refused.returncode == 255
    assert "Host key verification failed" in refused.stderr


def _by_name(world: World, destination: str) -> subprocess.CompletedProcess[str]:
    """The same where names are known: this machine needs the jump host's alone, and the jump host the others'."""
    lines = "".join(f"{one.address} {name}.lab.example.net\n" for name, one in world.hosts.items())
    known = f"cat >>/etc/hosts <<'E'\n{lines}E"
    assert world.hosts["jump01"].run(["sh", "-c", known]).returncode == 0
    (world.folder / "hosts").write_text(f"{world.hosts['jump01'].address} jump01.lab.example.net\n")
    said = "echo ${SSH_CONNECTION%% *}"
    login = f"mount --bind hosts /etc/hosts && ssh -F ssh_config -o BatchMode=yes {destination} '{said}'"
    words = ["unshare", "--mount", "sh", "-c", login]
    return subprocess.run(words, cwd=world.folder, capture_output=True, text=True, timeout=60, check=False)


def test_the_shutdown_script_switches_real_hosts_off_and_the_jump_host_last(world: World) -> None:
    for one in world.hosts.values():
        write = f"cat >/usr/local/sbin/shutdown <<'E'\n{SHUTDOWN}E\nchmod 755 /usr/local/sbin/shutdown"
        assert one.run(["sh", "-c", write]).returncode == 0
    words = ["sh", str(world.folder / "shutdown.sh"), "--yes", "--wait", "60"]
    notes = {**os.environ, "XDG_STATE_HOME": str(world.folder / "state")}
    done = subprocess.run(words, env=notes, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    went = {name: float(one.read("/etc/went-down")) for name, one in world.hosts.items()}
    assert max(went, key=lambda name: went[name]) == "jump01"


def test_a_packet_through_a_relay_is_heard_on_the_segment(world: World) -> None:
    listener = world.hosts["vm101"]
    start = f"cat >/tmp/listen.py <<'E'\n{LISTEN}E\nsetsid python3 /tmp/listen.py >/dev/null 2>&1 &"
    assert listener.run(["sh", "-c", start]).returncode == 0
    wait = "for i in $(seq 100); do test -e /tmp/listening && exit 0; sleep 0.1; done; exit 1"
    assert listener.run(["sh", "-c", wait]).returncode == 0
    jump = world.hosts["jump01"].address
    broadcast = jump.rsplit(".", 1)[0] + ".255"
    mac = "02:00:00:12:00:99"
    waking.send_through(Relay("jump01.ip", ssh_files(world.site)), mac, broadcast)
    heard = "for i in $(seq 100); do test -s /etc/heard && exit 0; sleep 0.1; done; exit 1"
    assert listener.run(["sh", "-c", heard]).returncode == 0
    assert listener.read("/etc/heard").split() == [waking.packet(mac).hex(), jump]
    assert waking.packet(mac)[:12].hex() == "ff" * 6 + "020000120099"
    with pytest.raises(NotSent, match="did not send the packet; ssh said: Host key verification failed"):
        unknown = replace(
            world.site, hosts=tuple(replace(one, host_keys=host_key(7)) for one in world.site.hosts)
        )
        waking.send_through(Relay("jump01.ip", ssh_files(unknown)), mac, broadcast)
