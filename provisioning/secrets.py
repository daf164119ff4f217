"""References to secrets, resolved at the moment of use and kept nowhere.

``env:NAME`` is a variable of this process's environment, ``file:/path`` the contents of a file that only its owner may
read, ``vault:VARIABLE`` a variable under Ansible Vault, ``unlock:NAME`` what a person entered and the keeper holds. No
message holds a secret.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from mgmtplane import own_secrets
from provisioning.keeper import calling
from provisioning.keeper.calling import KeeperAway, of_job, of_site
from provisioning.unlocks.needs import Need

#: A key or a token, not a disk image given by mistake.
LONGEST = 64 * 1024


class SecretError(Exception):
    """A reference that leads nowhere; the message says which and the way out."""


class NeedsUnlock(SecretError):
    """A person has to enter it first: *needs* are what, for ``Turn.need_secrets``."""

    def __init__(self, *needs: Need) -> None:
        super().__init__(" ".join(_locked(need) for need in needs))
        self.needs = needs


def _locked(need: Need) -> str:
    _, _, site = need.scope.partition("/")
    where = f" --site {site}" if need.scope == of_site(site) else ""
    return (
        f"{need.said} is locked: nobody entered it, or its time is over. Enter it on the page Unlocked of the site, or "
        f"with manage.py unlock {need.name}{where}."
    )


def resolve(
    reference: str,
    *,
    data_dir: Path,
    site_slug: str = "",
    job_id: int | None = None,
    unlocked: Callable[[str], str] | None = None,
    label: str = "",
    key: bool = False,
) -> str:
    """The secret that *reference* leads to, without the line break at its end (a key of SSH wants one again).

    ``unlock:NAME`` is what the keeper holds for the job, else for the site; NeedsUnlock where it holds none, with
    *label* as what a person reads, and *key* where that has lines. *unlocked* opens a vaulted variable by its name
    (``provisioning.unlocks.opening``). Raises SecretError, also for what is this application's own: its settings, and what
    lies in *data_dir*.
    """
    kind, _, place = reference.partition(":")
    if ours := own_secrets.problem(reference, data_dir):
        raise SecretError(ours)
    if kind == "env" and place:
        return _from_environment(place)
    if kind == "file" and place:
        return _from_file(Path(place))
    if kind == "unlock" and place:
        scopes = [of_job(job_id)] if job_id is not None else []
        scopes += [of_site(site_slug)] if site_slug else []
        return _told(_from_keeper(place, data_dir, scopes, label, key), reference)
    if kind == "vault" and place:
        if unlocked is None:
            raise SecretError(
                f"{place} lies under Ansible Vault, which is not opened here; give another reference."
            )
        return _told(unlocked(place), reference)
    # what was given instead may be the secret itself: it is not repeated
    raise SecretError(
        "No reference to a secret is declared."
        if not reference
        else "This is no reference to a secret; write env:NAME, file:/absolute/path, vault:VARIABLE or unlock:NAME."
    )


def _from_keeper(name: str, data_dir: Path, scopes: Sequence[str], label: str, key: bool) -> str:
    if not scopes:
        raise SecretError(f"unlock:{name} is entered for a site, and there is none here.")
    for scope in scopes:
        try:
            found = calling.fetch(data_dir, scope, name)
        except KeeperAway:  # nothing is held then
            break
        if found is not None:
            return found
    raise NeedsUnlock(Need(scopes[-1], name, label, key))


def _from_environment(name: str) -> str:
    if name not in os.environ:
        raise SecretError(f"The environment variable {name} is not set where this process runs.")
    return _told(os.environ[name], f"env:{name}")


def _from_file(path: Path) -> str:
    """Open first, then judge what was opened: a name may be given to another file in between."""
    if not path.is_absolute():
        raise SecretError(f"file:{path} is no absolute path.")
    try:
        with open(path, "rb", opener=_without_waiting) as opened:
            _check_file(path, os.fstat(opened.fileno()))
            contents = opened.read(LONGEST + 1)
    except OSError as error:
        raise SecretError(f"The secret in {path} cannot be read: {error.strerror}.") from None
    if len(contents) > LONGEST:
        raise SecretError(f"{path} is larger than {LONGEST // 1024} KiB; a secret is not.")
    try:
        return _told(contents.decode(), f"file:{path}")
    except UnicodeDecodeError:
        raise SecretError(f"{path} is no text.") from None


def _without_waiting(path: str, flags: int) -> int:
    """A pipe in the place of the file must not hold us until somebody writes to it."""
    return os.open(path, flags | os.O_NONBLOCK)


def _check_file(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise SecretError(f"{path} is no regular file.")
    open_to = [
        who
        for who, bits in (("its group to change", stat.S_IWGRP), ("everybody", stat.S_IRWXO))
        if status.st_mode & bits
    ]
    if open_to:
        raise SecretError(
            f"{path} is open to {' and '.join(open_to)} (mode {stat.S_IMODE(status.st_mode):04o}), "
            f"so that it is no secret: chmod 600 {path}, and renew what it held."
        )


def _told(secret: str, reference: str) -> str:
    told = secret.rstrip("\r\n")
    if not told.strip():
        raise SecretError(f"{reference} is empty.")
    return told
