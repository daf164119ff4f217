"""A folder on another machine, as one writes it: ``sftp://user@host:port/folder``; ``ssh://`` means the same. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

FORM = "give sftp://USER@HOST/FOLDER, with :PORT after the host where it is not 22"
_WORD = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._-]*", re.ASCII)
_ADDRESS = re.compile(r"[0-9A-Fa-f:.]+", re.ASCII)


@dataclass(frozen=True)
class SftpPlace:
    """Its parts have nothing in them that a shell, ssh or sftp would read as anything else."""

    host: str
    folder: str
    user: str = ""
    port: int = 22

    def __str__(self) -> str:
        who = f"{self.user}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port != 22 else ""
        return f"sftp://{who}{host}{port}{self.folder}"


def is_address(text: str) -> bool:
    """Whether *text* means another machine, however it is written (``sftp://…``, ``user@host:folder``, ``ftp://…``).

    As scp and git decide it: a colon before the first slash. A directory with such a name is ``./with:colon``.
    """
    return ":" in text.partition("/")[0]


def parse(text: str) -> SftpPlace:
    """Raises ValueError with what is wrong, after “is”."""
    parts = urlsplit(text)
    try:
        port = parts.port or 22
    except ValueError:
        raise ValueError(f"names no port; {FORM}") from None
    if parts.scheme not in ("sftp", "ssh") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"is no place over SSH; {FORM}")
    if parts.password is not None:
        raise ValueError(f"has a password in it; {FORM}, and name a key")
    user, host = parts.username or "", parts.hostname
    if not (_WORD.fullmatch(host) or (":" in host and _ADDRESS.fullmatch(host))) or (
        user and not _WORD.fullmatch(user)
    ):
        raise ValueError(
            f"has a user or a host of other characters than letters, digits, dots and dashes; {FORM}"
        )
    folder = parts.path.rstrip("/")
    words = folder.split("/")[1:]
    if not words or not all(_WORD.fullmatch(word) and word not in (".", "..") for word in words):
        raise ValueError(f"has a folder that is no full path of letters, digits, dots and dashes; {FORM}")
    return SftpPlace(host, folder, user, port)
