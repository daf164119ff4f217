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
from tests.provisioning.backups.test_round_trip import PASSPHRASE, environment, manage
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


def begun(kit: Path, target: Path) -> None:
    """As a restore of *kit* leaves *target* that was ended after pip: nobody downloads wheels in a test."""
    target.mkdir()
    shutil.copyfile(kit / kits.SUMS, target / ".restoring")
    (target / ".venv").symlink_to(sys.prefix)


def test_a_mistyped_passphrase_is_given_again_and_the_restore_goes_on(kit, tmp_path):
    """Into a directory that is named from where one stands."""
    begun(kit, tmp_path / "new")
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


def path_of(tmp_path: Path) -> str:
    """Where the Pythons of ``bare`` are found first."""
    return f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin"


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
    done = restored(bare, "new", cwd=tmp_path, PATH=path_of(tmp_path), PYTHON=named)
    assert done.stdout == f"{taken} was taken\n", done.stderr


@pytest.mark.parametrize("words", [(), ("--identity", "key.txt")])
def test_without_a_directory_it_asks_for_one(bare, tmp_path, words):
    done = restored(bare, *words, cwd=tmp_path)
    assert done.returncode == 2 and "Name an empty directory first" in done.stderr


@pytest.mark.parametrize("name", ["README.md", ".venv", ".profile"])
def test_a_directory_with_something_in_it_is_refused_and_left_as_it_is(bare, tmp_path, name):
    (tmp_path / "T3").mkdir()
    (tmp_path / "T3" / name).write_text("keep")
    done = restored(bare, "T3", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert f"{tmp_path}/T3 is not empty: it has {name}." in done.stderr and "name an empty" in done.stderr
    assert [path.read_text() for path in (tmp_path / "T3").iterdir()] == ["keep"]


def test_a_file_and_a_place_in_the_kit_are_no_empty_directory(bare, tmp_path):
    (tmp_path / "T3").write_text("keep")
    assert "T3 is no directory" in restored(bare, "T3", cwd=tmp_path).stderr
    assert "lies in the kit itself" in restored(bare, "new", cwd=bare).stderr
    assert "was taken" in restored(bare, "../new", cwd=bare, PATH=path_of(tmp_path)).stdout
    assert (tmp_path / "T3").read_text() == "keep" and not (bare / "new").exists()


def test_a_fresh_file_system_is_empty_and_so_is_what_was_killed_in_its_first_step(bare, tmp_path):
    (tmp_path / "T3" / "lost+found").mkdir(parents=True)
    (tmp_path / "T3" / ".restoring.new").write_text("")
    assert "was taken" in restored(bare, "T3", cwd=tmp_path, PATH=path_of(tmp_path)).stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--passphrase",), "--passphrase is no option of restore.sh"),
        (("--without-secrets", "more"), "more is no option of restore.sh"),
        (("--identity",), "--identity names no file"),
        (("--identity", "gone.txt"), "gone.txt cannot be read"),
        (("--identity=gone.txt",), "gone.txt cannot be read"),
        (("--identity", "", "--without-secrets"), "an empty name cannot be read"),
        (("--identity", "."), ". cannot be read"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_done(bare, tmp_path, words, told):
    done = restored(bare, "new", *words, cwd=tmp_path)
    assert done.returncode == 2 and told in done.stderr, done.stderr
    assert done.stdout == "" and not (tmp_path / "new").exists()


def test_killed_while_it_unpacks_it_goes_on(kit, tmp_path):
    """A ``tar`` that ends with the shell above it in the middle of its work, as kill -9 does."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "tar").write_text(
        '#!/bin/sh\necho half >"$3/manage.py"\nls -A "$3" >"$HOME/seen"\nkill -9 $PPID\n'
    )
    (programs / "tar").chmod(0o755)
    where = {"cwd": tmp_path, "PYTHON": sys.executable}
    done = restored(kit, "new", **where, PATH=f"{programs}{os.pathsep}{os.environ['PATH']}")
    assert done.returncode == -9
    assert (tmp_path / "seen").read_text().split() == [".restoring", "manage.py"], "the mark comes first"
    (tmp_path / "new" / ".venv").symlink_to(sys.prefix)
    done = restored(kit, "new", "--passphrase-stdin", given=PASSPHRASE, **where)
    assert done.returncode == 0 and "Every export is what it was." in done.stdout, done.stderr


def without_backup(kit: Path, copy: Path) -> Path:
    shutil.copytree(kit, copy)
    shutil.rmtree(copy / "application" / "backup")
    for name in (signed.SIGNATURE, kits.SUMS, kits.OWN_SUM, signed.ALLOWED):
        (copy / name).unlink()
    building._summed(copy, None)
    return copy


def test_of_a_kit_without_a_backup_the_commands_that_it_names_bring_the_site_back(living, kit, tmp_path):
    copy = without_backup(kit, tmp_path / "ada's kit")
    target = tmp_path / "new one"
    begun(copy, target)
    done = restored(copy, "new one", cwd=tmp_path, PYTHON=sys.executable)
    assert done.returncode == 2 and "This kit has no backup" in done.stderr, done.stderr
    assert not (target / ".restoring").exists()
    commands = [line for line in done.stderr.splitlines() if line.startswith("    ")]
    around = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    ran = subprocess.run(
        ["sh", "-e"],
        input="\n".join(commands),
        cwd=tmp_path,
        env=around,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, (commands, ran.stderr)
    words = ("export", "ansible", "--site", "lab")
    assert manage(target / "data", *words) == manage(living, *words)


def test_the_command_refuses_an_empty_name(living, kit):
    done = subprocess.run(
        [sys.executable, "manage.py", "recovery_kit", "restore", str(kit), ""],
        cwd=REPOSITORY,
        env=environment(living),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1 and "Name an empty directory" in done.stderr, done.stderr


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
