"""From an archive to a running application, on an empty machine, without a network."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.apps.registry import Apps
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from inventory import reading
from inventory.copying import copies, unfinished
from inventory.copying.unfinished import Restoring
from inventory.models import Copy, Site
from inventory.serving import renderings
from provisioning.backups import another, archive, comparing, measuring, sealing, secret_files, tables
from provisioning.backups.archive import CannotBackUp
from provisioning.backups.making import RENDERINGS, SEALED

BACK_ALREADY = (
    "Everything of this archive is back already, so that nothing was put back now, what is secret neither. To restore it "
    "once more, name a new directory in DATA_DIR, or an empty database in DATABASE_URL."
)


@dataclass(frozen=True)
class Restored:
    """What came of it: rows, and what differs from what the archive says (nothing, as it should be)."""

    rows: int
    sites: dict[str, int]
    differences: tuple[str, ...] = ()
    #: which exports were not compared, and why
    uncompared: tuple[str, ...] = ()
    warnings: tuple[str, ...] = field(default=())


def restore(
    path: Path,
    *,
    passphrase: str = "",
    identity: str = "",
    same_copy: bool = False,
    step: Callable[[str], None] = lambda name: None,
) -> Restored:
    """Bring the empty database and the data directory to what *path* has.

    Raises CannotBackUp, Damaged, SealError; nothing is stored then. What is secret is put into place only where a
    passphrase or a key opens it, and once the rows are in. It is another copy of the application afterwards, and
    read-only (``inventory.copying.copies``); with *same_copy* it is the one that it was, put back in its own place. Killed
    anywhere, it is begun again with the same archive, and goes on; where everything is back already it compares.
    """
    under_way = unfinished.current()
    if under_way is None and _is_back(path):
        manifest = archive.read_manifest(path)
        return _compared(manifest, manifest["rows"], [BACK_ALREADY], step)
    if under_way is None:
        _require_empty()
    with archive.workshop(settings.DATA_DIR) as folder:
        step("check the archive")
        manifest = archive.take_out(path, folder)
        this = _this(path, manifest, same_copy)
        if under_way is not None:
            _require_same(under_way, this)
        opened = _opened(folder, passphrase, identity)
        secrets = secret_files.unpacked(opened) if opened else {}
        then = _prepared(manifest, step) if under_way is None else None
        step("put the files back")
        _files(folder)
        with secret_files.drafted(secrets, settings.DATA_DIR) as put_secrets:
            step("put every row back")
            rows = manifest["rows"] if then is None else _load(folder, then, this)
            put_secrets()  # killed before, the restore is gone on with, and comes here again
    step("bring the tables to this version")
    call_command("migrate", interactive=False, verbosity=0)
    unfinished.end()
    return _compared(manifest, rows, _told_of_secrets(secrets, manifest), step)


def _is_back(path: Path) -> bool:
    """Whether the database is what was restored from *path*, and nobody went on with it."""
    if "inventory_copy" not in connection.introspection.table_names():
        return False
    if not Copy.objects.filter(restored_from=path.name[:200]).exists():
        return False
    then = {slug: facts["revision"] for slug, facts in archive.read_manifest(path)["sites"].items()}
    now = dict(Site.objects.values_list("slug", "revision"))
    return bool(now) and now == then and not copies.live(Site.objects.all()).exists()


def _this(path: Path, manifest: Mapping[str, Any], same_copy: bool) -> Restoring:
    """What this restore is recognised by when it was killed: what is in the archive, and as which copy."""
    digest = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    return Restoring(digest[:32], same_copy, path.name)


def _require_same(under_way: Restoring, this: Restoring) -> None:
    if (under_way.digest, under_way.same_copy) != (this.digest, this.same_copy):
        raise CannotBackUp(
            f"Restoring {under_way.archive} into this database was interrupted. Give that archive again, or restore into "
            "an empty database: name a new directory in DATA_DIR, or another DATABASE_URL."
        )


def _prepared(manifest: Mapping[str, Any], step: Callable[[str], None]) -> Apps:
    """Make the tables of the archive's version; the models of then."""
    executor = MigrationExecutor(connection)
    targets = _targets(executor, manifest)
    step("make the tables as they were")
    executor.migrate(targets)
    return executor.loader.project_state(targets).apps


