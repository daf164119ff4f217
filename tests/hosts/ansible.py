"""Real Ansible on the hosts of a test, as an operator runs it from a shell."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.hosts.ssh import SshHosts

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Played:
    """How a playbook ended: Ansible's exit code, what it printed, and its recap."""

    rc: int
    said: str

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        """Host → ok, changed, unreachable, failed, …"""
        lines = re.findall(r"(?m)^(\S+) +: (ok=\d.*)$", self.said)
        return {host: {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", rest)} for host, rest in lines}

    def changed(self, host: str) -> int:
        assert self.rc == 0, self.said
        return self.recap[host]["changed"]


class Control:
    """The machine that Ansible runs on: an inventory of *hosts*, their keys, and collections."""

    def __init__(self, hosts: SshHosts, collections: Sequence[Path] = ()) -> None:
        # A socket's path has at most 108 characters, of which a folder of pytest's may take most.
        self.folder = Path(tempfile.mkdtemp(prefix="mg"))
        self.hosts = hosts
        self.inventory: dict[str, Any] = {
            host.name: {"ansible_host": host.address, "ansible_port": host.port} for host in hosts.hosts
        }
        self.variables: dict[str, Any] = {}
        (self.folder / "known_hosts").write_text(hosts.known_hosts)
        self.environment = {
            "PATH": f"{BIN}:/usr/bin:/bin",
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": ":".join(map(str, collections)),
            "ANSIBLE_REMOTE_USER": "root",
            "ANSIBLE_PRIVATE_KEY_FILE": str(hosts.key_file),
            "ANSIBLE_SSH_COMMON_ARGS": f"-F none -o UserKnownHostsFile={self.folder}/known_hosts",
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_NOCOLOR": "1",
        }

    def play(self, playbook: Path | str, *arguments: str, **environment: str) -> Played:
        """Run *playbook*: a path, or the name that a collection gives it."""
        inventory = self.folder / "hosts.json"
        document = {"all": {"hosts": self.inventory, "vars": self.variables}}
        inventory.write_text(json.dumps(document))  # JSON is YAML
        done = subprocess.run(
            ["ansible-playbook", "-i", str(inventory), str(playbook), *arguments],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            stdin=subprocess.DEVNULL,
        )
        return Played(done.returncode, done.stdout + done.stderr)

    def write(self, name: str, text: str) -> Path:
        """A file beside the inventory."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def close(self) -> None:
        """End the connections that Ansible left open for its next run."""
        for line in (self.folder / ".ansible" / "cp").glob("*"):
            subprocess.run(
                ["ssh", "-o", f"ControlPath={line}", "-O", "exit", "nobody"], check=False, capture_output=True
            )
        shutil.rmtree(self.folder)


def build(collection: Path, folder: Path) -> Path:
    """The archive that ``ansible-galaxy collection build`` makes of *collection*, in *folder*."""
    words = ["ansible-galaxy", "collection", "build", str(collection), "--output-path", str(folder)]
    _galaxy(words, folder)
    (archive,) = folder.glob("*.tar.gz")
    return archive


def install(archive: Path, folder: Path) -> Path:
    """*folder*, in which *archive* is installed as a collection."""
    _galaxy(["ansible-galaxy", "collection", "install", str(archive), "-p", str(folder), "--offline"], folder)
    return folder


def _galaxy(words: Sequence[str], home: Path) -> None:
    environment: Mapping[str, str] = {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
