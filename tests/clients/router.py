"""``clients/mgmtplane-fetch`` with a configuration of a test's own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clients.misbehaving import TOKEN, Server, serving, site_of
from tests.components import SEARCH_PATH, find_program, require
from tests.shared_data import REPOSITORY

ONE, TWO, THREE = b"# one\n", b"# two, longer\n", b"# three\n"

CLIENT = REPOSITORY / "clients" / "mgmtplane-fetch"
SHELLS = {"dash": ["dash"], "bash": ["bash", "--posix"], "busybox": ["busybox", "sh"]}
PACKAGES = {"dash": "dash", "bash": "bash", "busybox": "busybox"}


every_shell = pytest.mark.parametrize("shell", SHELLS)


@dataclass(frozen=True)
class Ran:
    status: int
    said: str


class Router:
    """A machine with a server whose file is *target*; ``taken_up`` is what it runs with.

    Its checker refuses files with the word ``unreadable``; its reload fails on files with the word ``explosive``.
    """

    def __init__(self, folder: Path, url: str, shell: str = "dash", **settings: str) -> None:
        require(shell, package=PACKAGES[shell])
        require("curl", package="curl")
        self.folder, self.shell = folder, SHELLS[shell]
        self.etc = folder / "etc"
        self.etc.mkdir()
        self.target = self.etc / "server.conf"
        self.running, self.log, self.state = folder / "running", folder / "reloads", folder / "state"
        self.token = folder / "token"
        self.token.write_text(f"{TOKEN}\n")
        self.token.chmod(0o600)
        self.conf = folder / "server.conf"
        self.settings = {
            "URL": url,
            "SITE": "lab",
            "FORMAT": "dnsmasq",
            "TOKEN_FILE": str(self.token),
            "TARGET": str(self.target),
            "CHECK": 'if grep unreadable "$1"; then exit 1; fi',
            "RELOAD": f'echo >>{self.log}; if grep explosive "$1"; then exit 1; fi; cp "$1" {self.running}',
            "STATE_DIR": str(self.state),
            "CONSUMER": "router-1",
            "TIMEOUT": "5",
            "SETTLE": "0",
            "VERIFY_SECONDS": "1",
            "LOCK_SECONDS": "20",
            **settings,
        }
        self.configure()

    def configure(self, **changes: str) -> None:
        self.settings |= changes
        self.conf.write_text("# a test's\n\n" + "".join(f"{k}={v}\n" for k, v in self.settings.items()))
        self.conf.chmod(0o644)

    def command(self, *arguments: str) -> list[str]:
        return [*self.shell, str(CLIENT), str(self.conf), *arguments]

    def run(self, *arguments: str, before: str = "", path: str = SEARCH_PATH) -> Ran:
        """One run; *before* is a command of the shell that starts it (``ulimit``)."""
        command = self.command(*arguments)
        if before:
            command = ["bash", "-c", f'{before}; exec "$@"', "bash", *command]
        done = subprocess.run(
            command,
            env={"PATH": path, "HOME": str(self.folder), "token": "an exported one"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=100,
        )
        assert TOKEN not in done.stdout
        return Ran(done.returncode, done.stdout)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        environment = {"PATH": SEARCH_PATH, "HOME": str(self.folder)}
        return subprocess.Popen(
            self.command(*arguments),
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def reloads(self) -> int:
        return len(self.log.read_text()) if self.log.exists() else 0

    def leftovers(self) -> list[str]:
        """Files of half a run beside the target."""
        return sorted(p.name for p in self.etc.iterdir() if p.name.endswith(("-new", "-before", ".link")))


def modes(path: Path) -> tuple[int, int, int]:
    status = os.stat(path)
    return status.st_mode & 0o777, status.st_uid, status.st_gid


#: what the client calls, and what its commands do in these tests
NEEDED = """
awk bash busybox cat chmod cmp cp curl cut dash date diff grep gzip head id ln ls mkdir mv readlink rm rmdir
sed sh sleep sync sysctl tail tar timeout tr uname wc
"""


def few_programs(folder: Path) -> str:
    """A PATH without flock and sha256sum; busybox has both inside, which are not asked."""
    bin = folder / "bin"
    bin.mkdir()
    for name in NEEDED.split():
        if program := find_program(name):
            (bin / name).symlink_to(program)
    return str(bin)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        running.answer = site_of(ONE, 1)
        yield running


@pytest.fixture
def router(server: Server, tmp_path: Path) -> Router:
    return Router(tmp_path, server.url, "dash")
