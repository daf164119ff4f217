"""``restore.sh``: begun again after a failure it goes on, with the Python that the wheels are for, into its own data."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from inventory.recovery import kit as kits
from inventory.recovery import signed
from provisioning.kits import building, signing
from tests.provisioning.backups.test_round_trip import PASSPHRASE, environment
from tests.recovery.conftest import checked
from tests.shared_data import REPOSITORY

pytestmark = pytest.mark.timeout(600)

SCRIPT = kits.CHECK.with_name("restore.sh")


def restored(kit: Path, *words: str, cwd: Path, given: str = "", **variables: str):
    return subprocess.run(
        ["sh", str(kit / "restore.sh"), *words],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "HOME": str(cwd), **variables},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_mistyped_passphrase_is_given_again_and_the_restore_goes_on(kit, tmp_path):
    """Into a directory that is named from where one stands."""
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / ".venv").symlink_to(sys.prefix)  # nobody downloads wheels in a test
    words, where = ("new", "--passphrase-stdin"), {"cwd": tmp_path, "PYTHON": sys.executable}
    done = restored(kit, *words, given="a horse that is wrong", **where)
    assert done.returncode == 1, done.stderr
    assert f"give the same command again: it goes on in {tmp_path / 'new'}" in done.stderr
    assert (tmp_path / "new" / "manage.py").is_file()

    other = tmp_path / "other"
    shutil.copytree(kit, other)
    (other / "SHA256SUMS").write_text("")
    done = restored(other, *words, **where)
    assert done.returncode == 2 and "Restoring another kit into" in done.stderr

    done = restored(kit, *words, given=PASSPHRASE, **where)
    assert done.returncode == 0 and "Every export is what it was." in done.stdout, done.stderr
    assert not (tmp_path / "new" / ".restoring").exists()
    done = restored(kit, *words, **where)
    assert done.returncode == 2 and "has the application already" in done.stderr


@pytest.fixture
def bare(tmp_path) -> Path:
    """A kit that has wheels of Python 3.12, and whose machine has three Pythons."""
    folder = tmp_path / "kit"
    (folder / "application" / "wheels").mkdir(parents=True)
    for name in (
        "one-1.0-py3-none-any",
        "two-1.0-cp39-abi3-linux_x86_64",
        "three-1.0-cp312-cp312-linux_x86_64",
    ):
        (folder / "application" / "wheels" / f"{name}.whl").touch()
    shutil.copyfile(SCRIPT, folder / "restore.sh")
    for name, version in (("python3.13", "3, 13"), ("python3.12", "3, 12"), ("mine", "3, 11")):
        _python(tmp_path / "bin" / name, version)
    return folder


def _python(path: Path, version: str) -> None:
    """One that takes itself for that version, and checks no kit."""
    inside = f"import sys; sys.version_info = ({version}, 1); exec(sys.argv.pop(1))"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f'#!/bin/sh\n[ "$1" = -c ] || {{ echo "{path.name} was taken"; exit 1; }}\n'
        f'exec {sys.executable} -c \'{inside}\' "$2" "$3"\n'
    )
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("named", "gone", "taken"),
    [("", "", "python3.12"), ("", "python3.12", "python3.13"), ("mine", "", "mine")],
)
def test_the_python_that_is_named_comes_first_then_the_one_that_the_wheels_are_for(
    bare, tmp_path, named, gone, taken
):
    programs = tmp_path / "bin"
    if gone:
        (programs / gone).unlink()
    around = {"PATH": f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin", "PYTHON": named}
    done = restored(bare, "new", cwd=tmp_path, **around)
    assert done.stdout == f"{taken} was taken\n", done.stderr


@pytest.mark.parametrize("words", [(), ("--identity", "key.txt")])
def test_without_a_directory_it_asks_for_one(bare, tmp_path, words):
    done = restored(bare, *words, cwd=tmp_path)
    assert done.returncode == 2 and "Name an empty directory first" in done.stderr


def test_the_command_passes_on_what_opens_the_backup_and_nothing_of_this_installation(living, kit, tmp_path):
    copy = tmp_path / "kit"
    shutil.copytree(kit, copy)
    (copy / "restore.sh").write_text('printf "%s\\n" "$@"\nenv\n')
    for name in (signed.SIGNATURE, kits.SUMS, kits.OWN_SUM, signed.ALLOWED):
        (copy / name).unlink()
    key = living / "kit_key" / "key"
    public = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    building._summed(copy, signing.Signer(key, public))
    assert checked(copy).returncode == 0
    words = ["recovery_kit", "restore", os.path.relpath(copy, REPOSITORY), "../new", "--identity", "key.txt"]
    done = subprocess.run(
        [sys.executable, "manage.py", *words, "--passphrase-stdin"],
        cwd=REPOSITORY,
        env=environment(
            living, BACKUP_PASSPHRASE="a horse that is correct", SECRET_KEY_FILE=str(living / "secret_key")
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    given = said.index(f"{REPOSITORY}/../new")
    assert said[given + 1 : given + 4] == ["--identity", f"{REPOSITORY}/key.txt", "--passphrase-stdin"]
    told = {line.partition("=")[0] for line in said}
    assert "KIT_FINGERPRINT" in told
    assert not told & {"DATA_DIR", "SECRET_KEY_FILE", "BACKUP_PASSPHRASE"}
