"""Hosts with their own root, name, network and sshd, over the machine's own programs."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.components import require, require_namespaces, unavailable
from tests.hosts.cgroups import Cgroups
from tests.hosts.network import Net, lay
from tests.lab.network import Lab

SCRIPT = Path(__file__).with_name("host.sh")
PORT = 22
READY_SECONDS = 30
Init = Literal["sshd", "systemd"]
APART = ("--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child")


@dataclass
class SshHost:
    """One host. root may log in with the key of the test; ``/usr/bin/python3`` is the machine's."""

    name: str
    address: str
    #: as it stands in a known_hosts file: ``ssh-ed25519 AAAA…``
    host_key: str
    _lab: Lab
    _net: Net
    _given: Path
    _cgroups: Cgroups | None
    port: int = PORT
    #: ``sshd`` alone, or ``systemd`` as on a real machine: services are services, and a second slower
    init: Init = "sshd"
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _starts: int = field(default=0, repr=False)

    def start(self) -> None:
        """Switch it on; it has what it had when it was switched off, except for what stood in /run and /tmp."""
        kept = f"/run/hosts/{self.name}"
        plug = f"ip link set eth0 up; ip route replace default via {self._net.gateway}; "
        note = plug + f'mkdir -p "{kept}"; rm -rf "{kept}/own/run" "{kept}/own/tmp"; echo $$ >"{kept}/pid"; '
        if self._cgroups is not None:
            note += self._cgroups.join(self.name)
        note += 'exec "$@"'
        apart = [*APART, *(["--cgroup"] if self.init == "systemd" else [])]
        words = ["unshare", *apart, "sh", str(SCRIPT), self.name, kept, str(self._given), self.init]
        self._starts += 1
        log = self._given / f"log{self._starts}"
        self._process = self._lab.start(["sh", "-c", note, "host", *words], log, client=self.name)
        deadline = time.monotonic() + READY_SECONDS
        while not self.answers():
            said = f"{self.name} does not answer; it said: {log.read_text(errors='replace')}"
            if self._process.poll() is not None:
                unavailable(f"needs mounts of its own: {said}")
            assert time.monotonic() < deadline, said
            time.sleep(0.02)

    def stop(self) -> None:
        """Switch it off, as by its power plug: connections to it break, nobody has its address."""
        unplug = f"ip link set eth0 down; kill -9 $(cat /run/hosts/{self.name}/pid)"
        done = self._lab.run(["sh", "-c", unplug], self.name)
        assert done.returncode == 0, done.stderr
        assert self._process is not None
        self._process.wait(READY_SECONDS)
        self._net.forget(self.address)

    def run(self, command: Sequence[str], timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run *command* inside as root, without SSH."""
        return self._lab.run([*self._way_in(), *command], self.name, timeout=timeout)

    def read(self, path: str) -> str:
        """The text of its file *path*."""
        done = self.run(["cat", path])
        assert done.returncode == 0, done.stderr
        return done.stdout

    def answers(self) -> bool:
        """Whether its sshd says who it is."""
        try:
            with socket.create_connection((self.address, self.port), timeout=2) as line:
                return line.recv(4) == b"SSH-"
        except OSError:
            return False

    @property
    def gateway(self) -> str:
        """The address of the machine that the tests run on, as this host sees it."""
        return self._net.gateway

    @property
    def known_hosts(self) -> str:
        """Its line of a known_hosts file."""
        return f"{self.address} {self.host_key}\n"

    def _way_in(self) -> list[str]:
        enter = (
            f"read pid </run/hosts/{self.name}/pid; "
            "exec nsenter --mount=/proc/$pid/ns/mnt --uts=/proc/$pid/ns/uts --ipc=/proc/$pid/ns/ipc "
            '--pid=/proc/$pid/ns/pid_for_children -- "$@"'
        )
        return ["sh", "-c", enter, "host"]


class SshHosts:
    """Makes hosts: ``ssh_hosts(3)``. All of them let root in with ``key``, and end with the test."""

    def __init__(self, folder: Path) -> None:
        self.hosts: list[SshHost] = []
        self._labs: list[Lab] = []
        self._cgroups: Cgroups | None = None
        self._folder = folder
        self.key_file = folder / "key"
        self.key = self._make_key(self.key_file)
        self.public_key = self.key_file.with_suffix(".pub").read_text().strip()

    def __call__(self, count: int = 1, *, names: Sequence[str] = (), init: Init = "sshd") -> list[SshHost]:
        """Start *count* hosts, called *names*, or ``host1``, ``host2``, …, on a wire of their own."""
        if init == "systemd" and self._cgroups is None:
            self._cgroups = Cgroups()
        first = len(self.hosts) + 1
        called = list(names) or [f"host{first + at}" for at in range(count)]
        lab = Lab()
        self._labs.append(lab)
        net = lay(lab, called)
        made = [self._host(lab, net, at, name, init) for at, name in enumerate(called)]
        self.hosts += made
        for host in made:
            host.start()
        return made

    @property
    def known_hosts(self) -> str:
        """The text of a known_hosts file with every host made so far."""
        return "".join(host.known_hosts for host in self.hosts)

    @property
    def cgroup(self) -> Path | None:
        """The control group that everything of its hosts with systemd runs in."""
        return self._cgroups.root if self._cgroups else None

    def close(self) -> None:
        for lab in self._labs:
            lab.close()
        if self._cgroups is not None:
            self._cgroups.close()

    def _host(self, lab: Lab, net: Net, position: int, name: str, init: Init) -> SshHost:
        given = self._folder / name
        given.mkdir()
        self._make_key(given / "host_key")
        public = (given / "host_key.pub").read_text().split()
        (given / "authorized_keys").write_text(self.public_key + "\n")
        (given / "machine_id").write_text(uuid.uuid4().hex + "\n")
        key, cgroups = " ".join(public[:2]), self._cgroups if init == "systemd" else None
        return SshHost(name, net.address(position), key, lab, net, given, cgroups, init=init)

    @staticmethod
    def _make_key(path: Path) -> str:
        """A new private key in *path*, its public half beside it."""
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "tests", "-f", str(path)]
        subprocess.run(words, check=True, timeout=60, stdin=subprocess.DEVNULL)
        return path.read_text()


def require_ssh_hosts() -> None:
    """Skip (or fail) unless hosts can be made here."""
    require_namespaces()
    require("nsenter", "pivot_root", package="util-linux mount")
    require("sshd", package="openssh-server")
    require("ssh", "ssh-keygen", package="openssh-client")
    if shutil.which("python3", path="/usr/bin") is None:
        unavailable("needs /usr/bin/python3: sudo apt-get install -y python3")
