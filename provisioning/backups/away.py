"""Backups on another machine, by SSH: the same rules as in a directory here.

An archive has its name there only when it is whole; all but the newest are deleted; what is there can be listed, checked
and restored. The folder is for the archives of one installation alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings

from mgmtplane.sftp_places import SftpPlace, is_address, parse
from provisioning.adapters.base import AdapterError
from provisioning.adapters.commands import go_on
from provisioning.adapters.sftp_folder import Folder
from provisioning.backups import archive
from provisioning.backups.archive import CannotBackUp

#: of an archive that is on its way there; what a killed run left is removed after a day
DRAFT = ".mgmtplane-draft-"
LEFT_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class Kept:
    name: str
    size: int


class Away:
    """The archives at one place. Raises CannotBackUp, in words."""

    def __init__(self, place: SftpPlace, *, check: Callable[[], None] = go_on) -> None:
        if not settings.BACKUP_SSH_KEY:
            raise CannotBackUp(
                f"There is no key for {place}. Name the file of a private key in BACKUP_SSH_KEY_FILE."
            )
        self.place = place
        self._folder = Folder(place, settings.BACKUP_KNOWN_HOSTS, settings.BACKUP_SSH_KEY, check)

    def archives(self) -> list[Kept]:
        """Newest first."""
        with _told():
            found = self._folder.sizes()
        kept = [Kept(name, size) for name, size in found.items() if archive.is_name(name)]
        return sorted(kept, key=lambda one: one.name, reverse=True)

    def bring(self, path: Path) -> str:
        """The archive *path* there as well; its address. One that is there already is not sent again."""
        with _told():
            there = self._folder.sizes()
            left = [name for name in there if _is_left(name)]
            if there.get(path.name) != path.stat().st_size:
                self._folder.put(path, path.name, f"{DRAFT}{path.name}")
            self._folder.remove(left)
        return f"{self.place}/{path.name}"

    def forget_old(self, keep: int, made: Path) -> list[str]:
        """Delete all but the newest *keep* archives; those that went. *made* is the newest, whatever its name says."""
        others = [one.name for one in self.archives() if one.name != made.name]
        gone = others[max(keep, 1) - 1 :]
        with _told():
            self._folder.remove(gone)
        return gone

    def fetch(self, name: str, folder: Path) -> Path:
        """The archive *name* from there, below *folder*."""
        if not archive.is_name(name):
            raise CannotBackUp(
                f"{name} is no name of an archive; manage.py backup list shows those at {self.place}."
            )
        with _told():
            if name not in self._folder.sizes():
                raise CannotBackUp(f"{self.place} has no {name}; manage.py backup list shows what it has.")
            self._folder.get(name, folder / name)
        return folder / name


class _told:
    """What the other machine says, as the sentence that a backup ends with."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, AdapterError):
            raise CannotBackUp(f"{error.sentence} {error.way_out}".strip()) from None


def _is_left(name: str) -> bool:
    """Whether *name* is a draft of a run that cannot live any more."""
    whole = name.removeprefix(DRAFT)
    if not name.startswith(DRAFT) or not archive.is_name(whole):
        return False
    return datetime.now(UTC) - archive.made_at(Path(whole)) > LEFT_AFTER


def declared(*, check: Callable[[], None] = go_on) -> Away | None:
    """The place that BACKUP_COPY_TO names; None where there is none."""
    place: SftpPlace | None = settings.BACKUP_COPY_TO
    return Away(place, check=check) if place is not None else None


def place_of(given: str) -> SftpPlace:
    """``sftp://user@host/folder`` as a place. Raises CannotBackUp, for each other way to write an address too."""
    try:
        return parse(given)
    except ValueError as wrong:
        said = _without_password(given)
        own = f" A directory of this machine is ./{said}." if is_address(given) and "//" not in given else ""
        raise CannotBackUp(f"{said} {wrong}.{own}") from None


def _without_password(given: str) -> str:
    return re.sub(r"(^|//)([^:@/]*):(?!//)[^@]*@", r"\1\2:***@", given)


def archive_at(given: str) -> tuple[Away, str]:
    """Where the archive of the address *given* is, and its name."""
    folder, _, name = given.rpartition("/")
    return Away(place_of(folder)), name
