"""The client of routers with formats of several files: a directory, switched as a whole."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from inventory.serving.archives import gzipped, tarred
from tests.clients.misbehaving import Server, site_of
from tests.clients.router import Router, every_shell, modes
from tests.clients.router import server as server
from tests.components import SEARCH_PATH, find_program


def zones(**files: bytes) -> bytes:
    return gzipped(tarred({name.replace("_", "."): body for name, body in files.items()}))


@every_shell
def test_a_directory_is_switched_as_a_whole(server: Server, tmp_path: Path, shell: str) -> None:
    target = tmp_path / "etc" / "zones"
    router = Router(
        tmp_path,
        server.url,
        shell,
        FORMAT="bind",
        TARGET=str(target),
        CHECK='if grep -r unreadable "$1"; then exit 1; fi',
        RELOAD=f'if grep -r explosive "$1"; then exit 1; fi; rm -rf {tmp_path}/running; cp -rL "$1" {tmp_path}/running',
    )

    def running() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in router.running.iterdir()}

    good = {"named.conf": b"one\n", "db.lab": b"one\n"}
    server.answer = site_of(zones(named_conf=b"one\n", db_lab=b"one\n"), 1)
    ran = router.run()
    assert ran.status == 0, ran.said
    assert target.is_symlink() and running() == good
    assert modes(target / "db.lab")[0] == 0o644
    for words in (b"unreadable\n", b"explosive\n"):
        server.answer = site_of(zones(named_conf=words), 2)
        assert router.run().status == 1
        assert running() == good and (target / "db.lab").read_bytes() == b"one\n"
    server.answer = site_of(zones(named_conf=b"two\n"), 3)
    assert router.run().status == 0
    assert running() == {"named.conf": b"two\n"}, "what is gone is gone"
    assert router.run("--rollback").status == 0
    assert running() == good
    server.answer = site_of(zones(named_conf=b"three\n"), 4)
    assert router.run().status == 0
    assert len([*(tmp_path / "etc" / ".zones.mgmtplane").iterdir()]) == 2, "this one and the one before"
    assert router.leftovers() == []


@pytest.mark.parametrize("tar", ["tar", "busybox"])
def test_an_archive_does_not_write_outside_its_directory(server: Server, tmp_path: Path, tar: str) -> None:
    path = f"{tmp_path / 'bin'}:{SEARCH_PATH}"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "tar").symlink_to(str(find_program(tar)))
    secret = tmp_path / "secret"
    secret.touch()
    router = Router(tmp_path, server.url, FORMAT="bind", TARGET=str(tmp_path / "etc" / "zones"), CHECK="none")
    for name, kind, link in (
        ("../outside", tarfile.REGTYPE, ""),
        (str(tmp_path / "outside"), tarfile.REGTYPE, ""),
        ("inside", tarfile.SYMTYPE, "/etc/passwd"),
        ("inside", tarfile.LNKTYPE, "../outside"),
        ("inside", tarfile.LNKTYPE, str(secret)),
    ):
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as file:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, link
            file.addfile(entry)
        server.answer = site_of(archive.getvalue(), 2)
        ran = router.run(path=path)
        assert ran.status == 1 and "outside itself" in ran.said, ran.said
    server.answer = site_of(zones(), 2)
    ran = router.run(path=path)
    assert ran.status == 75 and "has no files" in ran.said
    assert secret.stat().st_nlink == 1
    assert not (tmp_path / "outside").exists() and not (tmp_path / "etc" / "outside").exists()
    (tmp_path / "etc" / "zones").mkdir()
    (tmp_path / "etc" / "zones" / "mine").touch()
    server.answer = site_of(zones(named_conf=b"one\n"), 3)
    ran = router.run(path=path)
    assert ran.status == 64 and "move it away" in ran.said
