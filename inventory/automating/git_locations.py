"""What a git project's location may say, and what it means: the same where it is declared and where it is fetched. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

PATH, SSH, HTTPS = "file", "ssh", "https"
SSH_PORT = 22
FORMS = "/path/on/this/machine, ssh://git@host/path, git@host:path or https://host/path"

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
#: ``user@host:path``, as git and scp write it
_SCP = re.compile(
    r"(?:(?P<user>[^@/:\s]+)@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^/:\s]+):(?P<path>(?!:|//).+)", re.S
)


class LocationError(ValueError):
    """What is wrong, as a clause that follows the location; ``has_secret`` where the location must not be repeated."""

    def __init__(self, why: str, *, has_secret: bool = False) -> None:
        super().__init__(why)
        self.has_secret = has_secret


@dataclass(frozen=True)
class Location:
    """*protocol* as git calls it; *url* is what git is given; *host* and *port* where it is a server's."""

    protocol: str
    url: str
    host: str = ""
    port: int = 0
    user: str = ""

    def __str__(self) -> str:
        return self.url


def parse(location: str) -> Location:
    """Raises LocationError for what is none: another protocol, an option, a password in it."""
    if not location or location != location.strip() or not location.isprintable():
        raise LocationError("is no location")
    if location.startswith("-"):
        raise LocationError("begins with a dash, which programs take for an option")
    if "::" in location and not location.startswith(("ssh://", "https://", "/")) and "[" not in location:
        raise LocationError("asks git to run a helper program")
    if location.startswith("/"):
        return _of_path(location, location)
    if "://" in location:
        return _of_url(location)
    found = _SCP.fullmatch(location)
    if found is None or any(letter.isspace() for letter in location):
        raise LocationError("is no location of a repository")
    user, host = _user(found["user"] or ""), _host(found["host"])
    if found["path"].startswith("-"):
        raise LocationError("has a path that begins with a dash, which programs take for an option")
    return Location(SSH, location, host.strip("[]"), SSH_PORT, user)


def _of_path(path: str, shown: str) -> Location:
    """*path* is what git gets: what was written with escapes is judged as what it comes to."""
    if not path.isprintable():
        raise LocationError("has control characters in it")
    if ".." in path.split("/"):
        raise LocationError("has .. in it" if path == shown else "has .. in it once its escapes are read")
    return Location(PATH, path)


def _of_url(location: str) -> Location:
    scheme, _, rest = location.partition("://")
    who, mark, _ = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")
    if mark and (":" in who or scheme != SSH):
        raise LocationError("has a password or a token in it", has_secret=True)
    try:
        split = urlsplit(location)
        port = split.port
    except ValueError:
        raise LocationError("is no location of a repository") from None
    if split.scheme == "file" and not split.netloc and split.path.startswith("/"):
        if split.query or split.fragment:
            raise LocationError("names no repository")
        return _of_path(unquote(split.path), split.path)
    if split.scheme not in (SSH, HTTPS):
        why = ", which anybody on the way can change" if split.scheme in ("http", "git") else ""
        raise LocationError(f"is reached by {split.scheme}{why}")
    if split.query or split.fragment or not split.path.strip("/"):
        raise LocationError("names no repository")
    authority = split.netloc.rpartition("@")[2]
    host = authority.partition("]")[0] + "]" if authority.startswith("[") else authority.partition(":")[0]
    host, user = _host(host), _user(split.username or "")
    if split.scheme == HTTPS:
        shown = f"{host}:{port}" if port else host
        return Location(HTTPS, f"https://{shown}{split.path}", host.strip("[]"), port or 443)
    return Location(SSH, location, host.strip("[]"), port or SSH_PORT, user)


def _host(host: str) -> str:
    if not _HOST.fullmatch(host):
        raise LocationError(f"has no name of a server: “{host[:200]}”")
    return host


def _user(user: str) -> str:
    if user and not _USER.fullmatch(user):
        raise LocationError(f"has a user of an odd name: “{user[:200]}”")
    return user
