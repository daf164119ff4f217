"""A git server by ssh on this machine: a real sshd on a port of its own, that lets a key do nothing but git."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from tests.components import find_program, require, unavailable

READY_SECONDS = 20


def make_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> str:
    """Write a key pair at *path*; the private one."""
    words = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "test", "-f", str(path)]
    subprocess.run(words, check=True)
    return path.read_text()


class GitServer:
    """``address`` is where it listens; ``key`` gets in; ``restart`` may show another host key."""

    #: options of sshd beside those that it always has
    more: Mapping[str, str] = {}

    def __init__(self, folder: Path) -> None:
        require("sshd", "ssh-keygen", "git-shell", package="openssh-server git")
        self.folder = folder
        folder.mkdir(mode=0o700)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.key = make_key(folder / "key")
        public = (folder / "key.pub").read_text()
        (folder / "authorized").write_text(f"{self.allowed()}restrict {public}")
        make_key(folder / "host")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def allowed(self) -> str:
        """What a key may do, as authorized_keys has it."""
        return f'command="{find_program("git-shell")} -c \\"$SSH_ORIGINAL_COMMAND\\"",'

    @property
    def host_key(self) -> str:
        return " ".join((self.folder / "host.pub").read_text().split()[:2])

    def location(self, path: Path) -> str:
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{path}"

    @property
    def fingerprint(self) -> str:
        said = subprocess.run(
            ["ssh-keygen", "-lf", str(self.folder / "host.pub")], capture_output=True, text=True, check=True
        )
        return said.stdout.split()[1]

    def start(self) -> None:
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        options = {
            "HostKey": self.folder / "host",
            "AuthorizedKeysFile": self.folder / "authorized",
            "StrictModes": "no",
            "UsePAM": "no",
            "PasswordAuthentication": "no",
            "PermitRootLogin": "yes",
            "PidFile": "none",
            "LogLevel": "VERBOSE",
            **self.more,
        }
        words = [str(find_program("sshd")), "-D", "-e", "-f", "/dev/null", "-p", str(self.port)]
        words += [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        self.log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen([*words, "-o", "ListenAddress=127.0.0.1"], stderr=self.log)
        until = time.monotonic() + READY_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                unavailable(f"needs an sshd of its own, which said: {(self.folder / 'log').read_text()}")
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(READY_SECONDS)
            self.log.close()

    def renew_host_key(self) -> None:
        """It comes back with another key."""
        self.stop()
        for path in (self.folder / "host", self.folder / "host.pub"):
            path.unlink()
        make_key(self.folder / "host")
        self.start()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as line:
                return line.recv(4) == b"SSH-"
        except OSError:
            return False


class FileServer(GitServer):
    """The same for sftp alone."""

    more: Mapping[str, str] = {"Subsystem": "sftp internal-sftp", "ForceCommand": "internal-sftp"}

    def allowed(self) -> str:
        return ""

    def directory(self, path: Path) -> str:
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{path}"
