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
from inventory.models import Rendering, Site
from inventory.serving import contents
from mgmtplane.environment import SETTINGS
from mgmtplane.own_secrets import KIT_KEY, TOKENS
from provisioning.backups import archive, comparing, measuring, sealing, tables

SEALED, RENDERINGS, DOCUMENTS, HOW = "sealed.age", "renderings", "sites", "README.txt"
#: in DATA_DIR, and of use on another machine; ``secret_key`` may come from a setting instead
SECRETS = ("secret_key", TOKENS, KIT_KEY)
#: so often everything is rendered and copied where a site is changed in between
ATTEMPTS = 3

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
    with archive.workshop(destination) as folder:
        exports, copied = _matching(folder, at, step)
        warnings = _doubts(exports, copied.revisions)
        step("copy what lies in files")
        warnings += _copy_renderings(copied.wanted, folder / RENDERINGS)
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
        facts = _facts(at, lock, copied.rows, copied.revisions)
        for slug, site in facts["sites"].items():
            same = exports[slug].revision == site["revision"] if slug in exports else False
            site["exports"] = exports[slug].digests if same else {}
            site["next"] = copied.following[slug]
        path = archive.write(folder, facts, at=at, destination=destination)
    return Made(path, sum(copied.rows.values()), path.stat().st_size, tuple(warnings))


@dataclass(frozen=True)
class _Exported:
    """The exports of one site."""

    #: of all of them; 0 where the site was changed in between
    revision: int
    #: name → digest
    digests: Mapping[str, str]


@dataclass(frozen=True)
class _Copied:
    """What was read with the rows, in the same moment."""

    rows: Mapping[str, int]
    #: slug → revision
    revisions: Mapping[str, int]
    #: slug → what would be handed out next
    following: Mapping[str, Mapping[str, str]]
    #: digests of the renderings that the rows speak of
    wanted: Sequence[str]


def _matching(
    folder: Path, at: datetime, step: Callable[[str], None]
) -> tuple[dict[str, _Exported], _Copied]:
    """Exports and rows of the same revision of each site, unless a site is changed again and again."""
    exports: dict[str, _Exported] = {}
    moved = set(Site.objects.values_list("slug", flat=True))
    for _ in range(ATTEMPTS):
        step("render every export")
        exports |= {slug: _exported(slug, folder) for slug in sorted(moved)}
        step("copy every row")
        copied = _copied(folder, at)
        moved = _moved(exports, copied.revisions)
        if not moved:
            break
    return exports, copied


def _copied(folder: Path, at: datetime) -> _Copied:
    with reading.one_moment():
        sites = list(Site.objects.order_by("slug"))
        return _Copied(
            tables.dump(folder),
            {site.slug: site.revision for site in sites},
            {site.slug: measuring.next_of(site, at) for site in sites},
            sorted(set(Rendering.objects.values_list("sha256", flat=True))),
        )


def _moved(exports: Mapping[str, _Exported], revisions: Mapping[str, int]) -> set[str]:
    """The sites whose exports are not of the revision that the rows have."""
    return {
        slug
        for slug, revision in revisions.items()
        if slug not in exports or exports[slug].revision != revision
    }


def _doubts(exports: Mapping[str, _Exported], revisions: Mapping[str, int]) -> list[str]:
    """What cannot be compared after a restore, in words."""
    moved = _moved(exports, revisions)
    said = [
        f"{slug} was changed again and again while this was made: its exports cannot be compared after a restore."
        for slug in sorted(moved)
    ]
    for slug in sorted(revisions.keys() - moved):
        if refused := comparing.refusals(exports[slug].digests):
            said.append(
                f"Of {slug} these exports cannot be made, and are not compared after a restore: {refused}. "
                f"manage.py export FORMAT --site {slug} says why."
            )
    return said


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


def _exported(slug: str, folder: Path) -> _Exported:
    """The digest of each export; the site document is kept whole."""
    digests, revisions = {}, set()
    for one in measuring.rendered(slug):
        revisions.add(one.revision)
        digests[one.name] = one.digest
        if one.export.is_whole:
            _keep_document(slug, one.files, folder)
    return _Exported(revisions.pop() if len(revisions) == 1 else 0, digests)


def _keep_document(slug: str, files: Mapping[str, bytes], folder: Path) -> None:
    (folder / DOCUMENTS).mkdir(mode=0o700, exist_ok=True)
    for content in files.values():
        _private(folder / DOCUMENTS / f"{slug}.yml", content)


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
