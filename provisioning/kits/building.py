"""One directory and one archive a site, each there whole or not at all; the previous ones stay until the new are ready."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

import mgmtplane
from inventory import reading
from inventory.recovery import kit
from inventory.recovery.signed import ALLOWED
from inventory.serving import renderings
from inventory.serving.publication import published
from inventory.snapshot import Snapshot
from provisioning.backups import archive
from provisioning.backups.archive import CannotBackUp
from provisioning.kits import backups, signing, source
from provisioning.kits.placing import digest, exchange, files_in, replace_with_sum, require_ours, sync
from provisioning.kits.signing import Signer

#: so that the same kit is the same archive
EPOCH = 0
#: in the kit
BUILT, BACKUP = "built.txt", "application/backup"
IN_CLEAR = (
    "The kit has secrets in clear, because that is how they are declared: by {named}. Seal them with ansible-vault, or "
    "write a reference; change them; build again."
)
UNSIGNED = "The kit is not signed: ssh-keygen is missing here; install OpenSSH's client."


@dataclass(frozen=True)
class Built:
    folder: Path
    archive: Path
    files: int
    size: int
    warnings: tuple[str, ...]
    #: of the key that signed it; empty where none did
    fingerprint: str = ""
    #: of the site
    revision: int = 0


def build(
    slug: str,
    destination: Path,
    *,
    wheels: Path | None = None,
    step: Callable[[str], None] = lambda name: None,
) -> Built:
    """Build the kit of the site in *destination*: ``<slug>/`` and ``<slug>.tar.gz``. Raises UnknownSite, CannotBackUp."""
    snapshot = published(reading.load(slug), "bind")
    warnings: list[str] = []
    require_ours(destination, slug)
    with archive.workshop(destination) as folder:
        step("render pages and exports")
        put = _write_all(folder, kit.files(snapshot))
        _, _, document = renderings.document(slug, "site")
        put |= _write_all(folder, {"site.yml": b"".join(document.files.values())})
        step("put the application in")
        backup, lacking = backups.put_in(folder / BACKUP, slug, snapshot.revision, step=step)
        put, warnings = put | backup, warnings + lacking
        copied, lacking = _application(folder / "application", wheels)
        put, warnings = put | copied, warnings + lacking
        step("sum it up and sign it")
        signer = signing.signer()
        put |= _write_all(folder, {BUILT: _told(folder, snapshot, signer).encode()})
        if subjects := kit.in_clear(snapshot):
            warnings.append(IN_CLEAR.format(named=kit.named(subjects)))
        _require_all(put, destination / slug)
        _summed(folder, signer)
        if signer is None:
            warnings.append(UNSIGNED)
        for path in files_in(folder):
            sync(path)
        step("put it in place")
        files = files_in(folder)
        size = sum(path.stat().st_size for path in files)
        packed = _packed(folder, destination, slug)
        exchange(folder, destination / slug)
    mark = signer.fingerprint if signer else ""
    return Built(destination / slug, packed, len(files), size, tuple(warnings), mark, snapshot.revision)


def _told(folder: Path, snapshot: Snapshot, signer: Signer | None) -> str:
    """When this kit was built and what of, for who finds it on a stick."""
    packed = sorted(path.name for path in (folder / BACKUP).iterdir())
    lag = backups.lag(folder / BACKUP, snapshot.site.slug, snapshot.revision)
    wheels = sorted(path.name for path in folder.glob("application/wheels/*.whl"))
    # the last three parts of a wheel's name are interpreter, ABI and platform (PEP 427)
    made_for = sorted(
        {" ".join(name.removesuffix(".whl").split("-")[-3:]) for name in wheels} - {"py3 none any"}
    )
    lines = [
        f"Recovery kit of {snapshot.site.slug}, revision {snapshot.revision} of what is declared.",
        f"Built:    {datetime.now(UTC):%Y-%m-%d %H:%M} UTC by mgmtplane {mgmtplane.__version__}",
        f"Backup:   {packed[-1] if packed else 'none'}",
        *([f"Behind:   {lag}"] if lag else []),
        f"Wheels:   {'; '.join(made_for) or 'of any Python 3' if wheels else 'none: restoring needs a network'}",
        f"Secrets:  {'in clear, see README.txt' if kit.in_clear(snapshot) else 'sealed, or not in here'}",
        f"Signed:   {signer.fingerprint if signer else 'by nobody'}",
    ]
    return "".join(f"{line}\n" for line in lines)


def existing(slug: str, revision: int) -> Built:
    """The kit that lies in KIT_DIR. Raises CannotBackUp where there is none."""
    folder, packed = settings.KIT_DIR / slug, settings.KIT_DIR / f"{slug}.tar.gz"
    if not (folder / kit.SUMS).is_file() or not packed.is_file():
        raise CannotBackUp(
            f"There is no kit in {folder}; manage.py recovery_kit build --site {slug} makes one."
        )
    files = files_in(folder)
    return Built(
        folder, packed, len(files), sum(path.stat().st_size for path in files), (), revision=revision
    )


def _summed(folder: Path, signer: Signer | None) -> None:
    """Sums of every file, the signature of the sums, and the sums of both."""
    if signer is not None:
        _write_all(folder, {ALLOWED: signer.allowed_signers})
    digests = {str(path.relative_to(folder)): digest(path) for path in files_in(folder)}
    _write_all(folder, {kit.SUMS: kit.sums(digests)})
    last = [folder / kit.SUMS]
    if signer is not None:
        last.append(signer.sign(folder / kit.SUMS))
    _write_all(folder, {kit.OWN_SUM: kit.sums({path.name: digest(path) for path in last})})


def _require_all(put: Iterable[Path], final: Path) -> None:
    """What somebody removed meanwhile has no sum, and nobody would miss it. Raises CannotBackUp."""
    if lost := [path for path in put if not path.is_file()]:
        raise CannotBackUp(
            f"{final} lost {min(lost).name}, of {len(lost)} files in all, while it was made; build it again."
        )


def _write_all(folder: Path, files: Mapping[str, bytes]) -> set[Path]:
    """The files that it wrote."""
    for name, content in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        place.chmod(0o755 if name.endswith(".sh") else 0o644)
    return {folder / name for name in files}


def _application(folder: Path, wheels: Path | None) -> tuple[set[Path], list[str]]:
    """Source and wheels: the files, and what is lacking, in words."""
    source.pack(folder / "source.tar")
    put = {folder / "source.tar"}

    def copy(one: str, other: str) -> None:
        shutil.copyfile(one, other)
        put.add(Path(other))

    if wheels is not None:
        shutil.copytree(wheels, folder / "wheels", copy_function=copy)
        return put, []
    said = "Without wheels restoring needs a network; “make wheels” puts those of this machine's Python into"
    return put, [f"{said} {settings.WHEELS_DIR}."]


def _packed(folder: Path, destination: Path, slug: str) -> Path:
    """The same as one file, under its final name when it is whole."""
    draft = folder.with_name(f"{folder.name}.tar.gz")
    final = destination / f"{slug}.tar.gz"
    try:
        with tarfile.open(draft, "w:gz", compresslevel=6) as tar:
            for path in files_in(folder):
                tar.add(path, arcname=f"{slug}/{path.relative_to(folder)}", filter=_anonymous)
        draft.chmod(0o600)
        sync(draft)
        replace_with_sum(draft, final)
    except OSError as error:
        raise CannotBackUp(
            f"{final} cannot be written ({error.strerror}); make room, or give another place."
        ) from None
    finally:
        draft.unlink(missing_ok=True)
    return final


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = entry.mtime = EPOCH
    entry.uname = entry.gname = ""
    return entry
