"""The source that goes into a kit has nothing that an installation keeps for itself, however it came to be there."""

from __future__ import annotations

import subprocess
import tarfile

import pytest

from provisioning.kits import source
from tests.shared_data import REPOSITORY

SECRET = "a secret of this installation\n"
BELONGS = ("manage.py", "mgmtplane/settings.py", "templates/admin/base.html", ".ci/run", "tools/make-venv")


@pytest.fixture
def installation(settings, tmp_path, monkeypatch):
    """A program that no git knows, as ``restore.sh`` and a tarball leave it, with all its secrets beside and inside it."""
    base = tmp_path / "program"
    settings.BASE_DIR, settings.DATA_DIR = base, base / "var"
    settings.KIT_DIR, settings.BACKUP_DIR = base / "docs" / "kits", base / "tests" / "backups"
    settings.WHEELS_DIR = settings.DATA_DIR / "wheels"
    monkeypatch.setenv("SECRET_KEY_FILE", str(base / "mgmtplane" / "key"))
    monkeypatch.setenv("BACKUP_PASSPHRASE_FILE", "tools/passphrase")
    for name in BELONGS:
        _write(base / name, "of the program\n")
    for name in (
        "var/secret_key",
        "var/tokens/pve",
        "var/kit_key/key",
        "docs/kits/lab/index.html",
        "tests/backups/mgmtplane.tar",
        "mgmtplane/key",
        "tools/passphrase",
        ".env",
        "ansible/.vault_password",
        "data.old/secret_key",
        ".venv.previous/lib/one.py",
        "inventory/__pycache__/one.pyc",
    ):
        _write(base / name, SECRET)
    (base / "clients").mkdir()
    (base / "clients" / "link").symlink_to(base / "var" / "secret_key")
    return base


def _write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def packed(tmp_path) -> dict[str, str]:
    source.pack(tmp_path / "source.tar")
    with tarfile.open(tmp_path / "source.tar") as tar:
        return {entry.name: tar.extractfile(entry).read().decode() for entry in tar}


def test_without_git_the_program_is_in_it_and_no_secret(installation, tmp_path):
    assert packed(tmp_path) == dict.fromkeys(BELONGS, "of the program\n")


def test_a_clone_of_something_else_around_it_is_not_asked(installation, tmp_path):
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    assert set(packed(tmp_path)) == set(BELONGS)


def test_what_settings_name_stays_out_though_git_tracks_it(installation, tmp_path):
    subprocess.run(["git", "init", "--quiet", str(installation)], check=True)
    subprocess.run(
        ["git", "-C", str(installation), "add", "--force", "manage.py", "mgmtplane", "var"], check=True
    )
    assert set(packed(tmp_path)) == {"manage.py", "mgmtplane/settings.py"}


def test_a_program_inside_its_data_directory_is_still_whole(installation, settings, tmp_path):
    (installation / "clients" / "link").unlink()
    settings.DATA_DIR = installation
    assert set(packed(tmp_path)) == set(BELONGS)


def test_every_top_of_this_repository_is_known():
    words = ["git", "-C", str(REPOSITORY), "ls-files", "-z"]
    listed = subprocess.run(words, capture_output=True, check=True, text=True).stdout.split("\0")
    assert {name.partition("/")[0] for name in listed if name} == source.TOP
