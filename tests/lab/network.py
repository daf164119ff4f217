"""A network of our own: namespaces that nobody outside sees, and that vanish with the process that holds them.

One process (the holder) has its own network, mounts and process ids. Inside, the router is a machine with a
bridge for each segment, and every client is a network namespace with one interface. The holder reads a pipe
from us: however we end, it ends, and the kernel ends whatever runs inside. No name, interface, mount or
process is left outside, so labs never meet, and there is nothing to clean up by hand.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.components import SEARCH_PATH, find_program, unavailable

START_SECONDS = 20
COMMAND_SECONDS = 60

#: What servers keep in fixed places is hidden from the machine and from each other: leases, locks, sockets.
HOLD = """
set -e
mkdir -p /var/lib/kea 2>/dev/null || true  # Debian leaves making it to systemd, which may never have started Kea
for kept in /run /var/lib/kea /var/cache/bind; do
    if [ -d "$kept" ]; then mount -t tmpfs lab "$kept"; fi
done
mkdir -p /run/kea /run/named
ip link set lo up
echo ready
exec cat
"""


@dataclass(frozen=True, slots=True)
class Wire:
    """A segment on the router: its bridge, and the addresses (with prefix length) the router has there."""

    name: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plug:
    """One network card in a namespace of its own, plugged into a wire."""

    name: str
    mac: str
    wire: str


class Lab:
    """The running network. ``run`` and ``start`` are for the router unless a client is named."""

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[bytes]] = []
        self._plugs: dict[str, str] = {}
        user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        apart = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        self._holder = subprocess.Popen(
            ["unshare", *user, *apart, "sh", "-c", HOLD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment({}),
        )
        namespaces = f"/proc/{self._holder.pid}/ns"
        self._enter = [
            "nsenter",
            f"--net={namespaces}/net",
            f"--mount={namespaces}/mnt",
            f"--pid={namespaces}/pid_for_children",
        ]
        if user:
            self._enter += [f"--user={namespaces}/user", "--preserve-credentials"]
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != b"ready\n":
            unavailable(f"needs network namespaces, and got: {self._last_words()}")

    @property
    def holder(self) -> int:
        """The process that holds the network, as the machine counts it."""
        return self._holder.pid

    def build(self, wires: Iterable[Wire], plugs: Iterable[Plug]) -> None:
        """Lay *wires* and plug *plugs* in."""
        bridges = {wire.name: f"br{number}" for number, wire in enumerate(wires)}
        script = ["set -e"]
        for wire in wires:
            bridge = bridges[wire.name]
            script.append(f"ip link add {bridge} type bridge forward_delay 0 mcast_snooping 0")
            script += [f"ip addr add {address} dev {bridge} nodad" for address in wire.addresses]
            script.append(f"ip link set {bridge} up")
        for number, plug in enumerate(plugs):
            inside, port = f"c{number}", f"port{number}"
            self._plugs[plug.name] = inside
            script += [
                f"ip netns add {inside}",
                f"ip link add {port} type veth peer name eth0 address {plug.mac} netns {inside}",
                f"ip link set {port} master {bridges[plug.wire]} up",
                f"ip -n {inside} link set lo up",
                f"ip -n {inside} link set eth0 up",
            ]
        built = self.run(["sh", "-c", "\n".join(script)])
        if built.returncode:
            unavailable(f"needs bridges and virtual network cards, and got: {built.stderr.strip()}")

    def run(
        self, command: Sequence[str], client: str | None = None, timeout: float = COMMAND_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._entry(client), *command],
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            env=_environment({}),
            stdin=subprocess.DEVNULL,
        )

    def start(
        self,
        command: Sequence[str],
        log: Path,
        client: str | None = None,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Run *command* until the lab ends, or until it ends itself; what it says goes into *log*."""
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*self._entry(client, folder), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=_environment(environment or {}),
            )
        self._started.append(process)
        return process

    def close(self) -> None:
        """End the holder: the kernel then ends everything inside and takes the network away."""
        assert self._holder.stdin is not None
        self._holder.stdin.close()
        try:
            self._holder.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self._holder.kill()
            self._holder.wait()
        for process in self._started:
            process.wait(START_SECONDS)
        for pipe in (self._holder.stdout, self._holder.stderr):
            if pipe is not None:
                pipe.close()

    def _entry(self, client: str | None, folder: Path | None = None) -> list[str]:
        """The words before a command that put it into the lab; entering the mounts leads to ``/``."""
        where = [] if folder is None else [f"--wd={folder}"]
        inner = [] if client is None else ["nsenter", f"--net=/run/netns/{self._plugs[client]}"]
        return [*self._enter, *where, *inner]

    def _last_words(self) -> str:
        _, words = self._holder.communicate(timeout=START_SECONDS)
        return words.decode(errors="replace").strip() or "nothing"


def program(name: str, folder: Path) -> str:
    """The installed *name*; a copy of it where AppArmor would keep it from files outside its usual places."""
    path = find_program(name) or name
    if not _apparmor_is_on():
        return path
    copy = folder / name
    if not copy.exists():
        shutil.copy(path, copy)
    return str(copy)


def _apparmor_is_on() -> bool:
    try:
        return Path("/sys/module/apparmor/parameters/enabled").read_text().startswith("Y")
    except OSError:
        return False


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """No more than a server needs: what a developer's shell sets must not change what is proven."""
    return {"PATH": SEARCH_PATH, "LC_ALL": "C.UTF-8", "TZ": "UTC", **more}
