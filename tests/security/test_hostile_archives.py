"""Archives that are made to fill memory, time or the disk, or to write elsewhere: refused in words, and soon."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import resource
import struct
import tarfile
import time
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from inventory.importers.archives import BadArchive, unpack
from inventory.models import Site
from tests.access.two_sites import person, signed_in

TREE = b"all: {hosts: {pi01: {}}}\n"
SECONDS, MEGABYTES = 20, 700
MUCH = 2_000  # megabytes


def tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for member, content in members:
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, link: str = "") -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.size, found.linkname = kind, size, link
    return found


HOSTS = (member("hosts.yml", size=len(TREE)), TREE)


def zipped(*names: str, content: bytes = TREE, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name in names:
            archive.writestr(name, content)
    return out.getvalue()


def padded(info: tarfile.TarInfo, behind: bytes = b"") -> bytes:
    """A tar, packed by gzip, whose first member says that it is MUCH, and is; then *behind*."""
    info.size = MUCH << 20
    zeros = gzip.compress(bytes(1 << 20))
    return gzip.compress(info.tobuf(tarfile.GNU_FORMAT)) + zeros * MUCH + gzip.compress(behind)


def overlapping(count: int) -> bytes:
    """A zip whose many entries are all one and the same compressed data."""
    plain = zipped("hosts.yml", content=bytes(8 << 20))
    with zipfile.ZipFile(io.BytesIO(plain)) as archive:
        start = archive.start_dir
    entry = plain[start : plain.index(b"PK\x05\x06")]
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(entry) * count, start, 0)
    return plain[:start] + entry * count + end


def zip_link() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        entry = zipfile.ZipInfo("group_vars")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc")
        archive.writestr("hosts.yml", TREE)
    return out.getvalue()


REFUSED = {
    "a soft link": (lambda: tar(HOSTS, (member("group_vars", tarfile.SYMTYPE, link="/etc"), b"")), "is a link"),
    "a hard link": (lambda: tar(HOSTS, (member("a.yml", tarfile.LNKTYPE, link="/etc/passwd"), b"")), "is a link"),
    "a soft link in a zip": (zip_link, "is a link"),
    "a character device": (lambda: tar(HOSTS, (member("hosts.yml", tarfile.CHRTYPE), b"")), "is a device"),
    "a block device": (lambda: tar(HOSTS, (member("sda", tarfile.BLKTYPE), b"")), "is a device"),
    "a pipe": (lambda: tar(HOSTS, (member("host_vars/pi01", tarfile.FIFOTYPE), b"")), "is a device or a pipe"),
    "an absolute path": (lambda: zipped("/etc/cron.d/x"), "points outside"),
    "a way up": (lambda: zipped("a/../../hosts.yml"), "points outside"),
    "a way up for Windows": (lambda: zipped("..\\..\\hosts.yml"), "points outside"),
    "no end of directories": (lambda: zipped("hosts.yml", "a/" * 1500 + "b.yml"), "below more than 50 directories"),
    "a name that is no UTF-8": (lambda: tar((member("host_vars/\udcff.yml"), b"")), "not printable text in UTF-8"),
    "a name without an end": (lambda: zipped("x" * 60_000), "too long"),
    "a packing that is not read": (lambda: zipped("hosts.yml", method=zipfile.ZIP_LZMA), "in a way that is not read"),
    "bzip2": (lambda: bz2.compress(tar(HOSTS)), "no readable archive"),
    "xz": (lambda: lzma.compress(tar(HOSTS)), "no readable archive"),
    "a header without an end": (lambda: padded(member("././@LongLink", tarfile.GNUTYPE_LONGNAME)), "holds more than"),
    "a file without an end": (lambda: padded(member("hosts.yml")), "holds more than"),
    "a file without an end that is passed over": (lambda: padded(member(".git/x"), tar(HOSTS)), "holds more than"),
    "one file many times over": (lambda: overlapping(3000), "(holds more than|no readable archive)"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_it_is_refused_in_words_and_soon(make, said, tmp_path):
    content = make()
    began, memory = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadArchive, match=said) as refusal:
        unpack(content, tmp_path / "in")
    str(refusal.value).encode()  # a page can show it
    assert time.monotonic() - began < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < MEGABYTES << 10
    assert [path.name for path in tmp_path.iterdir()] in ([], ["in"])


def test_what_is_no_part_of_an_inventory_is_not_even_unpacked(tmp_path):
    """Such as .git, whose entries could unpack for hours: here one that cannot be."""
    plain = zipped("hosts.yml", ".git/x", method=zipfile.ZIP_STORED)
    broken = plain[: plain.rindex(TREE)] + b"X" * len(TREE) + plain[plain.rindex(TREE) + len(TREE) :]
    assert unpack(broken, tmp_path) == tmp_path
    with pytest.raises(BadArchive, match="no readable archive"):
        unpack(broken.replace(b".git/x", b"git0/x"), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["hosts.yml"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: gzip.compress(tar(HOSTS)),
        lambda: tar(HOSTS),
        lambda: zipped("hosts.yml", "group_vars/all.yml"),
    ],
    ids=["gz", "tar", "zip"],
)
def test_a_damaged_archive_is_read_or_refused_and_never_fails(make, tmp_path):
    """Bytes turned over and cut off, the same ones each time."""
    content, dice = make(), random.Random(20)
    for n in range(400):
        broken = bytearray(content)
        for _ in range(dice.choice((1, 1, 3))):
            broken[dice.randrange(len(broken))] = dice.randrange(256)
        if n % 4 == 0:
            del broken[dice.randrange(len(broken)) :]
        try:
            unpack(bytes(broken), tmp_path / str(n))
        except BadArchive as refusal:
            str(refusal).encode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", ["a soft link", "a name that is no UTF-8", "no end of directories", "a header without an end"]
)
def test_the_page_says_so_and_stores_nothing(name):
    make, said = REFUSED[name]
    archive = SimpleUploadedFile('"><img src=x onerror=alert(1)>.tgz', make())
    answer = signed_in(person("root", is_superuser=True)).post(
        "/admin/import/ansible/", {"site": "lab", "archive": archive}
    )
    assert answer.status_code == 200 and said in str(answer.context["form"].errors["archive"])
    assert b"<img src=x" not in answer.content and not Site.objects.exists()
