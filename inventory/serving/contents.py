"""Rendered content in the data directory, by its SHA-256: ``renderings/ab/abcd….gz``. Never changed."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
import zlib
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from inventory.serving.archives import gzipped

#: Younger files may belong to somebody whose index row is still to come.
MIN_AGE = 3600.0  # seconds


class Lost(Exception):
    """The file is missing, or is not what its name says."""


def path_of(sha256: str) -> Path:
    return Path(settings.RENDERINGS_DIR) / sha256[:2] / f"{sha256}.gz"


def name_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write(content: bytes) -> str:
    """Keep *content*, readable by its owner alone; return its name. Raises OSError."""
    name = name_of(content)
    path = path_of(name)
    if _is_whole(path, name):
        os.utime(path)  # young again, so that nobody tidies it away before the new index row
        return name
    for folder in (path.parent.parent, path.parent):  # parents=True would leave the upper one open
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{name[:16]}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        _write_durably(draft, gzipped(content))
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return name


def read(sha256: str) -> tuple[bytes, bytes]:
    """Return (content, the same compressed). Raises Lost."""
    try:
        packed = path_of(sha256).read_bytes()
        content = zlib.decompress(packed, wbits=31)
    except (OSError, zlib.error) as error:
        raise Lost(f"{sha256}: {type(error).__name__}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise Lost(f"{sha256}: other content")
    return content, packed


def remove_all_but(wanted: Iterable[str]) -> int:
    """Delete every file that is not in *wanted* and not young; return how many."""
    keep = {f"{name}.gz" for name in wanted}
    before = time.time() - MIN_AGE
    removed = 0
    for path in sorted(Path(settings.RENDERINGS_DIR).glob("??/*")):
        try:
            if path.name not in keep and path.stat().st_mtime < before:
                path.unlink()
                removed += 1
        except FileNotFoundError:  # another process tidied first
            continue
    return removed


def _is_whole(path: Path, name: str) -> bool:
    if not path.exists():
        return False
    try:
        read(name)
    except Lost:
        return False
    return True


def _write_durably(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
