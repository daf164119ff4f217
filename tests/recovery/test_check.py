"""What check.py says of what is no kit at all, and of what no kit has."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from inventory.recovery.kit import CHECK
from provisioning.kits import building, checking
from tests.recovery.conftest import checked


def test_a_file_that_is_no_archive_is_said_to_be_no_kit(tmp_path):
    (tmp_path / "index.html").write_text("<html>")
    done = checked(tmp_path / "index.html")
    assert (done.returncode, done.stderr) == (1, "")
    (said,) = done.stdout.splitlines()
    assert said.startswith("index.html is no kit: neither a directory nor a .tar.gz (")


def asked(*words: str | bytes, program: Path = CHECK, **variables: str) -> subprocess.CompletedProcess:
    """check.py with nothing but *variables* in its environment; whoever opens a FIFO hangs, and is ended."""
    return subprocess.run(
        [sys.executable, "-S", str(program), *words],
        capture_output=True,
        check=False,
        env={"PATH": os.defpath, **variables},
        timeout=30,
    )


@pytest.fixture
def small(tmp_path) -> Path:
    """A kit of one file."""
    folder = tmp_path / "kits" / "lab"
    folder.mkdir(parents=True)
    (folder / "index.html").write_text("<html>")
    building._summed(folder, None)
    assert asked(str(folder)).stdout == b"every file is as it was written\nnobody signed it\n"
    return folder


def test_a_name_moves_no_cursor(small):
    (small / "a\x1b[2J\nevery file is as it was written").write_text("")
    done = asked(str(small))
    assert done.returncode == 1 and b"\x1b" not in done.stdout
    assert rb"a\x1b[2J\x0aevery file is as it was written: does not belong to the kit" in done.stdout


@pytest.mark.parametrize("encoding", ["utf-8:strict", "ascii:strict"])
def test_a_name_that_is_no_utf_8_is_named(small, encoding):
    Path(os.fsdecode(bytes(small) + b"/caf\xe9.txt")).write_text("")
    done = asked(str(small), PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.splitlines()[0] == rb"caf\xe9.txt: does not belong to the kit"


def test_the_help_is_printed_where_the_locale_has_ascii_alone(small):
    plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = asked("--help", **plain)
    assert done.returncode == 0 and b"--fingerprint" in done.stdout, done.stderr
    assert done.stdout.isascii()
    assert asked(str(small / "café"), **plain).returncode == 1


def test_what_is_neither_file_nor_directory_is_named_and_never_opened(small):
    os.mkfifo(small / "pipe")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(os.path.relpath(small / "socket"))
    (small / "index.html").unlink()
    os.mkfifo(small / "index.html")
    done = asked(str(small))
    assert (done.returncode, done.stderr) == (1, b"")
    assert sorted(done.stdout.decode().splitlines()[:-1]) == [
        "index.html: is neither a file nor a directory; a kit has nothing else",
        "pipe: is neither a file nor a directory; a kit has nothing else",
        "socket: is neither a file nor a directory; a kit has nothing else",
    ]


@pytest.mark.parametrize("name", ["SHA256SUMS", "SHA256SUMS.sha256", "SHA256SUMS.sig", "allowed_signers"])
def test_not_even_in_the_place_of_the_sums_or_the_signature(small, name):
    (small / name).unlink(missing_ok=True)
    os.mkfifo(small / name)
    done = asked(str(small))
    assert (done.returncode, done.stderr) == (1, b"")
    assert name.encode() in done.stdout


def test_a_link_that_leads_out_of_the_kit_is_named_and_not_followed(small, tmp_path):
    os.mkfifo(tmp_path / "outside")
    (small / "SHA256SUMS").unlink()
    (small / "SHA256SUMS").symlink_to(tmp_path / "outside")
    done = asked(str(small))
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.decode().splitlines()[0].startswith("SHA256SUMS: the sums cannot be read: ")
    assert "is a link" in done.stdout.decode()


def test_a_pipe_is_no_kit_and_none_beside_an_archive_is_opened(small, tmp_path):
    os.mkfifo(tmp_path / "kit.tar.gz")
    done = asked(str(tmp_path / "kit.tar.gz"))
    assert (done.returncode, done.stdout) == (
        1,
        b"kit.tar.gz is no kit: neither a directory nor a .tar.gz (kit.tar.gz is no file)\n",
    )
    (tmp_path / "kit.tar.gz").unlink()
    with tarfile.open(tmp_path / "kit.tar.gz", "w:gz") as tar:
        tar.add(small, "lab")
    os.mkfifo(tmp_path / "kit.tar.gz.sha256")
    done = asked(str(tmp_path / "kit.tar.gz"))
    assert (
        done.returncode == 1
        and b"kit.tar.gz.sha256: cannot be read (kit.tar.gz.sha256 is no file)" in done.stdout
    )


def test_a_signed_kit_without_its_sums_is_no_traceback(kit, tmp_path):
    shutil.copytree(kit, tmp_path / "kit")
    (tmp_path / "kit" / "SHA256SUMS").unlink()
    done = asked(str(tmp_path / "kit"))
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"the signature was not looked at: SHA256SUMS cannot be read" in done.stdout


def test_of_a_directory_with_kits_the_kits_are_named(small):
    (small.parent / "lab.tar.gz").write_text("")
    (small.parent / "lab.tar.gz.sha256").write_text("")
    (small.parent / "other.tar.gz").write_text("")
    (small.parent / "notes").mkdir()
    done = asked(str(small.parent))
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.decode() == (
        f"{small.parent} is no kit: SHA256SUMS is not in it. Kits lie in it; name one: {small}, {small}.tar.gz\n"
    )
    assert checking.damage(small.parent) == done.stdout.decode().rstrip(), "the command says the same"


def test_of_a_directory_without_any_kit_that_is_said(small):
    (small.parent / "notes").mkdir()
    done = asked(str(small.parent / "notes"))
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.decode() == (
        f"{small.parent}/notes is no kit: SHA256SUMS is not in it, and there is no kit in it. Name the directory or the "
        ".tar.gz of a kit\n"
    )
