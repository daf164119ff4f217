"""One consistent archive of the application, made while it runs. Nothing waits for it, and it waits for nobody."""

from __future__ import annotations

import io
import platform
import shutil
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.db import connection

import mgmtplane
from inventory import reading
from inventory.exports.registry import Export
from inventory.models import Rendering, Site
from inventory.serving import contents
from mgmtplane.environment import SETTINGS
from mgmtplane.own_secrets import KIT_KEY, TOKENS
from provisioning.backups import archive, measuring, sealing, tables

SEALED, RENDERINGS, DOCUMENTS, HOW = "sealed.age", "renderings", "sites", "README.txt"
#: in DATA_DIR, and of use on another machine; ``secret_key`` may come from a setting instead
SECRETS = ("secret_key", TOKENS, KIT_KEY)

UNSEALED = (
    "The secret key is not in it: nothing seals it. Set BACKUP_RECIPIENTS or BACKUP_PASSPHRASE; without the key everybody "
    "signs in again after a restore, and no token of a hypervisor is there."
)

README = """\
A backup of mgmtplane. To restore it on an empty machine: unpack the application, then

    make venv
    .venv/bin/python manage.py backup check THIS-FILE
    .venv/bin/python manage.py backup restore THIS-FILE
    make up

Interrupted, the restore is given again. What was restored is read-only. See that the copy it came from is off, then
for each site

    .venv/bin/python manage.py promote SITE --why "what happened to the other copy"

Without the application: tables/ has every row as a line of JSON, sites/ each site as a YAML document that
`manage.py declare` reads, sealed.age what is secret (age --decrypt opens it).
"""


@dataclass(frozen=True)
class Lock:
    """What seals the secrets: public keys, or a passphrase; neither: the secrets stay out of the archive."""

    recipients: Sequence[str] = ()
    passphrase: str = ""

    @property
    def how(self) -> str:
        if self.recipients:
            return f"age, for {', '.join(self.recipients)}"
        return "age, with a passphrase" if self.passphrase else ""


def declared_lock() -> Lock:
    """As the settings say: the recipients, else the passphrase."""
    recipients = tuple(settings.BACKUP_RECIPIENTS)
    return Lock(recipients, "" if recipients else settings.BACKUP_PASSPHRASE or "")


@dataclass(frozen=True)
class Made:
    path: Path
    rows: int
    size: int
    warnings: tuple[str, ...]


def create(destination: Path, lock: Lock, *, step: Callable[[str], None] = lambda name: None) -> Made:
    """Make an archive in *destination*. *step* is told what comes next. Raises CannotBackUp and SealError."""
    at = datetime.now(UTC)
    warnings: list[str] = []
    with archive.workshop(destination) as folder:
        step("render every export")
        exports = {site.slug: _exported(site, folder) for site in Site.objects.order_by("slug")}
        step("copy every row")
        with reading.one_moment():
            counts = tables.dump(folder)
            sites = list(Site.objects.order_by("slug"))
            revisions = {site.slug: site.revision for site in sites}
            following = {site.slug: measuring.next_of(site, at) for site in sites}
            wanted = sorted(set(Rendering.objects.values_list("sha256", flat=True)))
        warnings += _moved(exports, revisions)
        step("copy what lies in files")
        warnings += _copy_renderings(wanted, folder / RENDERINGS)
        if lock.how:
            step("seal what is secret")
            _private(
                folder / SEALED,
                sealing.seal(
                    _secrets(settings.DATA_DIR), recipients=lock.recipients, passphrase=lock.passphrase
                ),
            )
        else:
            warnings.append(UNSEALED)
        _private(folder / HOW, README.encode())
        step("write the archive")
        facts = _facts(at, lock, counts, revisions)
        for slug, site in facts["sites"].items():
            site["exports"] = (exports.get(slug) or {}).get("exports", {})
            site["next"] = following[slug]
        path = archive.write(folder, facts, at=at, destination=destination)
    return Made(path, sum(counts.values()), path.stat().st_size, tuple(warnings))


def _facts(
    at: datetime, lock: Lock, counts: Mapping[str, int], revisions: Mapping[str, int]
) -> dict[str, Any]:
    return {
        "made": at.isoformat(),
        "version": mgmtplane.__version__,
        "python": platform.python_version(),
        "django": django.get_version(),
        "database": connection.vendor,
        "migrations": measuring.migrations(),
        "rows": dict(counts),
        "sites": {slug: {"revision": revision} for slug, revision in revisions.items()},
        "settings": _settings(),
        "sealed": lock.how,
    }


def _settings() -> dict[str, Any]:
    """What is set, as far as it is no secret; for a person, and read by nobody."""
    given = {one.name: getattr(settings, one.name, None) for one in SETTINGS if not one.secret}
    return {name: str(value) for name, value in given.items() if value is not None}


def _exported(site: Site, folder: Path) -> dict[str, Any]:
    """The digest of each export and the revision it is of; the site document is kept whole."""
    found: dict[str, Any] = {"revision": None, "exports": {}}
    revisions = set()
    for name, export, snapshot, document in measuring.rendered(site.slug):
        revisions.add(snapshot.revision)
        found["exports"][name] = measuring.digest_of(document.files)
        if export.is_whole:
            _keep_document(site, export, document.files, folder)
    if revisions:  # of more than one: it went on in between, and nothing of it can be compared
        found["revision"] = revisions.pop() if len(revisions) == 1 else 0
    return found


def _keep_document(site: Site, export: Export, files: Mapping[str, bytes], folder: Path) -> None:
    (folder / DOCUMENTS).mkdir(mode=0o700, exist_ok=True)
    for content in files.values():
        _private(folder / DOCUMENTS / f"{site.slug}.yml", content)


def _moved(exports: dict[str, dict[str, Any]], revisions: Mapping[str, int]) -> list[str]:
    """Forget the digests of a site that went on while its exports were made."""
    said = []
    for slug, found in exports.items():
        if found["revision"] not in (None, revisions.get(slug)):
            found["exports"] = {}
            said.append(
                f"{slug} was changed while this was made: its exports cannot be compared after a restore."
            )
    return said


def _copy_renderings(wanted: Sequence[str], into: Path) -> list[str]:
    lost = 0
    into.mkdir(mode=0o700)
    for sha256 in wanted:
        try:
            contents.read(sha256)
        except contents.Lost:
            lost += 1
            continue
        shutil.copyfile(contents.path_of(sha256), into / f"{sha256}.gz")
        (into / f"{sha256}.gz").chmod(0o600)
    if not lost:
        return []
    return [
        f"{lost} of {len(wanted)} kept renderings are lost or damaged already; they are rendered anew when asked for."
    ]


def _secrets(data_dir: Path) -> bytes:
    """A tar of what is secret in the data directory, and the secret key wherever it came from."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        _add(tar, "secret_key", f"{settings.SECRET_KEY}\n".encode())
        for folder in (TOKENS, KIT_KEY):
            for path in sorted((data_dir / folder).glob("*")):
                if path.is_file() and not path.is_symlink():
                    _add(tar, f"{folder}/{path.name}", path.read_bytes())
    return packed.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o600
    tar.addfile(entry, io.BytesIO(content))


def _private(path: Path, content: bytes) -> None:
    path.touch(0o600)
    path.write_bytes(content)
