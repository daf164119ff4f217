"""Where recovery kits are delivered: what a place may say, in sentences for people, and what it is in a Snapshot. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from inventory.automating import git_locations
from inventory.automating.git_locations import PATH, SSH, Location, LocationError

DIRECTORY, MOUNT, GIT, OVER_SSH = "directory", "mount", "git", "ssh"
KINDS = (DIRECTORY, MOUNT, GIT, OVER_SSH)

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?\Z")
#: one public key as known_hosts files have it, without a server's name
_HOST_KEY = re.compile(r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]{60,1400}={0,2}\Z")
#: what sftp takes in a line as it is: no blank, quote, backslash or pattern
_REMOTE = re.compile(r"/[A-Za-z0-9._/+@~-]*\Z")
WITHOUT_KEY = (
    "The server's host key is needed, so that nobody else gets the kit: ssh-keyscan -t ed25519 HOST shows it."
)


@dataclass(frozen=True, slots=True)
class KitPlaceFacts:
    """One place that each new kit of the site is brought to."""

    name: str
    kind: Literal["directory", "mount", "git", "ssh"] = "directory"
    #: an absolute path, or an address as ssh and git understand it
    location: str = ""
    #: a person confirmed that nobody reads the repository who may not read the kit
    private: bool = False
    #: of the server that it is reached at: ``ssh-ed25519 AAAA…``
    host_key: str = ""
    #: reference to the SSH key that it is entered with
    key: str = ""
    enabled: bool = True


def problems(place: Any) -> dict[str, list[str]]:
    """Field → sentences: what *place*, a row or its facts, must not say. The form of a reference is judged elsewhere."""
    location, problem = _located(place.kind, place.location)
    over_ssh = location is not None and location.protocol == SSH
    found = {
        "name": _name_problem(place.name),
        "location": problem,
        "private": _private_problem(place.kind, place.private),
        "host_key": _host_key_problem(place.host_key, over_ssh),
        "key": _key_problem(place.key, over_ssh),
    }
    return {field: [told] for field, told in found.items() if told}


def located(place: Any) -> Location:
    """The address of a place of the kinds git and ssh. Raises LocationError."""
    return git_locations.parse(place.location)


def remote_path(place: Any) -> str:
    """The directory on the server, absolute."""
    location = place.location
    if "://" in location:
        return "/" + location.partition("://")[2].partition("/")[2]
    return str(location.partition(":")[2])


def _located(kind: str, location: str) -> tuple[Location | None, str]:
    if not location:
        return None, "Say where it is: a directory, a repository, or user@host:/directory."
    if kind in (DIRECTORY, MOUNT):
        return None, _path_problem(location)
    try:
        parsed = git_locations.parse(location)
    except LocationError as error:
        if error.has_secret:
            return (
                None,
                "A password has no place in an address, since everybody reads it; give a reference to a key.",
            )
        return None, f"“{location}” {error}; write one such as backup@host:/srv/kits."
    if kind == OVER_SSH and (parsed.protocol != SSH or not _REMOTE.match(remote_path(_At(location)))):
        return None, f"“{location}” is no directory of a server; write one such as backup@host:/srv/kits."
    if parsed.protocol not in (SSH, PATH):
        return None, f"“{location}” asks for a password to be written to; give its address by ssh, or a path."
    return parsed, ""


@dataclass(frozen=True)
class _At:
    location: str


def _path_problem(path: str) -> str:
    if not path.startswith("/") or not path.isprintable() or path.strip("/") == "":
        return f"“{path}” is no absolute path of a directory; write one such as /media/stick."
    if ".." in path.split("/"):
        return f"“{path}” has .. in it; write the path without."
    return ""


def _name_problem(name: str) -> str:
    if _NAME.match(name):
        return ""
    return f"“{name}” cannot name a place: lowercase letters, digits, hyphens, such as red-stick."


def _private_problem(kind: str, private: bool) -> str:
    if kind != GIT or private:
        return ""
    return (
        "A kit tells every address and cable: confirm that nobody reads this repository who may not know them, "
        "or deliver it elsewhere."
    )


def _key_problem(key: str, over_ssh: bool) -> str:
    if over_ssh and not key:
        return "Give a reference to the SSH key that the server is entered with, such as file:/etc/mgmtplane/kit_key."
    return "A key is for places that are reached by ssh; leave it empty." if key and not over_ssh else ""


def _host_key_problem(host_key: str, over_ssh: bool) -> str:
    if not over_ssh:
        return "" if not host_key else "A host key is for places that are reached by ssh; leave it empty."
    if not host_key:
        return WITHOUT_KEY
    if not _HOST_KEY.match(host_key):
        return "A host key is one line such as “ssh-ed25519 AAAA…”, without the server's name and without a comment."
    return ""
