"""What a git project's location and ref mean, with what is wrong as a fault of the project. Pure."""

from __future__ import annotations

import re

from inventory.automating import git_locations
from inventory.automating.git_locations import FORMS, HTTPS, PATH, SSH, SSH_PORT, Location, LocationError
from provisioning.projects.confining import readable
from provisioning.projects.faults import ProjectError

__all__ = [
    "HTTPS",
    "PATH",
    "SSH",
    "SSH_PORT",
    "Location",
    "check_ref",
    "is_commit",
    "is_short_commit",
    "parse",
]

_REF = re.compile(r"[A-Za-z0-9._/@+%=,#-]{1,250}")
COMMIT = re.compile(r"[0-9a-f]{40}")
_SHORT = re.compile(r"[0-9a-f]{7,39}")


def parse(location: str) -> Location:
    """Raises ProjectError for what is none: another protocol, an option, a password in it."""
    try:
        return git_locations.parse(location)
    except LocationError as error:
        if error.has_secret:
            hint = "Take it out, and reach the repository over SSH, with a reference to its key."
            raise ProjectError(f"The location {error}.", hint) from None
        raise ProjectError(f"“{readable(location)}” {error}.", f"Declare one of {FORMS}.") from None


def check_ref(ref: str) -> str:
    """*ref* as a branch, a tag or a whole commit may be called; empty is the default branch. Raises ProjectError."""
    bad = (
        not _REF.fullmatch(ref)
        or ref.startswith(("-", "/", "."))
        or ref.endswith(("/", ".", ".lock"))
        or any(part in ref for part in ("..", "//", "@{", "/."))
    )
    if ref and bad:
        raise ProjectError(
            f"“{readable(ref)}” is no name of a branch, tag or commit.", "Declare another ref."
        )
    return ref


def is_commit(ref: str) -> bool:
    return bool(COMMIT.fullmatch(ref))


def is_short_commit(ref: str) -> bool:
    return bool(_SHORT.fullmatch(ref))
