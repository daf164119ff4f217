"""A folder on another machine by OpenSSH's ``sftp``: its files listed, brought there, fetched, removed.

No shell there and none here: words go to sftp as its batch, and names are those that ``NAME`` allows. The server's key is
looked up in one file and nowhere else; ours is in the memory of an agent. Nobody's ``~/.ssh`` takes part.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from mgmtplane.sftp_places import SftpPlace
from provisioning.adapters.base import AdapterError, Refused, Unauthorized, Unreachable, Untrusted
from provisioning.adapters.commands import Program, go_on
from provisioning.adapters.ssh_agent import agent_with

#: what a file there may be called: nothing that sftp reads as a pattern, an option or two words
NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9._-]{0,199}", re.ASCII)
#: a long listing: mode, links, owner, group, size, month, day, time or year, name
_LINE = re.compile(r"-\S+\s+\S+\s+\S+\s+\S+\s+(?P<size>\d+)\s+\S+\s+\S+\s+\S+\s+(?P<name>\S+)")
#: seconds for a large archive over a slow line
LONGEST = 6 * 3600.0


class OtherServer(Untrusted):
    way_out = (
        "Ask whoever runs that server for its host key, and write that into the file of known hosts: "
        "ssh-keyscan shows what answers, which proves nothing."
    )


class NotLetIn(Unauthorized):
    way_out = "Add the public key to authorized_keys of that user there, or give another key."


class NotTaken(Refused):
    way_out = (
        "See that the folder can be made and written there by that user, and has room; then run this again."
    )


class Silent(Unreachable):
    way_out = "See that the server is up and answers by SSH from here, then run this again."


@dataclass(frozen=True)
class Folder:
    """What is in *place*. *key* is the text of a private key. Every method raises AdapterError."""

    place: SftpPlace
    known_hosts: Path
    key: str
    check: Callable[[], None] = go_on

    def sizes(self) -> dict[str, int]:
        """Name → bytes of every file there; nothing where there is no such folder yet."""
        said = self._batch([f"-mkdir {self.place.folder}", f"cd {self.place.folder}", "ls -lan"])
        found = (_LINE.fullmatch(line.strip()) for line in said.splitlines())
        named = {one["name"].rpartition("/")[2]: int(one["size"]) for one in found if one}
        return {name: size for name, size in named.items() if NAME.fullmatch(name)}

    def put(self, file: Path, name: str, draft: str) -> None:
        """Bring *file* there: as *draft* until it is whole and on the disk, then as *name*."""
        self._named(name, draft)
        self._batch(
            [
                f"-mkdir {self.place.folder}",
                f"cd {self.place.folder}",
                f"put -f {_quoted(file)} {draft}",
                f"chmod 600 {draft}",
                f"rename {draft} {name}",
            ]
        )
        there, here = self.sizes().get(name), file.stat().st_size
        if there != here:
            raise NotTaken(
                f"{self.place} has {there or 'nothing'} of {name}, which has {here} bytes.", call="sftp"
            )

    def get(self, name: str, into: Path) -> None:
        self._named(name)
        self._batch([f"cd {self.place.folder}", f"get -f {name} {_quoted(into)}"])

    def remove(self, names: Iterable[str]) -> None:
        """What is gone already is no fault."""
        wanted = list(names)
        self._named(*wanted)
        if wanted:
            self._batch([f"cd {self.place.folder}", *(f"-rm {name}" for name in wanted)])

    def _named(self, *names: str) -> None:
        for name in names:
            if not NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a file there")

    def _batch(self, lines: Iterable[str]) -> str:
        place = self.place
        if not self.known_hosts.is_file():
            raise OtherServer(
                f"There is no {self.known_hosts}, which would say what {place.host} is known by."
            )
        host = f"[{place.host}]" if ":" in place.host else place.host
        words = ["sftp", "-b", "-", *options(self.known_hosts), "-P", str(place.port), "--"]
        words.append(f"{place.user}@{host}" if place.user else host)
        with (
            tempfile.TemporaryDirectory(prefix="mgmtplane-sftp-") as cwd,
            agent_with(self.key.rstrip("\n") + "\n") as agent,
        ):
            program = Program({"SSH_AUTH_SOCK": agent, "HOME": cwd}, seconds=LONGEST, check=self.check)
            given = "".join(f"{line}\n" for line in lines).encode()
            ended = program.run(words, cwd=Path(cwd), given=given)
        if ended.code:
            raise _fault(ended.err, place)
        return ended.out.decode("utf-8", "replace")


def options(known_hosts: Path) -> list[str]:
    """No question, no other key of the server's than the known one, no other key of ours than the one that was given."""
    given = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": '"' + str(known_hosts).replace("%", "%%") + '"',
        "GlobalKnownHostsFile": "/dev/null",
        "UpdateHostKeys": "no",
        "VerifyHostKeyDNS": "no",
        "CheckHostIP": "no",
        "IdentityFile": "none",
        "PreferredAuthentications": "publickey",
        "ForwardAgent": "no",
        "ConnectTimeout": "15",
        "ServerAliveInterval": "15",
        "ServerAliveCountMax": "4",
        "LogLevel": "ERROR",
    }
    return ["-F", "/dev/null", *(word for name, value in given.items() for word in ("-o", f"{name}={value}"))]


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _fault(said: str, place: SftpPlace) -> AdapterError:
    if "Host key verification failed" in said or "IDENTIFICATION HAS CHANGED" in said:
        return OtherServer(
            f"{place.host}, port {place.port}, shows a host key that is not among the known ones.",
            call="sftp",
        )
    if "Permission denied (" in said or "Too many authentication failures" in said:
        return NotLetIn(
            f"{place.host} does not let {place.user or 'us'} in with the key that was given.", call="sftp"
        )
    if any(
        word in said for word in ("timed out", "refused", "No route", "resolve hostname", "Connection closed")
    ):
        return Silent(f"{place.host}, port {place.port}, does not answer by SSH.", call="sftp")
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return NotTaken(f"{place} did not do it: {(lines or ['it said nothing'])[-1][:300]}.", call="sftp")
