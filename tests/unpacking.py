"""Tar files that tests wrote themselves, unpacked by each Python that is supported: Debian 12's takes no ``filter``."""

from __future__ import annotations

import tarfile
from pathlib import Path


def unpack(archive: Path, into: Path) -> None:
    with tarfile.open(archive) as tar:
        # https://docs.python.org/3/library/tarfile.html, “hints for further verification”
        tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)  # type: ignore[method-assign, unused-ignore]
        tar.extractall(into)
