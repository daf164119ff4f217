"""The archive itself: whole or not there, and a flipped bit is found and named."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import stat
import tarfile
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provisioning.backups import archive
from provisioning.backups.archive import CannotBackUp

AT = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


@pytest.fixture
def made(tmp_path) -> Path:
    return make(tmp_path / "backups")


def make(destination: Path, at: datetime = AT, **files: bytes) -> Path:
    with archive.workshop(destination) as folder:
        for name, content in ({"a.txt": b"first\n", "b.txt": b"second\n" * 400} | files).items():
            (folder / name).write_bytes(content)
        return archive.write(folder, {"version": "1"}, at=at, destination=destination)


def test_it_is_named_after_its_moment_and_its_content_and_is_its_owners_alone(made):
    assert made.name.startswith("mgmtplane-20260301T030000Z-")
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert archive.made_at(made) == AT
    assert [path.name for path in made.parent.iterdir()] == [made.name]


def test_the_same_files_at_the_same_moment_are_the_same_archive(tmp_path):
    assert make(tmp_path / "one").read_bytes() == make(tmp_path / "two").read_bytes()


def test_what_was_made_is_whole(made, tmp_path):
    assert archive.check(made) == []
    assert archive.take_out(made, tmp_path / "out")["version"] == "1"
    assert (tmp_path / "out" / "a.txt").read_bytes() == b"first\n"


def test_a_bit_flipped_anywhere_is_found(made):
    whole = made.read_bytes()
    places = random.Random(7).sample(range(len(whole) * 8), 300)
    for place in places:
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        made.write_bytes(flipped)
        assert archive.check(made), f"bit {place} of {len(whole) * 8}"


def test_the_damaged_file_is_named_even_under_another_name_of_the_archive(made):
    whole = made.read_bytes()
    at = whole.index(b"second\nsecond\n") + 3
    other = made.with_name("copied.tar")
    other.write_bytes(whole[:at] + b"X" + whole[at + 1 :])
    assert archive.check(other) == ["b.txt: its SHA-256 is not the manifest's."]


@pytest.mark.parametrize("left", [0, 1, 600, 5000])
def test_half_an_archive_is_damaged(made, left):
    made.write_bytes(made.read_bytes()[:left])
    assert archive.check(made)


def test_a_file_that_is_missing_and_one_too_many_are_named(made, tmp_path):
    other = tmp_path / "other.tar"
    with tarfile.open(made) as old, tarfile.open(other, "w") as new:
        for entry in old:
            if entry.name != "a.txt":
                new.addfile(entry, old.extractfile(entry))
        new.addfile(tarfile.TarInfo("c.txt"))
    assert archive.check(other) == ["'c.txt': the manifest knows no such file.", "a.txt: it is missing."]


def test_what_is_no_backup_is_said_to_be_none(tmp_path):
    stranger = tmp_path / "stranger.tar"
    with tarfile.open(stranger, "w") as tar:
        tar.addfile(tarfile.TarInfo("etc/passwd"))
    (said,) = archive.check(stranger)
    assert "is no backup of this application" in said
    (said,) = archive.check(tmp_path / "nowhere.tar")
    assert "cannot be read (No such file or directory)" in said


def test_nothing_of_a_damaged_archive_is_taken(made, tmp_path):
    made.write_bytes(made.read_bytes().replace(b"first\n", b"fault\n"))
    with pytest.raises(archive.Damaged, match="its SHA-256 is not the one in its name"):
        archive.take_out(made, tmp_path / "out")


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotBackUp, match="give another place"):
        make(tmp_path / "file")


def test_where_what_is_taken_out_finds_no_room_the_place_is_named_and_not_the_archive(
    made, tmp_path, monkeypatch
):
    monkeypatch.setattr(archive, "_created", lambda path: os.fdopen(os.open("/dev/full", os.O_WRONLY), "wb"))
    with pytest.raises(CannotBackUp) as refused, archive.workshop(tmp_path / "data") as folder:
        archive.take_out(made, folder)
    said = (
        f"{tmp_path / 'data'} cannot be written (No space left on device); make room, or give another place."
    )
    assert str(refused.value) == said


def test_what_a_killed_run_left_goes_at_the_next_and_what_another_makes_stays(tmp_path):
    destination = tmp_path / "backups"
    dead = destination / f"{archive.DRAFT}{archive._here()}-999999999-aa"
    alive = destination / f"{archive.DRAFT}{archive._here()}-1-aa"
    for left in (dead, alive):
        left.mkdir(parents=True)
    (destination / f"{dead.name}.tar").write_text("half")
    make(destination)
    assert not dead.exists() and alive.exists()
    assert not list(destination.glob("*-aa.tar"))


@pytest.mark.parametrize("name", ["0123456789ab-999999999-aa", "999999999-aa", "lab.tar.gz"])
def test_what_another_machine_or_container_makes_stays_for_a_day(tmp_path, name):
    """Its processes have no number here."""
    theirs = tmp_path / f"{archive.DRAFT}{name}"
    theirs.mkdir()
    make(tmp_path)
    assert theirs.exists()
    os.utime(theirs, (long_ago := time.time() - 25 * 3600, long_ago))
    make(tmp_path)
    assert not theirs.exists()


def test_the_newest_are_kept(tmp_path):
    for day in range(1, 6):
        make(tmp_path, AT.replace(day=day))
    gone = archive.forget_old(tmp_path, 2, archive.archives(tmp_path)[0])
    assert [archive.made_at(path).day for path in gone] == [3, 2, 1]
    assert [archive.made_at(path).day for path in archive.archives(tmp_path)] == [5, 4]


def test_the_one_just_made_is_kept_and_told_of_where_the_clock_is_behind(tmp_path):
    for day in range(1, 4):
        make(tmp_path, AT.replace(day=day))
    newest = archive.archives(tmp_path)[0]
    made = make(tmp_path, AT.replace(year=1970))
    assert "the clock of this machine is behind" in archive.misdated(made, [made.name, newest.name, "notes"])
    assert archive.misdated(newest, [made.name, newest.name]) == ""
    archive.forget_old(tmp_path, 3, made)
    assert [archive.made_at(path).year for path in archive.archives(tmp_path)] == [2026, 2026, 1970]
    archive.forget_old(tmp_path, 1, made)
    assert archive.archives(tmp_path) == [made]


@pytest.mark.parametrize("name", ["/etc/cron.d/x", "../../x", "a/../../x"])
def test_no_file_of_an_archive_leaves_the_folder_it_is_taken_out_to(tmp_path, name):
    content = b"x\n"
    manifest = json.dumps({"format": 1, "files": {name: [2, hashlib.sha256(content).hexdigest()]}}).encode()
    sums = f"{hashlib.sha256(manifest).hexdigest()}  manifest.json\n".encode()
    stranger = tmp_path / "below" / "stranger.tar"
    stranger.parent.mkdir()
    with tarfile.open(stranger, "w") as tar:
        for member, body in ((archive.MANIFEST, manifest), (archive.DIGEST, sums), (name, content)):
            entry = tarfile.TarInfo(member)
            entry.size = len(body)
            tar.addfile(entry, io.BytesIO(body))
    with pytest.raises(archive.Damaged, match="it would lie outside"):
        archive.take_out(stranger, tmp_path / "below" / "out")
    assert [path.name for path in tmp_path.rglob("x")] == []


def test_two_threads_of_one_process_leave_each_others_drafts_alone(tmp_path):
    with archive.workshop(tmp_path) as first, archive.workshop(tmp_path) as second:
        assert first.is_dir() and second.is_dir()
    assert list(tmp_path.iterdir()) == []
