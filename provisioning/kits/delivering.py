"""A kit brought to the declared places of its site. One that fails stops no other; none ever has half a kit under its name.

A directory or stick gets the directory and the archive; a repository a commit on the branch ``kit-<site>``; another machine
the archive with its sum.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from inventory import kit_places
from inventory.automating.git_locations import SSH, LocationError
from inventory.kit_places import KitPlaceFacts
from provisioning import secrets
from provisioning.adapters import sftp, ssh_agent
from provisioning.adapters.base import AdapterError
from provisioning.adapters.commands import Program, go_on
from provisioning.adapters.git import Remote
from provisioning.adapters.git_push import Outbox
from provisioning.backups import archive
from provisioning.backups.archive import DRAFT, CannotBackUp
from provisioning.engine.faults import in_words
from provisioning.kits import checking
from provisioning.kits.building import Built
from provisioning.kits.placing import (
    SUM_OF_ARCHIVE,
    digest,
    exchange,
    files_in,
    mode,
    replace_with_sum,
    require_ours,
    sync,
)

#: in DATA_DIR: repositories that commits are made in, SITE/PLACE.git
REPOSITORIES = "kit_repositories"
#: what one place may take
SECONDS = 3600.0
#: what stands between the mount point and a directory on what is mounted there, as rsync writes it
DIRECTORY_ON_IT = "/./"
#: file systems that are gone with the power, or with the container
FLEETING = frozenset({"tmpfs", "ramfs", "devtmpfs", "overlay"})
Check = Callable[[], None]


@dataclass(frozen=True)
class Brought:
    """What became of one place; *fault* is empty where the kit is there."""

    place: str
    fault: str = ""


def deliver(
    slug: str,
    built: Built,
    places: Iterable[KitPlaceFacts],
    *,
    step: Callable[[str], None] = lambda name: None,
    check: Check = go_on,
) -> list[Brought]:
    """Bring *built* to every enabled place, in their order. *check* raises when it is to stop.

    One that is not as it was written goes nowhere: what lies at the places may be the last that is whole.
    """
    wanted, found = [place for place in places if place.enabled], []
    if wanted and (damaged := checking.damage(built.folder) or checking.damage(built.archive)):
        fault = (
            f"{built.folder} is not as it was written, so it is brought nowhere ({damaged}); build another."
        )
        return [Brought(place.name, fault) for place in wanted]
    for place in wanted:
        step(f"bring it to {place.name}")
        fault = ""
        try:
            _WAYS[place.kind](slug, built, place, check)
        except (AdapterError, CannotBackUp, secrets.SecretError) as error:
            fault = in_words(error)
        except LocationError as error:
            fault = f"{place.location} {error}."
        except OSError as error:
            where = error.filename or place.location
            fault = f"{where}: {error.strerror}; make room there, or declare another place."
        found.append(Brought(place.name, fault))
    return found


# --- directories and sticks ---


def _to_directory(slug: str, built: Built, place: KitPlaceFacts, check: Check) -> None:
    there = Path(place.location)
    if not there.is_dir():
        raise CannotBackUp(f"{there} is no directory here; make it, or declare another place.")
    _copy(slug, built, there, check, lambda: None)


def _to_mount(slug: str, built: Built, place: KitPlaceFacts, check: Check) -> None:
    require_mounted(place.location)
    _copy(slug, built, Path(place.location), check, lambda: require_mounted(place.location))


def require_mounted(location: str) -> None:
    """Refuse where nothing lasting is mounted at *location*, or before the ``/./`` in it, for a directory on a stick.

    What is mounted further up is another disk, or memory, which is there without the stick as well.
    """
    point = location.partition(DIRECTORY_ON_IT)[0] or "/"
    real = Path(os.path.realpath(point))
    ours = {Path(path).stat().st_dev for path in ("/", settings.DATA_DIR)}
    if not real.is_dir() or not real.is_mount() or real.stat().st_dev in ours:
        raise CannotBackUp(
            f"Nothing is mounted at {point}: plug the stick in and mount it, then run this again. A directory on it is "
            "declared as /media/stick/./directory."
        )
    if (kind := _kind_of_mount(real)) in FLEETING:
        raise CannotBackUp(
            f"{point} is kept in memory or in a container ({kind}) and does not last; mount a disk."
        )
    if not Path(location).is_dir():
        raise CannotBackUp(f"{location} is no directory on what is mounted at {point}; make it there.")


def _kind_of_mount(point: Path) -> str:
    """The type of the file system that is seen at *point*; empty where the system does not say (proc(5), mountinfo)."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines()
    except OSError:
        return ""
    written = re.sub(r"[ \t\n\\]", lambda one: f"\\{ord(one[0]):03o}", str(point))
    kinds = [line.partition(" - ")[2].split(" ")[0] for line in lines if line.split(" ")[4] == written]
    return kinds[-1] if kinds else ""


