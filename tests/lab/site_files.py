"""Exports on disk, as ``manage.py export FORMAT --output`` leaves them."""

from __future__ import annotations

from pathlib import Path

from inventory.exports.registry import get_export
from inventory.snapshot import Snapshot


def write(snapshot: Snapshot, format: str, folder: Path) -> Path:
    """Render *format* into *folder* and return it."""
    folder.mkdir(parents=True)
    for name, content in get_export(format).render(snapshot, None).files.items():
        (folder / name).write_bytes(content)
    return folder
