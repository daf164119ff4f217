"""Files to another machine by OpenSSH's sftp, with the declared host key and nothing else of anybody's configuration."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from provisioning.adapters import host_keys, ssh_agent
from provisioning.adapters.base import AdapterError, Refused, Unauthorized, Unreachable, Untrusted
from provisioning.adapters.commands import Program


class OtherServer(Untrusted):
    way_out = "Ask whoever runs the server whether its key was renewed; if so, declare the new one; if not, trust nothing."


class NotLetIn(Unauthorized):
    way_out = "Add the public key to authorized_keys there, or declare another, then run this again."


class NotTaken(Refused):
    way_out = (
        "See that the directory is there, may be written by that user, and has room, then run this again."
    )


@dataclass(frozen=True)
class Server:
    host: str
    port: int
    user: str
    #: ``ssh-ed25519 AAAA…``
    host_key: str


def put(
    server: Server, key: str, files: Mapping[Path, str], renames: Sequence[str], program: Program
) -> None:
    """Bring each file to its path there, then carry out *renames*, lines of sftp's batch. Paths have no blank or quote.

    *key* is the text of a private key. Raises AdapterError.
    """
    lines = [f'put -f "{_quoted(here)}" {there}' for here, there in files.items()]
    batch = "".join(f"{line}\n" for line in [*lines, *renames])
    with tempfile.TemporaryDirectory(prefix="mgmtplane-sftp-") as folder, ssh_agent.agent_with(key) as agent:
        known = Path(folder) / "known_hosts"
        known.write_text(f"{host_keys.named(server.host, server.port)} {server.host_key}\n")
        who = f"{server.user}@" if server.user else ""
        host = f"[{server.host}]" if ":" in server.host else server.host
        words = ["sftp", "-b", "-", *options(known), "-P", str(server.port), "--", f"{who}{host}"]
        env = {**program.env, "SSH_AUTH_SOCK": agent, "HOME": "/nonexistent"}
        ended = Program(env, program.seconds, program.check).run(
            words, cwd=Path(folder), given=batch.encode()
        )
    if ended.code:
        raise _fault(ended.err, server)


def options(known_hosts: Path) -> list[str]:
    """Strict: no other key of the server, no other key of ours, no question."""
    given = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": '"' + str(known_hosts).replace("%", "%%") + '"',
        "GlobalKnownHostsFile": "/dev/null",
        "UpdateHostKeys": "no",
        "VerifyHostKeyDNS": "no",
        "IdentityFile": "none",
        "PreferredAuthentications": "publickey",
        "ForwardAgent": "no",
        "LogLevel": "ERROR",
        "ConnectTimeout": "15",
        "ServerAliveInterval": "15",
        "ServerAliveCountMax": "4",
    }
    return ["-F", "/dev/null", *(part for name, value in given.items() for part in ("-o", f"{name}={value}"))]


def _quoted(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"')


def _fault(said: str, server: Server) -> AdapterError:
    named = host_keys.named(server.host, server.port)
    if "Host key verification failed" in said or "REMOTE HOST IDENTIFICATION HAS CHANGED" in said:
        return OtherServer(f"{named} shows another host key than the one that is declared.", call="sftp")
    if "Permission denied (" in said or "Too many authentication failures" in said:
        return NotLetIn(f"{named} does not let {server.user or 'us'} in with the declared key.", call="sftp")
    if any(
        word in said for word in ("timed out", "refused", "No route", "resolve hostname", "Connection closed")
    ):
        return Unreachable(f"{named} does not answer by SSH.", call="sftp", retryable=False)
    last = next((line for line in reversed(said.splitlines()) if line.strip()), "it said nothing")
    return NotTaken(f"{named} did not take the files: {last.strip()[:300]}", call="sftp")
