"""A small kit as it is built: signed, summed, with its archive."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.recovery.kit import CHECK
from provisioning.kits import building, signing
from provisioning.kits.building import Built
from provisioning.kits.placing import exchange, files_in


@pytest.fixture
def data_dir(settings, tmp_path) -> Path:
    settings.DATA_DIR, settings.KIT_DIR = tmp_path / "data", tmp_path / "data" / "kits"
    settings.KIT_DIR.mkdir(parents=True)
    return settings.DATA_DIR


def small(destination: Path, text: str, revision: int = 1) -> Built:
    """A kit of a few files in *destination*, in the place of the one before."""
    folder = destination / ".draft"
    (folder / "ssh").mkdir(parents=True)
    (folder / "ssh" / "config").write_text(text)
    (folder / "check.py").write_bytes(CHECK.read_bytes())
    building._summed(folder, signing.signer())
    packed = building._packed(folder, destination, "lab")
    exchange(folder, destination / "lab")
    final = destination / "lab"
    return Built(final, packed, len(files_in(final)), 1, (), revision=revision)


@pytest.fixture
def built(data_dir) -> Built:
    return small(data_dir / "kits", "Host pi01\n")