def _copy(slug: str, built: Built, there: Path, check: Check, still: Callable[[], None]) -> None:
    require_ours(there, slug)
    with archive.workshop(there) as folder:
        for path in files_in(built.folder):
            check()
            copy = folder / path.relative_to(built.folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            _copied(path, copy, path.stat().st_mode & 0o777)
        if damaged := checking.damage(folder):
            raise CannotBackUp(
                f"{there} does not keep what is written there ({damaged}); take another disk or stick."
            )
        packed = folder.with_name(f"{folder.name}.tar.gz")
        try:
            _copied(built.archive, packed, 0o600)
            still()
            replace_with_sum(packed, there / built.archive.name)
        finally:
            packed.unlink(missing_ok=True)
        exchange(folder, there / slug)


def _copied(path: Path, copy: Path, wanted: int) -> None:
    """Copy, and read back what is there."""
    shutil.copyfile(path, copy)
    mode(copy, wanted)
    sync(copy)
    if digest(path) != digest(copy):
        raise CannotBackUp(f"{copy.parent} does not keep what is written there; take another disk or stick.")


# --- repositories ---


def _to_repository(slug: str, built: Built, place: KitPlaceFacts, check: Check) -> None:
    if not place.private:
        raise CannotBackUp(
            f"Nobody confirmed that {place.location} is private; confirm it on the page of the place."
        )
    location = kit_places.located(place)
    folder = Path(settings.DATA_DIR) / REPOSITORIES / slug / f"{place.name}.git"
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    box = Outbox(folder, Program({}, SECONDS, check))
    box.prepare()
    message = f"Recovery kit of {slug}, revision {built.revision}"
    if location.protocol != SSH:
        box.bring(built.folder, Remote(location.url, location.protocol), f"kit-{slug}", message)
        return
    known = folder.parent / f"{place.name}.known_hosts"
    known.write_text(f"{sftp.host_keys.named(location.host, location.port)} {place.host_key}\n")
    with ssh_agent.agent_with(_key(slug, place)) as agent:
        command = ("ssh", *sftp.options(known))
        box.bring(built.folder, Remote(location.url, SSH, command, agent), f"kit-{slug}", message)


# --- other machines ---


def _over_ssh(slug: str, built: Built, place: KitPlaceFacts, check: Check) -> None:
    location, folder = kit_places.located(place), kit_places.remote_path(place).rstrip("/")
    final, sum_ = f"{folder}/{slug}.tar.gz", f"{folder}/{slug}.tar.gz{SUM_OF_ARCHIVE}"
    draft, draft_sum = f"{folder}/{DRAFT}{slug}.tar.gz", f"{folder}/{DRAFT}{slug}.tar.gz{SUM_OF_ARCHIVE}"
    beside = built.archive.with_name(f"{built.archive.name}{SUM_OF_ARCHIVE}")
    server = sftp.Server(location.host, location.port, location.user, place.host_key)
    # “-” goes on where there is none yet; renames replace what is there in one step
    renames = (f"-rm {sum_}", f"rename {draft} {final}", f"rename {draft_sum} {sum_}")
    files = {built.archive: draft, beside: draft_sum}
    sftp.put(server, _key(slug, place), files, renames, Program({}, SECONDS, check))


def _key(slug: str, place: KitPlaceFacts) -> str:
    return secrets.resolve(
        place.key,
        data_dir=Path(settings.DATA_DIR),
        site_slug=slug,
        label=f"SSH key of {place.name}",
        key=True,
    )


_WAYS: dict[str, Callable[[str, Built, KitPlaceFacts, Check], None]] = {
    kit_places.DIRECTORY: _to_directory,
    kit_places.MOUNT: _to_mount,
    kit_places.GIT: _to_repository,
    kit_places.OVER_SSH: _over_ssh,
}
