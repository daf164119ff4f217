"""The SSH host keys that a server shows, and those that somebody accepted. Nobody logs in."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from provisioning.adapters.base import Unreachable
from provisioning.adapters.commands import Program

PORT = 22
SECONDS = 10


@dataclass(frozen=True)
class HostKey:
    """*kind* such as ``ssh-ed25519``; *blob* as known_hosts files have it."""

    kind: str
    blob: str

    @property
    def fingerprint(self) -> str:
        """As ssh shows it: ``SHA256:…``."""
        digest = hashlib.sha256(base64.b64decode(self.blob)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def shown(host: str, port: int = PORT) -> list[HostKey]:
    """The keys that the server at *host* shows now, sorted. Raises Unreachable."""
    program = Program({"HOME": "/nonexistent"}, seconds=SECONDS * 4)
    ended = program.run(["ssh-keyscan", "-T", str(SECONDS), "-p", str(port), host], cwd=Path("/"))
    keys = _parsed(ended.out.decode("ascii", "replace"))
    if not keys:
        raise Unreachable(
            f"No SSH server shows a key at {named(host, port)} within {SECONDS} s.", call="ssh-keyscan"
        )
    return keys


def accepted(file: Path, host: str, port: int = PORT) -> list[HostKey]:
    """The keys of *host* in the known_hosts *file*, sorted; none where there is no file."""
    if not file.is_file():
        return []
    mine = [line for line in file.read_text().splitlines() if line.split(" ", 1)[0] == named(host, port)]
    return _parsed("\n".join(mine))


def accept(file: Path, host: str, port: int, keys: list[HostKey]) -> None:
    """Put *keys* in the place of what *file* had of *host*; whole, or as it was before."""
    where = named(host, port)
    others = file.read_text().splitlines() if file.is_file() else []
    lines = [line for line in others if line.split(" ", 1)[0] != where]
    lines += [f"{where} {key.kind} {key.blob}" for key in keys]
    descriptor, new = tempfile.mkstemp(prefix=".known_hosts-", dir=file.parent)
    try:
        with os.fdopen(descriptor, "w") as opened:
            opened.write("\n".join(lines) + "\n")
        Path(new).replace(file)
    except BaseException:
        Path(new).unlink(missing_ok=True)
        raise


def named(host: str, port: int) -> str:
    """As a known_hosts file names a server."""
    return host if port == PORT else f"[{host}]:{port}"


def _parsed(text: str) -> list[HostKey]:
    found = set()
    for line in text.splitlines():
        parts = line.split()
        if len(parts) >= 3 and not line.startswith(("#", "@")) and _is_blob(parts[2]):
            found.add(HostKey(parts[1], parts[2]))
    return sorted(found, key=lambda key: (key.kind, key.blob))


def _is_blob(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return False
