"""From a living application to an empty machine and back: the same facts, people, files and next identities."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from provisioning.backups import archive
from tests.scale import share
from tests.shared_data import REPOSITORY

PASSPHRASE = "a horse that is correct"
TOKEN_OF_A_NODE = "9d1f7f6e-planted-token-of-a-node"

pytestmark = pytest.mark.timeout(1200)

#: at so many moments it is killed
POINTS = share(20)


def manage(data_dir: Path, *words: str, given: str = "", code: int | None = 0, **variables: str) -> str:
    """What the command prints, in an environment that has nothing else; *code* None: however it ends."""
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=REPOSITORY,
        env=environment(data_dir, **variables),
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert code is None or done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def environment(data_dir: Path, **variables: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(data_dir), "DATA_DIR": str(data_dir), **variables}


@pytest.fixture(scope="module")
def living(tmp_path_factory) -> Path:
    """The data directory of an application with two sites, a person, a token of a node and fetched renderings."""
    data_dir = tmp_path_factory.mktemp("living")
    manage(data_dir, "migrate", "-v0")
    manage(data_dir, "demo")
    manage(data_dir, "ensure_admin", ADMIN_PASSWORD="correct horse battery")
    (data_dir / "tokens").mkdir(mode=0o700)
    (data_dir / "tokens" / "hv01").write_text(TOKEN_OF_A_NODE)
    return data_dir


@pytest.fixture(scope="module")
def backup(living) -> Path:
    manage(living, "backup", "create", BACKUP_PASSPHRASE=PASSPHRASE)
    (path,) = archive.archives(living / "backups")
    return path


@pytest.fixture(scope="module")
def restored(backup, tmp_path_factory) -> Path:
    data_dir = tmp_path_factory.mktemp("restored") / "data"
    said = manage(data_dir, "backup", "restore", str(backup), "--passphrase-stdin", given=PASSPHRASE)
    assert "Every export is what it was." in said
    return data_dir


def test_it_is_as_it_was_made(living, backup):
    assert "as it was made" in manage(living, "backup", "check")
    assert backup.name in manage(living, "backup", "list")


def test_every_export_is_the_same_byte_for_byte(living, restored, tmp_path):
    for format in ("site", "ansible", "kea", "bind", "ssh-config"):
        for data_dir in (living, restored):
            manage(
                data_dir,
                "export",
                format,
                "--site",
                "lab",
                "--output",
                str(tmp_path / f"{data_dir.name}-{format}"),
            )
        one, other = (content(tmp_path / f"{data_dir.name}-{format}") for data_dir in (living, restored))
        assert one and one == other, format


def content(place: Path) -> dict[str, bytes]:
    if place.is_file():
        return {"": place.read_bytes()}
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def test_the_next_identities_are_the_same(living, restored):
    for kind in ("address", "mac"):
        words = (
            "allocate",
            kind,
            "--site",
            "lab",
            "--host",
            "dash-vm01",
            "--interface",
            "eth7",
            "--dry-run",
            "--json",
        )
        words += ("--segment", "management") if kind == "address" else ()
        assert manage(living, *words) == manage(restored, *words)


def test_it_is_read_only_until_somebody_promotes_it(living, restored):
    words = ("allocate", "host", "--site", "lab", "--form", "pi")
    assert "manage.py promote lab" in manage(restored, *words, code=1)
    assert "lab  read-only  epoch 1" in manage(restored, "promote")
    assert "lab  live  epoch 1" in manage(living, "promote")


def test_keys_and_tokens_are_back_and_private(living, restored):
    for name in ("secret_key", "tokens/hv01"):
        assert (restored / name).read_bytes().strip() == (living / name).read_bytes().strip()
        assert (restored / name).stat().st_mode & 0o077 == 0


def test_nothing_secret_is_in_clear_in_the_archive(living, backup):
    raw = backup.read_bytes()
    with tarfile.open(backup) as tar:
        unpacked = b"".join(tar.extractfile(entry).read() for entry in tar if entry.isfile())
    for secret in (
        (living / "secret_key").read_bytes().strip(),
        TOKEN_OF_A_NODE.encode(),
        PASSPHRASE.encode(),
    ):
        assert secret not in raw and secret not in unpacked


def test_a_wrong_passphrase_restores_nothing(backup, tmp_path):
    said = manage(
        tmp_path / "data", "backup", "restore", str(backup), "--passphrase-stdin", given="wrong", code=1
    )
    assert "does not open what is sealed" in said
    said = manage(tmp_path / "data", "backup", "restore", str(backup), "--without-secrets")
    assert "Everybody signs in again" in said


def test_a_machine_that_is_not_empty_is_left_alone(living, backup):
    said = manage(living, "backup", "restore", str(backup), "--passphrase-stdin", given=PASSPHRASE, code=1)
    assert "has sites already (lab, mobile)" in said


def test_a_damaged_archive_is_named_and_not_restored(backup, tmp_path):
    damaged = tmp_path / backup.name
    raw = backup.read_bytes()
    damaged.write_bytes(raw[:-9000] + bytes([raw[-9000] ^ 1]) + raw[-8999:])
    said = manage(tmp_path / "data", "backup", "check", str(damaged), code=1)
    assert "its SHA-256 is not the one in its name" in said
    manage(tmp_path / "data", "backup", "restore", str(damaged), "--without-secrets", code=1)


def test_a_site_can_be_had_from_its_document_alone(living, backup, tmp_path):
    """Every export in every mode, the document itself among them, and everything that would be handed out next."""
    with tarfile.open(backup) as tar:
        for slug in ("lab", "mobile"):
            (tmp_path / f"{slug}.yml").write_bytes(tar.extractfile(f"sites/{slug}.yml").read())
    data_dir = tmp_path / "data"
    manage(data_dir, "migrate", "-v0")
    for slug in ("lab", "mobile"):
        manage(data_dir, "declare", str(tmp_path / f"{slug}.yml"), "--apply")
    at = ("--at", archive.made_at(backup).isoformat())
    lost, declared = (json.loads(manage(place, "backup", "measure", *at)) for place in (living, data_dir))
    for slug in ("lab", "mobile"):
        for what in ("exports", "next"):
            assert lost["sites"][slug][what] and lost["sites"][slug][what] == declared["sites"][slug][what]
    assert manage(data_dir, "export", "site", "--site", "lab") == (tmp_path / "lab.yml").read_text()


def killed_after(seconds: float, data_dir: Path, *words: str, **variables: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "manage.py", *words],
        cwd=REPOSITORY,
        env=environment(data_dir, **variables),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    process.stdin.write(PASSPHRASE.encode() + b"\n")
    process.stdin.close()
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.slow
def test_killed_at_twenty_points_there_is_never_half_an_archive(living, backup, tmp_path):
    place = tmp_path / "backups"
    place.mkdir()
    took = _seconds_of(
        lambda: manage(living, "backup", "create", "--to", str(place), BACKUP_PASSPHRASE=PASSPHRASE)
    )
    for point in range(POINTS):
        killed_after(
            took * (point + 1) / (POINTS + 1),
            living,
            "backup",
            "create",
            "--to",
            str(place),
            BACKUP_PASSPHRASE=PASSPHRASE,
        )
        assert all(archive.check(path) == [] for path in archive.archives(place))
    manage(living, "backup", "create", "--to", str(place), BACKUP_PASSPHRASE=PASSPHRASE)
    assert not list(place.glob(f"{archive.DRAFT}*"))


@pytest.mark.slow
def test_a_restore_killed_at_twenty_points_is_begun_again_and_converges(backup, tmp_path):
    words = ("backup", "restore", str(backup), "--passphrase-stdin")
    took = _seconds_of(lambda: manage(tmp_path / "first", *words, given=PASSPHRASE))
    for point in range(POINTS):
        data_dir = tmp_path / str(point)
        killed_after(took * (point + 1) / (POINTS + 1), data_dir, *words)
        said = manage(data_dir, *words, given=PASSPHRASE, code=None)
        whole = re.search("Every export is what it was|has sites already", said)
        assert whole, f"point {point}: {said}"
        manage(data_dir, "migrate", "-v0")
        assert manage(data_dir, "export", "ansible", "--site", "lab") == manage(
            tmp_path / "first", "export", "ansible", "--site", "lab"
        )


def _seconds_of(act) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began
