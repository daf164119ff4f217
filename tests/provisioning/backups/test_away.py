"""Backups on another machine by SSH: a real sshd, whose folder has whole archives and nothing else."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from inventory.changes import change
from inventory.models import Host, Site
from mgmtplane import sftp_places
from provisioning import requests, runner
from provisioning.backups import archive, away
from provisioning.backups.archive import CannotBackUp
from provisioning.models import Job
from tests.provisioning.backups.test_round_trip import manage
from tests.provisioning.projects.server import GitServer, make_key


class Machine(GitServer):
    """An sshd that lets its key do nothing but sftp."""

    more: Mapping[str, str] = {"Subsystem": "sftp internal-sftp"}

    def start(self) -> None:
        public = (self.folder / "key.pub").read_text()
        (self.folder / "authorized").write_text(f'command="internal-sftp",restrict {public}')
        super().start()

    @property
    def home(self) -> Path:
        return self.folder / "kept"

    @property
    def address(self) -> str:
        return f"sftp://{getpass.getuser()}@127.0.0.1:{self.port}{self.home}"

    def known(self, place: Path) -> Path:
        public = (self.folder / "host.pub").read_text()
        place.write_text(f"[127.0.0.1]:{self.port} {public}")
        return place

    def names(self) -> list[str]:
        return sorted(os.listdir(self.home)) if self.home.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path / "machine")
    yield made
    made.stop()


@pytest.fixture
def declared(machine, settings, tmp_path) -> Machine:
    settings.BACKUP_DIR = tmp_path / "backups"
    settings.BACKUP_COPY_TO = sftp_places.parse(machine.address)
    settings.BACKUP_SSH_KEY = machine.key
    settings.BACKUP_KNOWN_HOSTS = machine.known(tmp_path / "known_hosts")
    return machine


def made(folder: Path, days: float = 0, text: str = "a") -> Path:
    at = datetime.now(UTC) - timedelta(days=days)
    with archive.workshop(folder) as work:
        (work / "a").write_text(text)
        return archive.write(work, {}, at=at, destination=folder)


def other() -> away.Away:
    found = away.declared()
    assert found is not None
    return found


def test_an_archive_is_brought_whole_and_private_and_comes_back_as_it_was(declared, tmp_path):
    path = made(tmp_path / "backups", text="x" * 300_000)
    assert other().bring(path) == f"{declared.address}/{path.name}"
    assert declared.names() == [path.name]
    there = declared.home / path.name
    assert there.read_bytes() == path.read_bytes() and there.stat().st_mode & 0o777 == 0o600
    (tmp_path / "back").mkdir()
    assert archive.check(other().fetch(path.name, tmp_path / "back")) == []


def test_the_newest_are_kept_and_what_is_no_archive_stays(declared, tmp_path):
    paths = [made(tmp_path / "backups", days) for days in (3, 2, 1)]
    for path in paths:
        other().bring(path)
    (declared.home / "notes.txt").write_text("mine")
    (declared.home / "with a blank.tar").write_text("mine")
    assert other().forget_old(2, paths[2]) == [paths[0].name]
    assert declared.names() == sorted(["notes.txt", "with a blank.tar", paths[1].name, paths[2].name])
    assert [one.name for one in other().archives()] == [paths[2].name, paths[1].name]
    behind = made(tmp_path / "backups", 9000)  # by a clock that was behind
    other().bring(behind)
    assert other().forget_old(2, behind) == [paths[1].name]


@pytest.mark.django_db
def test_a_read_only_copy_brings_nothing_and_removes_nothing_there(declared, tmp_path, settings, capsys):
    from django.core.management import CommandError, call_command

    from inventory.changes import change
    from inventory.copying import copies
    from inventory.models import Site

    settings.BACKUP_KEEP = 1
    with change(Site(slug="lab", root_domain="example.net"), why="made for a test"):
        pass
    of_the_live_one = made(tmp_path / "elsewhere", 1)
    other().bring(of_the_live_one)
    copies.renew("an archive")
    call_command("backup", "create")
    said = capsys.readouterr()
    assert "warning: not brought to" in said.err and "manage.py promote" in said.err
    assert declared.names() == [of_the_live_one.name]
    assert len(archive.archives(settings.BACKUP_DIR)) == 1
    with pytest.raises(CommandError, match="It is made, and was not brought to"):
        call_command("backup", "create", to=declared.address)
    assert declared.names() == [of_the_live_one.name]


def test_what_a_killed_run_left_goes_and_a_run_that_may_live_is_left_alone(declared, tmp_path):
    declared.home.mkdir()
    old, young = made(tmp_path / "other", 2), made(tmp_path / "other", 0.1)
    for path in (old, young):
        (declared.home / f"{away.DRAFT}{path.name}").write_text("half")
    path = made(tmp_path / "backups")
    other().bring(path)
    assert declared.names() == sorted([path.name, f"{away.DRAFT}{young.name}"])


def test_one_that_is_there_in_another_size_is_brought_again(declared, tmp_path):
    path = made(tmp_path / "backups")
    other().bring(path)
    (declared.home / path.name).write_text("cut")
    other().bring(path)
    assert (declared.home / path.name).read_bytes() == path.read_bytes()


def test_another_host_key_ends_it_before_anything_is_sent(declared, tmp_path):
    path = made(tmp_path / "backups")
    declared.renew_host_key()
    with pytest.raises(CannotBackUp, match="shows a host key that is not among the known ones"):
        other().bring(path)
    assert declared.names() == []


def test_another_key_of_ours_is_not_let_in(declared, settings, tmp_path):
    settings.BACKUP_SSH_KEY = make_key(tmp_path / "stranger")
    with pytest.raises(CannotBackUp, match="does not let"):
        other().archives()


@pytest.mark.parametrize(
    ("name", "said"), [("BACKUP_SSH_KEY", "BACKUP_SSH_KEY_FILE"), ("known", "There is no")]
)
def test_what_is_lacking_is_named(declared, settings, tmp_path, name, said):
    if name == "known":
        settings.BACKUP_KNOWN_HOSTS = tmp_path / "nowhere"
    else:
        settings.BACKUP_SSH_KEY = None
    with pytest.raises(CannotBackUp, match=said):
        other().archives()


def test_a_machine_that_is_off_is_told_in_words(declared):
    declared.stop()
    with pytest.raises(CannotBackUp, match="does not answer by SSH"):
        other().archives()
    declared.start()


def test_a_folder_that_cannot_be_made_is_told_in_words(declared, settings, tmp_path):
    place = declared.address + "/no/such"
    settings.BACKUP_COPY_TO = sftp_places.parse(place)
    with pytest.raises(CannotBackUp, match="did not do it"):
        other().bring(made(tmp_path / "backups"))


@pytest.mark.parametrize(
    "text",
    [
        "sftp://host",
        "sftp://host/",
        "scp://host/a",
        "sftp://user:secret@host/a",
        "sftp://-oProxyCommand=x/a",
        "sftp://us er@host/a",
        "sftp://host/a b",
        "sftp://host/a/../b",
        "sftp://host/*",
        "sftp://host:99999/a",
        "sftp://host/a;rm",
        'sftp://host/"a',
    ],
)
def test_a_place_that_could_mean_something_else_is_refused(text):
    with pytest.raises(ValueError, match="sftp://USER@HOST/FOLDER"):
        sftp_places.parse(text)


@pytest.mark.parametrize(
    "text", ["sftp://b@host/srv/backups", "sftp://host:2222/a", "sftp://b@[2001:db8::1]/a"]
)
def test_a_place_is_read_and_written_alike(text):
    assert str(sftp_places.parse(text)) == text


def test_ssh_is_another_word_for_sftp():
    assert str(sftp_places.parse("ssh://b@host:2222/srv/backups")) == "sftp://b@host:2222/srv/backups"


@pytest.mark.parametrize(
    "text", ["sftp://h/a", "ssh://h/a", "ftp://h/a", "op@nas:/srv/b", "nas:b", "file:///srv"]
)
def test_what_names_another_machine_is_an_address(text):
    assert sftp_places.is_address(text)


@pytest.mark.parametrize("text", ["/srv/b", "b", "./with:colon", "/srv/with:colon", "", "user@host"])
def test_a_path_is_no_address(text):
    assert not sftp_places.is_address(text)


# --- the job and the command ---


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("ftp://x/y", "ftp://x/y is no place over SSH; give sftp://USER@HOST/FOLDER"),
        ("op@nas:/srv/b", "A directory of this machine is ./op@nas:/srv/b."),
        (
            "/no/such/stick",
            "/no/such/stick is no directory here; mount the stick, or make the directory, first.",
        ),
        ("", "--to is empty; name a directory that is there, or leave --to away."),
    ],
)
def test_a_place_that_is_none_is_not_made_here(place, said, tmp_path, monkeypatch):
    from django.core.management import CommandError, call_command

    monkeypatch.chdir(tmp_path)
    with pytest.raises(CommandError) as refused:
        call_command("backup", "create", to=place)
    assert said in str(refused.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.django_db
def test_the_default_place_is_made(settings, tmp_path):
    from django.core.management import call_command

    settings.BACKUP_DIR = tmp_path / "new" / "backups"
    call_command("backup", "create")
    assert len(archive.archives(settings.BACKUP_DIR)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_place_that_is_written_as_ssh_gets_the_archive(declared, settings):
    from django.core.management import call_command

    call_command("backup", "create", to=declared.address.replace("sftp:", "ssh:"))
    assert declared.names() == [path.name for path in archive.archives(settings.BACKUP_DIR)]


@pytest.mark.django_db(transaction=True)
def test_the_job_brings_what_is_lacking_there(declared, settings, tmp_path):
    with change(Site(slug="lab", root_domain="example.net"), by="fixture") as the_change:
        (site,) = the_change.sites.values()
        Host(site=site, name="pi01", form="pi").save()
    declared.stop()
    job = back_up()
    assert job.state == "failed" and "was not brought to sftp://" in job.message
    declared.start()
    job = back_up()
    assert job.state == "succeeded", job.message
    assert job.outcome["brought"] == 2, "that of before as well"
    assert declared.names() == sorted(path.name for path in archive.archives(settings.BACKUP_DIR))


def back_up() -> Job:
    job = requests.request("backup_application", by="ada", why="before the move")
    runner.run(job.pk)
    job.refresh_from_db()
    return job


@pytest.mark.timeout(600)
def test_from_one_machine_over_another_to_a_third(machine, tmp_path):
    given = {
        "BACKUP_SSH_KEY_FILE": str(machine.folder / "key"),
        "BACKUP_KNOWN_HOSTS": str(machine.known(tmp_path / "known_hosts")),
    }
    living, third = tmp_path / "living", tmp_path / "third"
    living.mkdir()
    manage(living, "migrate", "-v0")
    said = manage(living, "backup", "create", "--to", machine.address, **given)
    (name,) = machine.names()
    assert f"{machine.address}/{name}" in said
    assert name in manage(living, "backup", "list", machine.address, **given)
    at = f"{machine.address}/{name}"
    assert "as it was made" in manage(living, "backup", "check", at, **given)
    content = bytearray((machine.home / name).read_bytes())
    (machine.home / name).write_bytes(bytes([*content[:5000], content[5000] ^ 1, *content[5001:]]))
    assert "SHA-256" in manage(living, "backup", "check", at, code=1, **given)
    (machine.home / name).write_bytes(content)
    assert "Restored" in manage(third, "backup", "restore", at, "--without-secrets", **given)


@pytest.mark.parametrize("text", ["ftp://op:hunter2@nas/b", "ssh://op:hun/ter2@nas/b", "op:hunter2@nas:b"])
def test_an_address_that_is_refused_is_said_without_its_password(text):
    with pytest.raises(CannotBackUp) as refused:
        away.place_of(text)
    assert "ter2" not in str(refused.value) and "op:***@nas" in str(refused.value)
