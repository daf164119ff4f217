"""Who signed a kit: verified with the standard library and ssh-keygen alone, refused when it is somebody else."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from inventory.recovery import kit as kits
from inventory.recovery import signed
from provisioning.backups.archive import CannotBackUp
from provisioning.kits import building, signing
from tests.provisioning.backups.test_round_trip import environment, manage
from tests.recovery.conftest import checked
from tests.shared_data import REPOSITORY

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="session")
def mark(living, kit) -> str:
    """The fingerprint, as the operator writes it down."""
    return manage(living, "recovery_kit", "key").split()[0]


def rewritten(kit: Path, tmp_path: Path) -> Path:
    """Somebody changes a file and makes everything else fit again, with a key of their own."""
    copy = tmp_path / "rewritten"
    shutil.copytree(kit, copy)
    (copy / "ssh" / "config").write_text("Host *\n  ProxyCommand evil\n")
    for name in (signed.SIGNATURE, kits.SUMS, kits.OWN_SUM, signed.ALLOWED):
        (copy / name).unlink()
    key = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    public = " ".join(Path(f"{key}.pub").read_text().split()[:2])
    building._summed(copy, signing.Signer(key, public))
    return copy


def test_the_fingerprint_is_what_ssh_keygen_says(living, kit, mark):
    words = ["ssh-keygen", "-l", "-f", living / "kit_key" / "key.pub"]
    assert mark in subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert (living / "kit_key" / "key").stat().st_mode & 0o777 == 0o600
    assert (living / "kit_key").stat().st_mode & 0o777 == 0o700


def test_a_kit_and_its_archive_are_signed_with_the_key_that_was_written_down(kit, mark):
    for place in (kit, Path(f"{kit}.tar.gz")):
        done = checked(place, "--fingerprint", mark)
        assert done.returncode == 0
        assert done.stdout == f"every file is as it was written\nsigned by {mark}\n"
    assert "compare that with the fingerprint that you wrote down" in checked(kit).stdout


def test_the_command_that_the_documentation_names_verifies_it_too(kit):
    words = ["ssh-keygen", "-Y", "verify", "-f", "allowed_signers", "-I", "mgmtplane-kit"]
    words += ["-n", "mgmtplane-kit", "-s", "SHA256SUMS.sig"]
    with (kit / "SHA256SUMS").open("rb") as sums:
        assert subprocess.run(words, cwd=kit, stdin=sums, capture_output=True, check=False).returncode == 0


def test_a_kit_that_was_rewritten_with_another_key_is_refused(living, kit, mark, tmp_path):
    copy = rewritten(kit, tmp_path)
    assert checked(copy).returncode == 0, "by itself it is whole: that is why fingerprints are written down"
    done = checked(copy, "--fingerprint", mark)
    assert done.returncode == 1 and f"not by {mark}" in done.stdout
    for given in (mark, "own"):
        done = subprocess.run(
            [sys.executable, "manage.py", "recovery_kit", "check", str(copy), "--fingerprint", given],
            cwd=REPOSITORY,
            env=environment(living),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1 and f"not by {mark}" in done.stdout


@pytest.mark.parametrize("given", ["own", "written down"])
def test_nothing_of_a_kit_that_somebody_made_whole_again_is_run(living, kit, mark, tmp_path, given):
    copy = rewritten(kit, tmp_path)
    for name in ("restore.sh", "check.py"):
        (copy / name).write_text(f"touch {tmp_path}/ran\nexit 0\n")
    (copy / signed.ALLOWED).unlink()
    for name in (signed.SIGNATURE, kits.SUMS, kits.OWN_SUM):
        (copy / name).unlink()
    building._summed(copy, None)
    words = [sys.executable, "manage.py", "recovery_kit", "restore", str(copy), str(tmp_path / "new")]
    words += ["--fingerprint", mark] if given == "written down" else []
    done = subprocess.run(
        words, cwd=REPOSITORY, env=environment(living), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "nothing of it was run" in done.stderr
    assert f"not by {mark}" in done.stdout
    assert not (tmp_path / "ran").exists()


def test_a_kit_of_the_right_key_is_restored(living, kit, mark, tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "manage.py").write_text("")
    words = [sys.executable, "manage.py", "recovery_kit", "restore", str(kit), str(tmp_path / "taken")]
    done = subprocess.run(
        words, cwd=REPOSITORY, env=environment(living), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "has the application already" in done.stderr, "restore.sh was asked"


def test_an_installation_that_signed_none_asks_for_the_fingerprint(kit, tmp_path):
    words = [sys.executable, "manage.py", "recovery_kit", "restore", str(kit), str(tmp_path / "new")]
    empty = environment(tmp_path / "empty")
    done = subprocess.run(words, cwd=REPOSITORY, env=empty, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "give the fingerprint that you wrote down" in done.stderr
    assert not (tmp_path / "empty" / "kit_key").exists() and not (tmp_path / "new").exists()


def test_the_signature_of_other_sums_is_none(kit, tmp_path, mark):
    other = rewritten(kit, tmp_path)
    shutil.copyfile(kit / "SHA256SUMS.sig", other / "SHA256SUMS.sig")
    shutil.copyfile(kit / "allowed_signers", other / "allowed_signers")
    done = checked(other, "--fingerprint", mark)
    assert done.returncode == 1 and "SHA256SUMS.sig: is not the signature of SHA256SUMS" in done.stdout


def test_a_signature_that_was_taken_away_is_missed(kit, tmp_path, mark):
    copy = tmp_path / "kit"
    shutil.copytree(kit, copy)
    (copy / "SHA256SUMS.sig").unlink()
    done = checked(copy)
    assert done.returncode == 1 and "SHA256SUMS.sig: missing" in done.stdout
    for name in (kits.SUMS, kits.OWN_SUM, signed.ALLOWED):
        (copy / name).unlink()
    building._summed(copy, None)
    assert checked(copy).stdout.endswith("nobody signed it\n")
    done = checked(copy, "--fingerprint", mark)
    assert done.returncode == 1 and "signed by nobody" in done.stdout


def test_two_keys_in_the_list_of_signers_are_none(kit, tmp_path, mark):
    copy = tmp_path / "kit"
    shutil.copytree(kit, copy)
    with (copy / "allowed_signers").open("a") as file:
        file.write("* ssh-ed25519 AAAA\n")
    assert "allowed_signers: names no key, or more than one" in checked(copy, "--fingerprint", mark).stdout


def test_without_ssh_keygen_it_says_so_plainly(kit, tmp_path, mark):
    done = checked(kit, path=str(tmp_path))
    assert done.returncode == 0
    assert "the signature was not looked at: ssh-keygen is not on this machine" in done.stdout
    done = checked(kit, "--fingerprint", mark, path=str(tmp_path))
    assert done.returncode == 2 and "was not looked at" in done.stdout


def test_an_ssh_keygen_that_is_too_old_is_told_from_a_bad_signature(kit, tmp_path, mark):
    program = tmp_path / "ssh-keygen"
    program.write_text("#!/bin/sh\necho 'ssh-keygen: illegal option -- Y' >&2\nexit 1\n")
    program.chmod(0o755)
    done = checked(kit, "--fingerprint", mark, path=str(tmp_path))
    assert done.returncode == 2 and "older than OpenSSH 8.0" in done.stdout


def test_check_py_is_python_of_old_rescue_systems():
    ast.parse(kits.CHECK.read_text(), feature_version=(3, 6))


def test_of_many_that_make_the_key_at_once_one_wins(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "data"
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: signing.signer(), range(8)))
    assert len({one.public for one in found}) == 1
    assert [path.name for path in settings.DATA_DIR.iterdir()] == ["kit_key"]
    (settings.DATA_DIR / "kit_key" / "key.pub").write_text("ssh-rsa AAAA\n")
    with pytest.raises(CannotBackUp, match="no public key of kind ssh-ed25519"):
        signing.signer()


def test_where_openssh_is_missing_the_kit_is_not_signed_and_says_so(settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path
    monkeypatch.setenv("PATH", str(tmp_path))
    assert signing.signer() is None
    assert not (tmp_path / "kit_key").exists()
