"""The recovery kit: whole or not there, read without a server, and enough to bring a site back."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from tests.components import require
from tests.provisioning.backups.test_round_trip import PASSPHRASE, environment, manage
from tests.recovery.conftest import checked
from tests.scale import share
from tests.shared_data import REPOSITORY
from tests.unpacking import unpack

pytestmark = pytest.mark.timeout(600)

#: at so many moments it is killed
POINTS = share(20)


def test_a_kit_is_whole_by_its_own_check_and_by_sha256sum(kit):
    assert checked(kit).stdout.startswith("every file is as it was written\nsigned by SHA256:")
    words = ["sha256sum", "--quiet", "--check", "SHA256SUMS"]
    assert subprocess.run(words, cwd=kit, check=False).returncode == 0


def test_the_archive_has_the_same_files_and_the_folder_is_its_owners_alone(kit):
    with tarfile.open(f"{kit}.tar.gz") as tar:
        packed = {
            entry.name.partition("/")[2]: tar.extractfile(entry).read() for entry in tar if entry.isfile()
        }
    assert packed == {
        str(path.relative_to(kit)): path.read_bytes() for path in kit.rglob("*") if path.is_file()
    }
    assert kit.stat().st_mode & 0o077 == 0


def test_the_exports_of_both_authorities_and_an_inventory_that_runs_are_in_it(kit):
    for mode in ("gateway", "bootstrap"):
        assert {"kea-dhcp4.conf", "dnsmasq.conf"} <= {path.name for path in (kit / mode).rglob("*")}
    words = [
        str(Path(sys.executable).with_name("ansible-inventory")),
        "-i",
        str(kit / "ansible"),
        "--host",
        "pi01",
    ]
    done = subprocess.run(
        words,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "ANSIBLE_LOCAL_TEMP": str(kit.parent)},
    )
    assert "10.10.30.11" in done.stdout, done.stderr


def test_ansible_itself_lists_the_hosts_of_the_kit(kit, tmp_path):
    words = [
        str(Path(sys.executable).with_name("ansible")),
        "-i",
        str(kit / "ansible"),
        "all",
        "--list-hosts",
    ]
    around = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "ANSIBLE_LOCAL_TEMP": str(kit.parent)}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=around, cwd=kit)
    assert done.returncode == 0, done.stderr
    listed = {line.strip() for line in done.stdout.splitlines()[1:]}
    assert {"pi01", "dash-vm01"} <= listed
    assert "WARNING" not in done.stderr, done.stderr


def test_nothing_secret_is_in_clear_in_it(living, kit):
    secret = (living / "secret_key").read_bytes().strip()
    assert not [path for path in kit.rglob("*") if path.is_file() and secret in path.read_bytes()]


def test_the_same_facts_are_the_same_pages(living, kit, tmp_path):
    manage(living, "recovery_kit", "build", "--site", "lab", "--to", str(tmp_path))
    for path in kit.rglob("*"):
        if path.name != "built.txt" and path.suffix in (".html", ".conf", ".yml", ".txt"):
            assert path.read_bytes() == (tmp_path / "lab" / path.relative_to(kit)).read_bytes(), path


def test_the_application_is_restored_from_the_kit_alone(living, kit, tmp_path):
    """With a Python that has what it needs already: wheels are downloaded by nobody in a test."""
    program = tmp_path / "program"
    program.mkdir()
    unpack(kit / "application" / "source.tar", program)
    (archive,) = (kit / "application" / "backup").glob("*.tar")
    data_dir = tmp_path / "data"
    done = subprocess.run(
        [sys.executable, "manage.py", "backup", "restore", str(archive), "--passphrase-stdin"],
        cwd=program,
        env=environment(data_dir),
        input=PASSPHRASE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Every export is what it was." in done.stdout, done.stderr
    words = ("export", "ansible", "--site", "lab")
    assert manage(data_dir, *words) == manage(living, *words)


def test_restore_sh_refuses_a_damaged_kit_and_a_place_that_is_taken(kit, tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "manage.py").write_text("")
    copy = tmp_path / "kit"
    shutil.copytree(kit, copy)
    (copy / "site.yml").write_text("")
    for folder, target, words in (
        (kit, "taken", "has the application already"),
        (copy, "new", "This kit is damaged"),
    ):
        done = subprocess.run(
            ["sh", str(folder / "restore.sh"), str(tmp_path / target)],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": os.environ["PATH"], "PYTHON": sys.executable},
        )
        assert done.returncode == 2 and words in done.stderr


def test_a_kit_is_written_to_directories_that_are_there(living, tmp_path):
    """Where a stick is not plugged in, its directory is often missing: the disk of this machine is no stick."""
    place = tmp_path / "media" / "stick"
    words = [sys.executable, "manage.py", "recovery_kit", "build", "--site", "lab", "--output", str(place)]
    done = subprocess.run(
        words, cwd=REPOSITORY, env=environment(living), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and f"{place} is no directory here; mount the stick" in done.stderr
    assert not (tmp_path / "media").exists()
    (place / "lab").mkdir(parents=True)
    (place / "lab" / "thesis.txt").write_text("years of work")
    done = subprocess.run(
        words, cwd=REPOSITORY, env=environment(living), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "is no recovery kit, so it is not replaced" in done.stderr
    assert (place / "lab" / "thesis.txt").read_text() == "years of work"


def test_the_shell_scripts_are_good_in_dash_and_shellcheck(kit):
    require("dash", "shellcheck", package="dash shellcheck")
    for script in kit.rglob("*.sh"):
        subprocess.run(["dash", "-n", str(script)], check=True)
        subprocess.run(["shellcheck", str(script)], check=True)


@pytest.mark.slow
def test_killed_at_twenty_points_the_previous_kit_is_intact(living, kit, tmp_path):
    place = tmp_path / "kits"
    place.mkdir()
    words = ("recovery_kit", "build", "--site", "lab", "--to", str(place))
    began = time.monotonic()
    manage(living, *words)
    took = time.monotonic() - began
    for point in range(POINTS):
        process = subprocess.Popen(
            [sys.executable, "manage.py", *words],
            cwd=REPOSITORY,
            env=environment(living),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(took * (point + 1) / (POINTS + 1))
        process.send_signal(signal.SIGKILL)
        process.wait()
        whole = place / "lab" if (place / "lab").exists() else place / ".mgmtplane-old-lab"
        assert checked(whole).returncode == 0, point
        with tarfile.open(place / "lab.tar.gz") as tar:
            assert tar.getnames()
    manage(living, *words)
    assert sorted(path.name for path in place.iterdir()) == ["lab", "lab.tar.gz", "lab.tar.gz.sha256"]


@pytest.mark.django_db(transaction=True)
def test_a_job_builds_it(settings, tmp_path):
    from inventory.changes import change
    from inventory.models import Host, Site
    from provisioning import requests, runner

    settings.KIT_DIR, settings.BACKUP_DIR = tmp_path / "kits", tmp_path / "backups"
    site = Site(slug="lab", root_domain="example.net", block="192.0.2.0/24")
    with change(site, by="fixture"):
        Host(site=site, name="pi01", form="pi").save()
    job = requests.request("build_kit", site=site, by="ada", why="before the move")
    runner.run(job.pk)
    job.refresh_from_db()
    assert job.state == "succeeded", job.message
    assert checked(tmp_path / "kits" / "lab").returncode == 0
    assert job.outcome["warnings"] == 2, "no wheels are there, and nothing seals what is secret"
