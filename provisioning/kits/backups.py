"""The backup of the application that lies in a kit: one that has the site as the kit has it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from provisioning.backups import archive, making
from provisioning.backups.archive import CannotBackUp
from provisioning.backups.sealing import SealError


def put_in(
    folder: Path, slug: str, revision: int, *, step: Callable[[str], None]
) -> tuple[set[Path], list[str]]:
    """The newest backup into *folder*, or a new one where that has another revision of the site: the file, and what is
    lacking, in words.

    A new one lies in the kit alone: in BACKUP_DIR one after each change would push out those of the days before.
    """
    folder.mkdir(parents=True)
    newest, had = _newest(slug)
    if newest is not None and had == revision:
        return {_copied(newest, folder)}, []
    try:
        made = making.create(folder, making.declared_lock(), step=lambda name: step(f"backup: {name}"))
    except (CannotBackUp, SealError) as error:
        said = f"No backup of the application could be made for this kit. {error}"
    else:
        return {made.path}, list(made.warnings)
    if newest is None:
        return set(), [f"{said} There is none in it; manage.py backup create makes one."]
    said += f" The newest one is in it, which {has(slug, had)}; the kit is of revision {revision}."
    return {_copied(newest, folder)}, [said]


def lag(folder: Path, slug: str, revision: int) -> str:
    """What to do after a restore where the backup in *folder* is older than the kit; empty: it is not."""
    for path in sorted(folder.glob("*.tar"))[-1:]:
        had = _revision(path, slug)
        if had < revision:
            return (
                f"its backup {has(slug, had)}, this kit {revision}. After promoting: "
                "manage.py declare KIT/site.yml --apply"
            )
    return ""


def has(slug: str, revision: int) -> str:
    return f"has revision {revision}" if revision else f"has no {slug}"


def _newest(slug: str) -> tuple[Path | None, int]:
    """The newest backup that can be read, with its revision of the site (0: it has none)."""
    try:
        path = archive.newest(settings.BACKUP_DIR)
        return (path, _revision(path, slug)) if path is not None else (None, 0)
    except CannotBackUp:
        return None, 0


def _copied(path: Path, folder: Path) -> Path:
    shutil.copyfile(path, folder / path.name)
    return folder / path.name


def _revision(path: Path, slug: str) -> int:
    found: int = archive.read_manifest(path)["sites"].get(slug, {}).get("revision", 0)
    return found