def _load(folder: Path, then: Apps, this: Restoring) -> dict[str, int]:
    """Every row, that they are another copy's, and that it is not over yet: all of it or nothing.

    Until this is committed the database is empty for whoever tries again; afterwards it is a restore that is gone on
    with, and wherever that is killed, no site of it is live.
    """
    with transaction.atomic():
        rows = tables.load(folder, then)
        if not this.same_copy:
            another.make(then, this.archive)
        unfinished.begin(this)
    return rows


def _forget() -> None:
    """What this process remembers is of the database that was here before."""
    ContentType.objects.clear_cache()
    reading.forget()
    renderings.forget()


def _require_empty() -> None:
    """Refuse where anything is: what a restore replaces cannot be had back."""
    if "inventory_site" not in connection.introspection.table_names():
        return
    from django.contrib.auth.models import User

    from inventory.models import Site

    if sites := list(Site.objects.values_list("slug", flat=True)[:5]):
        raise CannotBackUp(
            f"This database has sites already ({', '.join(sites)}). Restore into an empty one: name a new directory in "
            "DATA_DIR, or an empty database in DATABASE_URL."
        )
    if User.objects.exclude(username=settings.ADMIN_USERNAME).exists():
        raise CannotBackUp(
            "This database has users already. Restore into an empty one: name a new directory in DATA_DIR, or an empty "
            "database in DATABASE_URL."
        )


def _targets(executor: MigrationExecutor, manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The newest migration of each application in the archive. Raises CannotBackUp where this version does not know one."""
    recorded = {(app, name) for app, name in manifest["migrations"]}
    ours = executor.loader.graph.nodes
    if strange := sorted(f"{app}.{name}" for app, name in recorded - set(ours)):
        raise CannotBackUp(
            f"The archive is from a newer version ({manifest['version']}): this one knows no {strange[0]}. Restore with "
            "that version."
        )
    nodes = executor.loader.graph.node_map
    targets = [
        node
        for node in sorted(recorded)
        if not any(child.key in recorded and child.key[0] == node[0] for child in nodes[node].children)
    ]
    if any(backwards for _, backwards in executor.migration_plan(targets)):
        raise CannotBackUp(
            f"The archive is older ({manifest['version']}), and this database is prepared for a newer version already. "
            "Restore into one that nothing has prepared: a new directory in DATA_DIR, or an empty database."
        )
    return targets


def _opened(folder: Path, passphrase: str, identity: str) -> bytes:
    sealed = folder / SEALED
    if not sealed.exists() or not (passphrase or identity):
        return b""
    return sealing.unseal(sealed.read_bytes(), identity=identity, passphrase=passphrase)


def _files(folder: Path) -> None:
    for source in sorted((folder / RENDERINGS).glob("*.gz")):
        place = Path(settings.RENDERINGS_DIR) / source.name[:2] / source.name
        for above in (place.parent.parent, place.parent):
            above.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(source, place)
        place.chmod(0o600)


def _told_of_secrets(secrets: Mapping[str, bytes], manifest: Mapping[str, Any]) -> list[str]:
    if not secrets:
        lacking = (
            "they were not in it" if not manifest["sealed"] else f"they are sealed ({manifest['sealed']})"
        )
        return [
            (
                f"The secret key and tokens were not put back: {lacking}. Everybody signs in again, and tokens of "
                "hypervisors have to be given anew."
            )
        ]
    given = os.environ.get("SECRET_KEY") or os.environ.get("SECRET_KEY_FILE")
    return ["SECRET_KEY is set here: the restored key lies in DATA_DIR, and is not used."] if given else []


# --- comparing ---


def _compared(
    manifest: Mapping[str, Any], rows: Mapping[str, int], warnings: Sequence[str], step: Callable[[str], None]
) -> Restored:
    """Rows, exports and identities that would be handed out next, against what the archive's manifest says."""
    step("compare every export")
    _forget()
    differences, uncompared = comparing.miscounted(manifest["rows"], rows), []
    at = datetime.fromisoformat(manifest["made"])
    for slug, facts in manifest["sites"].items():
        found = {
            "exports": measuring.exports_of(slug),
            "next": measuring.next_of(Site.objects.get(slug=slug), at),
        }
        differences += comparing.differing(slug, facts, found)
        uncompared += comparing.uncompared(slug, facts, found)
    sites = {slug: facts["revision"] for slug, facts in manifest["sites"].items()}
    return Restored(sum(rows.values()), sites, tuple(differences), tuple(uncompared), tuple(warnings))
