"""A bit flipped anywhere in a kit or in its archive is found, and what it is in is named."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from inventory.recovery.kit import CHECK
from tests.recovery.conftest import checked
from tests.scale import share

pytestmark = pytest.mark.timeout(600)

#: so many files of a kit, and offsets of its archive; the slow lane looks at all and many
FEW, MANY = 12, share(200)


def flip(path: Path, at: int, bit: int) -> bytes:
    before = path.read_bytes()
    path.write_bytes(before[:at] + bytes([before[at] ^ (1 << bit)]) + before[at + 1 :])
    return before


def places(path: Path, dice: random.Random) -> list[int]:
    """First and last byte, and one between."""
    size = path.stat().st_size
    return sorted({0, size - 1, dice.randrange(size)}) if size else []


def found_in(copy: Path, files: list[Path], dice: random.Random) -> None:
    for path in files:
        name = path.relative_to(copy).as_posix()
        for at in places(path, dice):
            bit = dice.randrange(8)
            before = flip(path, at, bit)
            # by ours: what came with the kit may be what is damaged
            done = checked(copy, program=CHECK)
            path.write_bytes(before)
            assert done.returncode == 1, (name, at, bit, done.stdout, done.stderr)
            assert name in done.stdout, (name, at, bit, done.stdout)
            assert "Traceback" not in done.stderr


@pytest.fixture
def copy(kit, tmp_path) -> Path:
    shutil.copytree(kit, tmp_path / "kit")
    return tmp_path / "kit"


def special(copy: Path) -> list[Path]:
    names = ("SHA256SUMS", "SHA256SUMS.sha256", "SHA256SUMS.sig", "allowed_signers", "check.py", "site.yml")
    return [copy / name for name in names]


def test_in_a_file(copy):
    dice = random.Random(7)
    files = sorted(path for path in copy.rglob("*") if path.is_file() and path.stat().st_size < 1 << 20)
    found_in(copy, [*special(copy), *dice.sample(files, FEW)], dice)
    assert checked(copy).returncode == 0


@pytest.mark.slow
def test_in_every_file(copy):
    dice = random.Random(share(1000))
    found_in(copy, sorted(path for path in copy.rglob("*") if path.is_file()), dice)


def flipped_archives(kit, tmp_path, number: int) -> None:
    copy, dice = tmp_path / "lab.tar.gz", random.Random(number)
    shutil.copyfile(f"{kit}.tar.gz", copy)
    shutil.copyfile(f"{kit}.tar.gz.sha256", f"{copy}.sha256")
    assert checked(copy).returncode == 0, checked(copy).stdout
    size = copy.stat().st_size
    for at in [0, 4, 9, size - 1, size - 9, *(dice.randrange(size) for _ in range(number))]:
        before = flip(copy, at, bit := dice.randrange(8))
        done = checked(copy)
        copy.write_bytes(before)
        assert done.returncode == 1 and "lab.tar.gz: damaged" in done.stdout, (at, bit, done.stdout)
        assert done.stderr == "", (at, bit)
    sums = Path(f"{copy}.sha256")
    for at in range(sums.stat().st_size):
        before = flip(sums, at, at % 8)
        done = checked(copy)
        sums.write_bytes(before)
        assert done.returncode == 1 and "lab.tar.gz" in done.stdout, at
    sums.unlink()
    assert "lab.tar.gz.sha256: cannot be read" in checked(copy).stdout


def test_in_the_archive(kit, tmp_path):
    flipped_archives(kit, tmp_path, 4)


@pytest.mark.slow
def test_in_the_archive_at_many_places(kit, tmp_path):
    flipped_archives(kit, tmp_path, MANY)


def test_what_is_too_many_missing_or_a_link_is_named(copy):
    (copy / "strange.txt").write_text("")
    (copy / "hosts.html").unlink()
    (copy / "ports.html").rename(copy.parent / "ports.html")
    (copy / "ports.html").symlink_to(copy.parent / "ports.html")
    assert sorted(checked(copy).stdout.splitlines()[:-1]) == [
        "hosts.html: missing",
        "ports.html: is a link; a kit has none",
        "strange.txt: does not belong to the kit",
    ]
