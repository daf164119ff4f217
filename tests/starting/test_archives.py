"""An archive of a tree is unpacked where nothing escapes."""

from __future__ import annotations

import io
import tarfile
import zipfile

import pytest

from inventory.importers.archives import BadArchive, unpack


def tarred(files: dict[str, str], *links: tuple[str, str]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
        for name, target in links:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return out.getvalue()


def zipped(files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


TREE = {"inv/hosts.yml": "all: {}\n", "inv/group_vars/all.yml": "a: 1\n", "README.md": "x"}


@pytest.mark.parametrize("make", [tarred, zipped])
def test_the_root_is_where_the_hosts_file_is(make, tmp_path):
    root = unpack(make(TREE), tmp_path)
    assert root == tmp_path / "inv"
    assert (root / "group_vars/all.yml").read_text() == "a: 1\n"


@pytest.mark.parametrize("make", [tarred, zipped])
@pytest.mark.parametrize("name", ["../hosts.yml", "/etc/hosts.yml", "a/../../hosts.yml", "C:/hosts.yml"])
def test_a_path_that_leaves_the_archive_is_refused_by_name(make, name, tmp_path):
    with pytest.raises(BadArchive, match="points outside the archive"):
        unpack(make({name: "x"}), tmp_path / "in")
    assert not (tmp_path / "hosts.yml").exists()


def test_a_link_is_refused_by_name(tmp_path):
    with pytest.raises(BadArchive, match="“inv/group_vars” is a link"):
        unpack(tarred(TREE, ("inv/group_vars", "/etc")), tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", b"PK\x03\x04broken", tarred(TREE)[:40]],
    ids=["nothing", "text", "half a zip", "half a tar"],
)
def test_what_is_no_archive_is_said_to_be_none(content, tmp_path):
    with pytest.raises(BadArchive, match="no readable archive"):
        unpack(content, tmp_path)


def test_an_archive_without_a_hosts_file_says_what_is_missing(tmp_path):
    with pytest.raises(BadArchive, match="No hosts file was found"):
        unpack(zipped({"README.md": "x"}), tmp_path)


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("inventory.importers.archives.MOST_BYTES", 1000)
    with pytest.raises(BadArchive, match="holds more than"):
        unpack(tarred({"hosts.yml": "x" * 5000}), tmp_path)
