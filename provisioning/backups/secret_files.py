"""The files of what is sealed: judged whole, written beside their places, and put there together once the rows are in."""

from __future__ import annotations

import contextlib
import io
import os
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from mgmtplane.own_secrets import KIT_KEY, TOKENS
from provisioning.backups.archive import CannotBackUp

SECRET_KEY = "secret_key"  # noqa: S105  the name of a file
FOLDERS = (TOKENS, KIT_KEY)
#: the key that an installation had before another was put into its place
BEFORE = ".before"
#: the end of a file's name until it is in its place
DRAFT = ".restored"


def unpacked(sealed: bytes) -> dict[str, bytes]:
    """Name in the data directory → content. Raises CannotBackUp where one of them has no place there."""
    try:
        with tarfile.open(fileobj=io.BytesIO(sealed), mode="r:") as tar:
            return {entry.name: _content(tar, entry) for entry in tar}
    except (tarfile.TarError, EOFError) as error:
        raise CannotBackUp(
            f"What is sealed is no readable tar ({error}); nobody of ours sealed this."
        ) from None


def _content(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    if not entry.isfile() or not _has_place(entry.name):
        raise CannotBackUp(f"{entry.name} has no place in the data directory; nobody of ours sealed this.")
    stream = tar.extractfile(entry)
    return stream.read() if stream is not None else b""


def _has_place(name: str) -> bool:
    folder, _, file = name.partition("/")
    return name == SECRET_KEY or (folder in FOLDERS and PurePosixPath(file).name == file != "..")


@contextlib.contextmanager
def drafted(files: Mapping[str, bytes], data_dir: Path) -> Iterator[Callable[[], None]]:
    """Write each of *files* beside its place; what is yielded puts all of them there. What was not put there goes."""
    for folder in (data_dir, *(data_dir / name for name in FOLDERS)):
        for left in folder.glob(f".*{DRAFT}"):
            left.unlink(missing_ok=True)
    places = {data_dir / name: content for name, content in files.items()}
    try:
        for place, content in places.items():
            _write_draft(place, content)
        yield lambda: _put(places, data_dir / SECRET_KEY)
    finally:
        for place in places:
            _draft_of(place).unlink(missing_ok=True)


def _put(places: Mapping[Path, bytes], key: Path) -> None:
    if key in places and key.exists() and (had := key.read_bytes()) != places[key]:
        before = key.with_name(f"{key.name}{BEFORE}")
        _write_draft(before, had)
        _draft_of(before).replace(before)
    for place in places:
        _draft_of(place).replace(place)


def _draft_of(place: Path) -> Path:
    return place.with_name(f".{place.name}{DRAFT}")


def _write_draft(place: Path, content: bytes) -> None:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(_draft_of(place), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
