"""The backup in a kit has the site as the kit has it; where it cannot, the kit says so, and what to do after restoring."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from inventory.changes import change
from inventory.models import Host, Site
from provisioning import requests, runner
from provisioning.backups import archive, making
from provisioning.backups.making import Lock
from provisioning.kits import backups
from provisioning.models import Job

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


@pytest.fixture
def site(settings, tmp_path) -> Site:
    settings.DATA_DIR, settings.WHEELS_DIR = tmp_path / "data", tmp_path / "data" / "wheels"
    settings.KIT_DIR, settings.BACKUP_DIR = tmp_path / "data" / "kits", tmp_path / "backups"
    settings.DATA_DIR.mkdir()
    site = Site(slug="lab", root_domain="example.net", block="192.0.2.0/24")
    declare(site, "pi01")
    return site


def declare(site: Site, name: str) -> None:
    with change(site, by="fixture"):
        Host(site=site, name=name, form="pi").save()


def built(site: Site) -> Job:
    job = requests.request("build_kit", site=site, by="ada", why="before the move")
    runner.run(job.pk)
    job.refresh_from_db()
    assert job.state == "succeeded", job.message
    return job


def of_kit(settings) -> Path:
    (found,) = (settings.KIT_DIR / "lab" / "application" / "backup").iterdir()
    return found


def test_a_backup_that_is_older_than_the_site_is_made_anew_for_the_kit_alone(site, settings):
    kept = making.create(settings.BACKUP_DIR, Lock()).path
    built(site)
    assert of_kit(settings).name == kept.name, "nothing was declared since"
    declare(site, "pi02")
    built(site)
    assert archive.read_manifest(of_kit(settings))["sites"]["lab"]["revision"] == 2
    assert archive.check(of_kit(settings)) == []
    assert archive.archives(settings.BACKUP_DIR) == [kept], "those of days ago are not pushed out"
    assert "Behind" not in (settings.KIT_DIR / "lab" / "built.txt").read_text()


def test_where_none_can_be_made_the_kit_and_its_restore_say_what_is_lacking(site, settings, tmp_path):
    making.create(settings.BACKUP_DIR, Lock())
    declare(site, "pi02")
    settings.BACKUP_RECIPIENTS, settings.BACKUP_PASSPHRASE = [], "short"
    job = built(site)
    (said,) = job.events.filter(level="warning", text__contains="No backup").values_list("text", flat=True)
    assert "too short" in said and "has revision 1; the kit is of revision 2" in said
    kit = settings.KIT_DIR / "lab"
    told = "its backup has revision 1, this kit 2. After promoting: manage.py declare"
    assert f"Behind:   {told} KIT/site.yml --apply\n" in (kit / "built.txt").read_text()
    assert restored(kit, tmp_path / "new").endswith(f"This kit is newer: {told} {kit}/site.yml --apply\n")


def restored(kit: Path, target: Path) -> str:
    """What restore.sh says around a Python that does nothing, in a directory where it was ended after pip."""
    python = target / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    shutil.copyfile(kit / "SHA256SUMS", target / ".restoring")
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    around = {"PATH": os.environ["PATH"], "PYTHON": sys.executable}
    words = ["sh", str(kit / "restore.sh"), str(target)]
    return subprocess.run(words, capture_output=True, text=True, check=True, env=around).stdout


def test_a_newest_backup_that_cannot_be_read_is_not_taken(site, settings, tmp_path):
    broken = making.create(settings.BACKUP_DIR, Lock()).path
    broken.write_bytes(b"")
    backups.put_in(tmp_path / "kit", "lab", 1, step=lambda name: None)
    (made,) = (tmp_path / "kit").iterdir()
    assert made.name != broken.name and archive.check(made) == []
