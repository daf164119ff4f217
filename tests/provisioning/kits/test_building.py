"""A kit is built whole or not at all, whatever others do to its draft."""

from __future__ import annotations

import shutil

import pytest

from inventory.changes import change
from inventory.models import Site
from provisioning.backups.archive import DRAFT, CannotBackUp
from provisioning.kits import building
from tests.recovery.conftest import checked

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


def test_a_draft_that_lost_files_meanwhile_becomes_no_kit(settings, data_dir, tmp_path):
    settings.BACKUP_DIR = data_dir / "backups"
    with change(Site(slug="lab", root_domain="example.net", block="192.0.2.0/24"), by="fixture"):
        pass
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / "one-1.0-py3-none-any.whl").touch()
    there = tmp_path / "kits"
    building.build("lab", there, wheels=tmp_path / "wheels")
    assert (there / "lab" / "application" / "wheels" / "one-1.0-py3-none-any.whl").is_file()

    def another_machine_cleans_up(step: str) -> None:
        if step == "put the application in":
            (draft,) = there.glob(f"{DRAFT}*")
            shutil.rmtree(draft)

    with pytest.raises(CannotBackUp, match=r"lab lost .+ while it was made; build it again"):
        building.build("lab", there, step=another_machine_cleans_up)
    assert checked(there / "lab").returncode == 0
    assert (there / "lab" / "index.html").is_file(), "the kit of before"
    assert sorted(path.name for path in there.iterdir()) == ["lab", "lab.tar.gz", "lab.tar.gz.sha256"]
