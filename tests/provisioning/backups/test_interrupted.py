"""A restore that dies once its rows are there: another copy all the same, nothing under way, and begun again it goes on."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from mgmtplane import supervisor
from provisioning.backups import archive, secret_files
from provisioning.backups.archive import CannotBackUp
from tests.provisioning.backups.test_round_trip import PASSPHRASE, environment, manage
from tests.shared_data import REPOSITORY
from tests.upgrading import states

pytestmark = pytest.mark.timeout(600)

#: the command in a process of its own, with something put in before it is given
COMMAND = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "mgmtplane.settings"
import django
django.setup()
from inventory.exports.text import UnsafeLine
from inventory.serving import renderings
from provisioning.backups import measuring, restoring, secret_files
{}
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""
#: killed when the rows are committed and nothing else was done
DIES = "restoring.call_command = lambda *words, **more: os._exit(9)"
#: when the rows are committed, and what is secret is not in its place
DIES_BEFORE_SECRETS = "secret_files._put = lambda *places: os._exit(9)"
DIES_COMPARING = "measuring.exports_of = lambda slug: os._exit(9)"
NO_ROOM = """
def refuse(*words, **more):
    raise OSError(28, "No space left on device")
restoring.tables.load = refuse
"""
KEA_REFUSES = """
document = renderings.document
def refuse(slug, format, **more):
    if format == "kea":
        raise UnsafeLine("line 3")
    return document(slug, format, **more)
