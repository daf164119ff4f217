"""The key of this installation that signs recovery kits, and signing with it: OpenSSH's own format, by ``ssh-keygen -Y``.

The private key lies in ``DATA_DIR/kit_key/key`` with mode 0600, and is made when it is first needed. Its fingerprint is
what people write down: a kit that somebody else made whole again carries another one.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from inventory.recovery import signed
from mgmtplane.own_secrets import KIT_KEY
from provisioning.adapters.base import AdapterError
from provisioning.adapters.commands import NotInstalled, Program
from provisioning.backups.archive import CannotBackUp

#: in DATA_DIR; goes into the sealed part of backups, so that a restored installation signs as before
FOLDER, KEY = KIT_KEY, "key"
SECONDS = 30.0


@dataclass(frozen=True)
class Signer:
    key: Path
    #: ``ssh-ed25519 AAAA…``
    public: str

    @property
    def fingerprint(self) -> str:
        """``SHA256:…``, as ``ssh-keygen -l`` says it."""
        return signed.fingerprint(self.public)

    @property
    def allowed_signers(self) -> bytes:
        return signed.allowed_signers(self.public)

    def sign(self, file: Path) -> Path:
        """Write the signature of *file* beside it, as ``<file>.sig``. Raises CannotBackUp."""
        _keygen("-Y", "sign", "-q", "-f", self.key, "-n", signed.NAMESPACE, file, cwd=file.parent)
        return file.with_name(f"{file.name}.sig")


def signer(*, make: bool = True) -> Signer | None:
    """The key of this installation, made now if there is none and *make*; None where there is none, or no OpenSSH.

    Raises CannotBackUp.
    """
    folder = Path(settings.DATA_DIR) / FOLDER
    key = folder / KEY
    try:
        if not (folder / f"{KEY}.pub").is_file() or not key.is_file():
            if not make or shutil.which("ssh-keygen") is None:
                return None
            _make(folder)
        words = (folder / f"{KEY}.pub").read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        raise CannotBackUp(
            f"The key that signs kits, {key}, cannot be used ({getattr(error, 'strerror', None) or 'no text'}); "
            "see who owns it and whether there is room."
        ) from None
    if len(words) < 2 or words[0] != signed.KIND or not signed.is_public(public := " ".join(words[:2])):
        raise CannotBackUp(
            f"{key}.pub is no public key of kind {signed.KIND}. Restore {folder} from a backup; or remove it, and write "
            "down the fingerprint of the new key."
        )
    return Signer(key, public) if shutil.which("ssh-keygen") else None


def _make(folder: Path) -> None:
    """Both files under their names at once; of two processes that make one the first wins."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix=f".{FOLDER}-", dir=folder.parent, ignore_cleanup_errors=True
    ) as made:
        _keygen(
            "-q", "-t", "ed25519", "-N", "", "-C", signed.IDENTITY, "-f", Path(made) / KEY, cwd=Path(made)
        )
        for name in (KEY, f"{KEY}.pub"):
            _sync(Path(made) / name)
        try:
            Path(made).rename(folder)
        except OSError:
            if not (folder / f"{KEY}.pub").is_file():
                raise


def _keygen(*arguments: str | Path, cwd: Path) -> None:
    try:
        ended = Program({}, seconds=SECONDS).run(["ssh-keygen", *arguments], cwd=cwd)
    except NotInstalled:
        raise CannotBackUp(
            "The kit cannot be signed: ssh-keygen is missing; install OpenSSH's client."
        ) from None
    except AdapterError as error:
        raise CannotBackUp(f"The kit cannot be signed: {error}") from None
    if ended.code:
        said = (ended.err.strip() or "it said nothing").splitlines()[-1]
        raise CannotBackUp(f"The kit cannot be signed: ssh-keygen says “{said}”.")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
