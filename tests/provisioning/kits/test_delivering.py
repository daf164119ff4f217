"""Kits brought to directories, sticks, repositories and other machines: real files, a real git, a real sshd."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from inventory.kit_places import KitPlaceFacts
from provisioning.backups.archive import CannotBackUp
from provisioning.kits import delivering, placing
from provisioning.kits.delivering import Brought, deliver
from tests.components import require, unavailable
from tests.provisioning.kits.conftest import small
from tests.provisioning.projects.server import FileServer, GitServer
from tests.recovery.conftest import checked

pytestmark = pytest.mark.timeout(120)


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", folder, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def repository(path: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", "--bare", str(path)], check=True)
    return path


@pytest.fixture
def server(tmp_path):
    server = FileServer(tmp_path / "sshd")
    yield server
    server.stop()


@pytest.fixture
def git_server(tmp_path):
    server = GitServer(tmp_path / "sshd")
    yield server
    server.stop()


def at(server, path: Path, kind: str = "ssh", **more) -> KitPlaceFacts:
    key = more.pop("key", f"file:{server.folder / 'key'}")
    (server.folder / "key").chmod(0o600)
    facts = {"host_key": server.host_key, "private": True, **more}
    return KitPlaceFacts("there", kind, server.location(path), key=key, **facts)  # type: ignore[arg-type]


def test_a_directory_gets_the_kit_and_its_archive(built, tmp_path):
    (tmp_path / "share").mkdir()
    place = KitPlaceFacts("share", "directory", str(tmp_path / "share"))
    assert deliver("lab", built, [place]) == [Brought("share")]
    assert sorted(path.name for path in (tmp_path / "share").iterdir()) == [
        "lab", "lab.tar.gz", "lab.tar.gz.sha256",
    ]  # fmt: skip
    for there in (tmp_path / "share" / "lab", tmp_path / "share" / "lab.tar.gz"):
        assert checked(there).returncode == 0, checked(there).stdout
    assert (tmp_path / "share" / "lab").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["lab/thesis.txt", "lab", "lab.tar.gz"])
def test_what_is_no_kit_is_never_replaced(built, tmp_path, name):
    theirs = tmp_path / "share" / name
    theirs.parent.mkdir(parents=True)
    theirs.write_text("years of work")
    (found,) = deliver("lab", built, [KitPlaceFacts("share", "directory", str(tmp_path / "share"))])
    assert "is there already and is no recovery kit" in found.fault and "move it away" in found.fault
    assert theirs.read_text() == "years of work"
    assert len(list((tmp_path / "share").iterdir())) == 1, "nothing was put beside it"
    with pytest.raises(CannotBackUp, match="is no recovery kit"):
        placing.exchange(built.folder, tmp_path / "share" / "lab")


def test_an_empty_directory_and_a_link_of_that_name(built, tmp_path):
    (tmp_path / "share" / "lab").mkdir(parents=True)
    place = KitPlaceFacts("share", "directory", str(tmp_path / "share"))
    assert deliver("lab", built, [place]) == [Brought("share")]
    (tmp_path / "share" / "lab").rename(tmp_path / "elsewhere")
    (tmp_path / "share" / "lab").symlink_to(tmp_path / "elsewhere")
    (found,) = deliver("lab", built, [place])
    assert "is no recovery kit" in found.fault and (tmp_path / "share" / "lab").is_symlink()


def test_an_archive_whose_sum_was_lost_is_a_kit_still(built, tmp_path):
    place = KitPlaceFacts("share", "directory", str(tmp_path / "share"))
    (tmp_path / "share").mkdir()
    deliver("lab", built, [place])
    (tmp_path / "share" / "lab.tar.gz.sha256").unlink()
    assert deliver("lab", built, [place]) == [Brought("share")]


def test_one_place_that_fails_stops_no_other(built, tmp_path):
    (tmp_path / "share").mkdir()
    places = [
        KitPlaceFacts("gone", "directory", str(tmp_path / "nowhere")),
        KitPlaceFacts("off", "directory", str(tmp_path / "nowhere"), enabled=False),
        KitPlaceFacts("open-git", "git", str(tmp_path / "repo.git")),
        KitPlaceFacts("share", "directory", str(tmp_path / "share")),
        KitPlaceFacts("stick", "mount", str(tmp_path)),
    ]
    found = {one.place: one.fault for one in deliver("lab", built, places)}
    assert list(found) == ["gone", "open-git", "share", "stick"]
    assert found["share"] == ""
    assert "is no directory here" in found["gone"]
    assert "Nobody confirmed that" in found["open-git"]
    assert f"Nothing is mounted at {tmp_path}" in found["stick"]


def test_the_mount_point_of_a_stick_that_is_not_plugged_in_stays_empty(built, tmp_path):
    point = tmp_path / "stick"
    point.mkdir()
    (found,) = deliver("lab", built, [KitPlaceFacts("stick", "mount", str(point))])
    assert "plug the stick in and mount it" in found.fault
    assert list(point.iterdir()) == []


def test_what_is_mounted_further_up_is_no_stick(built, tmp_path):
    """On a machine with /home or /srv on another disk, and below /run and /dev/shm."""
    if not Path("/dev/shm").is_mount():
        unavailable("needs /dev/shm as a mount point")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as point:
        (found,) = deliver("lab", built, [KitPlaceFacts("stick", "mount", point)])
        assert f"Nothing is mounted at {point}: plug the stick in" in found.fault
        assert list(Path(point).iterdir()) == []
    (found,) = deliver("lab", built, [KitPlaceFacts("stick", "mount", "/dev/shm")])
    assert "/dev/shm is kept in memory or in a container (tmpfs) and does not last" in found.fault
    assert not Path("/dev/shm/lab").exists()


@pytest.mark.parametrize("below", ["", "/./kits"])
def test_a_mounted_stick_gets_it_and_one_that_was_taken_out_does_not(built, tmp_path, monkeypatch, below):
    require("mount", package="mount")
    if os.geteuid() != 0:
        unavailable("needs root: it mounts a file system")
    point = tmp_path / "a stick"
    point.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "none", str(point)], capture_output=True, check=False)
    if done.returncode:
        unavailable(f"needs permission to mount: {done.stderr.decode()}")
    place = KitPlaceFacts("stick", "mount", f"{point}{below}")
    try:
        (found,) = deliver("lab", built, [place])
        assert "does not last" in found.fault
        monkeypatch.setattr(delivering, "FLEETING", frozenset())  # a disk can seldom be mounted in a test
        Path(place.location).mkdir(exist_ok=True)
        assert deliver("lab", built, [place]) == [Brought("stick")]
        assert checked(Path(place.location) / "lab").returncode == 0
        if below:
            (found,) = deliver("lab", built, [KitPlaceFacts("stick", "mount", str(point / "kits"))])
            assert "/media/stick/./directory" in found.fault
    finally:
        subprocess.run(["umount", str(point)], check=True)
    (found,) = deliver("lab", built, [place])
    assert found.fault and list(point.iterdir()) == []


@pytest.mark.parametrize("name", ["lab/ssh/config", "lab.tar.gz"])
def test_a_kit_that_is_not_as_it_was_written_replaces_no_good_copy(built, tmp_path, name):
    (tmp_path / "share").mkdir()
    place = KitPlaceFacts("share", "directory", str(tmp_path / "share"))
    deliver("lab", built, [place])
    rotten = built.folder.parent / name
    rotten.write_bytes(rotten.read_bytes()[:-1] + b"?")
    (found,) = deliver("lab", built, [place])
    assert "is not as it was written, so it is brought nowhere" in found.fault
    assert rotten.name in found.fault
    for there in (tmp_path / "share" / "lab", tmp_path / "share" / "lab.tar.gz"):
        assert checked(there).returncode == 0, "the copy is as good as before"


def test_a_stick_that_is_full_keeps_what_it_had(built, tmp_path, monkeypatch):
    (tmp_path / "share").mkdir()
    place = KitPlaceFacts("share", "directory", str(tmp_path / "share"))
    deliver("lab", built, [place])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "lab.tar.gz")

    monkeypatch.setattr(shutil, "copyfile", full)
    (found,) = deliver("lab", small(built.folder.parent, "Host other\n"), [place])
    assert "No space left on device" in found.fault
    assert (tmp_path / "share" / "lab" / "ssh" / "config").read_text() == "Host pi01\n"
    assert sorted(path.name for path in (tmp_path / "share").iterdir())[0] == "lab"


def test_what_a_disk_does_not_keep_is_told(built, tmp_path, monkeypatch):
    (tmp_path / "share").mkdir()
    honest = shutil.copyfile

    def lying(source, target):
        honest(source, target)
        if Path(source).name == "config":
            Path(target).write_text("something else")

    monkeypatch.setattr(shutil, "copyfile", lying)
    (found,) = deliver("lab", built, [KitPlaceFacts("share", "directory", str(tmp_path / "share"))])
    assert "does not keep what is written there" in found.fault
    assert list((tmp_path / "share").iterdir()) == []


def test_a_disk_that_keeps_fewer_files_than_were_written_gets_no_kit(built, tmp_path, monkeypatch):
    """One that tells no upper from lower case keeps one of two such names, and each was written well."""
    (tmp_path / "share").mkdir()
    place = KitPlaceFacts("share", "directory", str(tmp_path / "share"))
    deliver("lab", built, [place])
    honest = delivering._copied

    def forgetful(path: Path, copy: Path, wanted: int) -> None:
        honest(path, copy, wanted)
        if path.name == "config":
            copy.unlink()

    monkeypatch.setattr(delivering, "_copied", forgetful)
    (found,) = deliver("lab", small(built.folder.parent, "Host other\n"), [place])
    assert "does not keep what is written there (ssh/config: missing)" in found.fault
    assert checked(tmp_path / "share" / "lab").returncode == 0, "the copy is as good as before"


def test_a_repository_gets_one_commit_for_each_kit(built, tmp_path):
    there = repository(tmp_path / "kit.git")
    place = KitPlaceFacts("git", "git", str(there), private=True)
    assert deliver("lab", built, [place]) == [Brought("git")]
    assert deliver("lab", built, [place]) == [Brought("git")], "nothing new: no commit"
    assert git(there, "rev-list", "--count", "kit-lab") == "1"
    newer = small(built.folder.parent, "Host pi02\n", revision=2)
    shutil.rmtree(
        Path(delivering.settings.DATA_DIR) / delivering.REPOSITORIES
    )  # ours is lost: theirs goes on
    assert deliver("lab", newer, [place]) == [Brought("git")]
    assert git(there, "log", "--format=%s", "kit-lab").splitlines() == [
        "Recovery kit of lab, revision 2", "Recovery kit of lab, revision 1",
    ]  # fmt: skip
    copy = tmp_path / "copy"
    subprocess.run(["git", "clone", "--quiet", "--branch", "kit-lab", there, copy], check=True)
    (copy / "ssh" / ".DS_Store").write_text("of macOS")
    assert checked(copy).returncode == 0, "the clone is the kit, bit for bit"
    (copy / "ssh" / ".git").mkdir()
    (copy / "ssh" / ".git" / "config").write_text("")
    assert "ssh/.git/config: does not belong to the kit" in checked(copy).stdout


def test_a_repository_over_ssh(built, tmp_path, git_server):
    there = repository(tmp_path / "kit.git")
    assert deliver("lab", built, [at(git_server, there, "git")]) == [Brought("there")]
    assert git(there, "rev-list", "--count", "kit-lab") == "1"
    git_server.renew_host_key()
    place = at(git_server, there, "git", host_key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43)
    (found,) = deliver("lab", small(built.folder.parent, "Host b\n"), [place])
    assert "key" in found.fault and git(there, "rev-list", "--count", "kit-lab") == "1"


def test_another_machine_gets_the_archive_and_its_sum(built, tmp_path, server):
    there = tmp_path / "far"
    there.mkdir()
    place = at(server, there)
    for text in ("Host pi01\n", "Host pi02\n"):
        assert deliver("lab", small(built.folder.parent, text), [place]) == [Brought("there")]
        assert sorted(path.name for path in there.iterdir()) == ["lab.tar.gz", "lab.tar.gz.sha256"]
        assert checked(there / "lab.tar.gz").returncode == 0
        assert (there / "lab.tar.gz").read_bytes() == built.archive.read_bytes()


def test_a_machine_with_another_host_key_gets_nothing(built, tmp_path, server):
    there = tmp_path / "far"
    there.mkdir()
    place = at(server, there)
    server.renew_host_key()
    (found,) = deliver("lab", built, [place])
    assert "shows another host key than the one that is declared" in found.fault
    assert list(there.iterdir()) == []


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("env:NO_SUCH_KEY", "NO_SUCH_KEY"),
        ("unlock:kit-key", "locked"),
        ("file:/nonexistent/key", "/nonexistent/key"),
    ],
)
def test_a_key_that_is_not_there_is_told(built, tmp_path, server, key, said):
    (found,) = deliver("lab", built, [at(server, tmp_path, key=key)])
    assert said in found.fault


def test_a_directory_that_is_not_there_on_the_other_machine_is_told(built, tmp_path, server):
    (found,) = deliver("lab", built, [at(server, tmp_path / "nowhere")])
    assert "did not take the files" in found.fault and "No such file" in found.fault


def test_a_machine_that_does_not_answer_is_told(built, tmp_path, server):
    place = at(server, tmp_path)
    server.stop()
    (found,) = deliver("lab", built, [place])
    assert "does not answer by SSH" in found.fault