renderings.document = refuse
"""


def run(
    data: Path, with_what: str, *words: str, given: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", COMMAND.format(with_what), *words],
        cwd=REPOSITORY,
        env=environment(data, **variables),
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def asked(data_dir: Path, sql: str) -> list[tuple]:
    with contextlib.closing(sqlite3.connect(data_dir / "mgmtplane.sqlite3")) as database, database:
        return database.execute(sql).fetchall()


@pytest.fixture(scope="module", params=["of before there were copies", "of this version"])
def backup(request, tmp_path_factory) -> Path:
    """An archive with two sites; in that of this version jobs are queued, running and waiting."""
    folder = tmp_path_factory.mktemp("state")
    data = states.unpack("7853dbd", folder) / "data"
    (made,) = (data / "backups").glob("*.tar")
    if request.param == "of this version":
        shutil.move(made, folder)
        manage(data, "migrate", "-v0")
        for words in (("build_kit", "--site", "lab"), ("backup_application",), ("housekeeping",)):
            manage(data, "job", *words, "--why", "under way", "--by", "ada")
        asked(data, "UPDATE provisioning_job SET state = 'running' WHERE id = 2")
        asked(
            data, "UPDATE provisioning_job SET state = 'waiting', waiting_for = 'confirmation' WHERE id = 3"
        )
        manage(data, "backup", "create")
        (made,) = (data / "backups").glob("*.tar")
    return made


def test_killed_after_its_rows_it_is_read_only_and_goes_on(backup, tmp_path):
    data, words = tmp_path / "data", ("backup", "restore", str(backup), "--without-secrets")
    died = run(data, DIES, *words)
    assert died.returncode == 9, died.stderr
    assert "was interrupted. Give the command again" in manage(data, "up", code=1, PORT="1")

    manage(data, "migrate", "-v0")  # what nobody should do yet
    require_another(data, backup)

    said = manage(data, *words, code=None)
    assert "bring the tables to this version" in said and "has sites already" not in said
    require_another(data, backup)
    assert asked(data, "SELECT * FROM django_migrations WHERE app = 'restoring'") == []
    assert "Everything of this archive is back already" in manage(data, *words, code=None)
    manage(data, "promote", "--typed", "lab", "--why", "the other is off", "lab")
    assert "has sites already" in manage(data, *words, code=1)


def test_killed_while_it_compares_it_is_over_and_given_again_it_compares(tmp_path):
    living, data = tmp_path / "living", tmp_path / "data"
    manage(living, "migrate", "-v0")
    manage(living, "demo")
    manage(living, "backup", "create")
    (made,) = (living / "backups").glob("*.tar")
    words = ("backup", "restore", str(made), "--without-secrets")
    assert run(data, DIES_COMPARING, *words).returncode == 9
    assert asked(data, "SELECT * FROM django_migrations WHERE app = 'restoring'") == []
    said = manage(data, *words)
    assert "is back already" in said and "Every export is what it was." in said
    require_another(data, made)

    (tmp_path / "other").mkdir()
    manage(living, "backup", "create", "--to", str(tmp_path / "other"))
    (other,) = (tmp_path / "other").glob("*.tar")
    assert "has sites already" in manage(data, "backup", "restore", str(other), "--without-secrets", code=1)


def test_an_export_that_refuses_what_is_declared_does_not_keep_a_restore_from_ending(tmp_path):
    living, data = tmp_path / "living", tmp_path / "data"
    manage(living, "migrate", "-v0")
    manage(living, "demo")
    made = run(living, KEA_REFUSES, "backup", "create")
    assert made.returncode == 0 and "Of lab these exports cannot be made" in made.stderr, made.stderr
    words = ("backup", "restore", made.stdout.strip(), "--without-secrets")
    done = run(data, KEA_REFUSES, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Of mobile these exports were not compared, since they could not be made: kea (Unsa" in done.stderr
    assert "Every export that was compared is what it was." in done.stdout
    assert asked(data, "SELECT * FROM django_migrations WHERE app = 'restoring'") == []


def require_another(data: Path, backup: Path) -> None:
    """No site is live, the archive is named, and no job is under way."""
    ((uid, restored_from),) = asked(data, "SELECT uid, restored_from FROM inventory_copy")
    assert restored_from == backup.name
    assert not [live for (live,) in asked(data, "SELECT live_copy FROM inventory_site") if live == uid]
    jobs = asked(data, "SELECT state, finished IS NOT NULL, message FROM provisioning_job ORDER BY id")
    stood = archive.read_manifest(backup)["rows"]["provisioning.job"]
    assert [job[:2] for job in jobs] == [("cancelled", 1), ("lost", 1), ("cancelled", 1)][:stood]
    assert all("stood in the backup" in job[2] for job in jobs)


def test_another_archive_is_not_mixed_in():
    from inventory.copying.unfinished import Restoring
    from provisioning.backups.restoring import _require_same

    half = Restoring("aa", False, "one.tar")
    _require_same(half, Restoring("aa", False, "renamed.tar"))
    for other in (Restoring("bb", False, "two.tar"), Restoring("aa", True, "one.tar")):
        with pytest.raises(CannotBackUp, match=r"Restoring one.tar into this database was interrupted"):
            _require_same(half, other)


@pytest.mark.django_db
def test_which_jobs_stood_in_a_backup_is_asked_of_no_clock():
    """A clock that is behind left them queued, one that was ahead ended what was asked for afterwards."""
    from datetime import timedelta

    from django.apps import apps
    from django.utils import timezone

    from inventory.changes import change
    from inventory.copying import promoting
    from inventory.models import Copy, Site
    from provisioning import requests
    from provisioning.backups import another
    from provisioning.engine import sweeping
    from provisioning.models import Job

    site = Site(slug="lab", root_domain="example.net")
    with change(site, why="made for a test"):
        pass
    old = requests.request("build_kit", site=site, by="ada", why="look")
    Job.objects.update(created=timezone.now() + timedelta(hours=1))
    another.make(apps, "an archive")
    old.refresh_from_db()
    assert (old.state, bool(old.finished)) == ("cancelled", True)
    Copy.objects.update(since=timezone.now() + timedelta(days=30))
    promoting.promote(site, typed="lab", by="ada", why="the other is lost")
    new = requests.request("build_kit", site=site, by="ada", why="look")
    sweeping.sweep()
    new.refresh_from_db()
    assert new.state == "queued"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory) -> Path:
    """An archive that has a token and the secret key."""
    living = tmp_path_factory.mktemp("sealed")
    manage(living, "migrate", "-v0")
    manage(living, "demo")
    (living / "tokens").mkdir(mode=0o700)
    (living / "tokens" / "hv01").write_text("of the archive")
    manage(living, "backup", "create", BACKUP_PASSPHRASE=PASSPHRASE)
    (made,) = (living / "backups").glob("*.tar")
    return made


@pytest.fixture
def installation(tmp_path) -> Path:
    """A data directory that has another secret key and another token, and an empty database."""
    data = tmp_path / "data"
    manage(data, "migrate", "-v0")
    (data / "tokens").mkdir(mode=0o700)
    (data / "tokens" / "hv01").write_text("of before")
    return data


def secrets_of(data: Path) -> dict[str, str]:
    found = [*data.glob("secret_key*"), *data.glob(".secret_key*"), *(data / "tokens").glob("*")]
    return {str(path.relative_to(data)): path.read_text().strip() for path in found}


def test_where_the_rows_do_not_go_in_secrets_stay_what_they_are(sealed, installation):
    before = secrets_of(installation)
    words = ("backup", "restore", str(sealed), "--passphrase-stdin")
    done = run(installation, NO_ROOM, *words, given=PASSPHRASE)
    assert done.returncode == 1 and "No space left on device" in done.stderr, done.stderr
    assert secrets_of(installation) == before and before["tokens/hv01"] == "of before"


def test_killed_before_secrets_are_in_place_it_puts_them_there_and_keeps_the_key_of_before(
    sealed, installation
):
    before = secrets_of(installation)["secret_key"]
    words = ("backup", "restore", str(sealed), "--passphrase-stdin")
    assert run(installation, DIES_BEFORE_SECRETS, *words, given=PASSPHRASE).returncode == 9
    assert secrets_of(installation)["secret_key"] == before
    assert run(installation, DIES, *words, given=PASSPHRASE).returncode == 9  # and once more, afterwards
    assert "Every export is what it was." in manage(installation, *words, given=PASSPHRASE)
    key = (sealed.parent.parent / "secret_key").read_text().strip()
    assert secrets_of(installation) == {
        "secret_key": key,
        "secret_key.before": before,
        "tokens/hv01": "of the archive",
    }
    assert (installation / "secret_key.before").stat().st_mode & 0o077 == 0


def test_over_a_running_application_nothing_is_restored(sealed, installation):
    with supervisor.only_one(installation):
        said = manage(installation, "backup", "restore", str(sealed), "--without-secrets", code=1)
    assert f"(process {os.getpid()})" in said and "Stop make up first" in said
    assert asked(installation, "SELECT * FROM inventory_site") == []


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../secret_key", "tokens/../secret_key", "tokens/a/b", "tokens/..", "settings.py"]
)
def test_what_has_no_place_in_the_data_directory_is_found_before_anything_is_written(name):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for one in ("secret_key", "tokens/hv01", name):
            tar.addfile(tarfile.TarInfo(one), io.BytesIO())
    with pytest.raises(CannotBackUp, match="has no place in the data directory"):
        secret_files.unpacked(packed.getvalue())
    with pytest.raises(CannotBackUp, match="no readable tar"):
        secret_files.unpacked(b"something else")
