"""What was rendered is kept, found again, mended and tidied."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.utils import timezone

from inventory.changes import change
from inventory.door import bulk_allowed
from inventory.exports import registry
from inventory.models import Host, Identity, Rendering, Site
from inventory.serving import contents, renderings
from inventory.serving.archives import gzipped, tarred
from provisioning import requests, runner
from tests.serving.conftest import AddHost

pytestmark = pytest.mark.django_db


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*/*") if path.is_file())


def test_the_content_lies_compressed_and_private(site: Site, renderings_dir: Path) -> None:
    served = renderings.rendering("lab", "list")
    (path,) = _files(renderings_dir)
    assert gzip.decompress(path.read_bytes()) == served.body
    assert path.stat().st_mode & 0o777 == 0o600
    assert [folder.stat().st_mode & 0o777 for folder in (path.parent, renderings_dir)] == [0o700, 0o700]
    row = Rendering.objects.get()
    assert (row.format, row.variant, row.revision, row.size) == ("list", "", 1, len(served.body))
    assert path.name == f"{row.sha256}.gz"
    assert served.etag == f'"1-e1-{row.sha256[:20]}"'


def test_the_same_content_lies_there_once(site: Site, renderings_dir: Path, add_host: AddHost) -> None:
    renderings.rendering("lab", "list")
    add_host("gone", status="retired")
    renderings.rendering("lab", "list")
    assert Rendering.objects.count() == 2
    assert len(_files(renderings_dir)) == 1


@pytest.mark.parametrize("format", ["list", "pages"])
@pytest.mark.parametrize("harm", ["missing", "cut", "other", "unreadable"])
def test_what_is_lost_is_rendered_again(site: Site, renderings_dir: Path, format: str, harm: str) -> None:
    first = renderings.rendering("lab", format)
    (path,) = _files(renderings_dir)
    if harm == "missing":
        path.unlink()
    elif harm == "cut":
        path.write_bytes(path.read_bytes()[:-9])
    elif harm == "other":
        path.write_bytes(gzipped(b"somebody else's"))
    else:
        path.unlink()
        path.mkdir()
    assert renderings.rendering("lab", format) == first
    assert Rendering.objects.count() == 1
    if harm != "unreadable":
        assert contents.read(Rendering.objects.get().sha256)


def test_a_full_disk_serves_all_the_same(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_: bytes) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(contents, "write", full)
    assert renderings.rendering("lab", "list").body == b"alpha\nbeta\n"
    assert "No space left" in caplog.text


def test_inside_a_change_nothing_is_kept_that_may_yet_move(site: Site) -> None:
    with change(site, why="two steps"):
        Host(site=site, name="gamma").save()
        assert renderings.rendering("lab", "list").body == b"alpha\nbeta\ngamma\n"
        Host(site=site, name="delta").save()
        assert renderings.rendering("lab", "list").body == b"alpha\nbeta\ndelta\ngamma\n"
    assert renderings.rendering("lab", "list").body == b"alpha\nbeta\ndelta\ngamma\n"


@pytest.mark.django_db(transaction=True)
def test_a_newer_version_of_this_application_corrects_what_an_older_one_kept(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = renderings.rendering("lab", "list")
    renderings.forget()  # the process ends
    assert renderings.rendering("lab", "list") == old, "the same version"
    export = registry.get_export("list")
    mended = replace(export, render=lambda *_: registry.Document({"list.txt": b"mended\n"}))
    monkeypatch.setattr(renderings, "get_export", lambda _: mended)
    renderings.forget()
    new = renderings.rendering("lab", "list")
    assert (new.body, new.revision) == (b"mended\n", old.revision)
    assert new.etag != old.etag
    assert new.created > old.created
    assert Rendering.objects.get().sha256 == contents.name_of(b"mended\n")
    assert renderings.rendering("lab", "list") == new


@pytest.mark.django_db(transaction=True)
def test_what_another_process_rendered_of_a_newer_revision_is_taken(
    site: Site, add_host: AddHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    renderings.rendering("lab", "list")
    before = dict(renderings._remembered)
    add_host("gamma")
    there = renderings.rendering("lab", "list")
    renderings._remembered.update(before)  # as the process that did not render it
    monkeypatch.setattr(renderings, "_render", None)
    assert renderings.rendering("lab", "list") == there


@pytest.mark.django_db(transaction=True)
def test_what_was_rolled_back_is_not_remembered(site: Site) -> None:
    renderings.rendering("lab", "list")
    with transaction.atomic():
        with change(site, why="never happened"):
            Host(site=site, name="ghost").save()
        assert b"ghost" in renderings.rendering("lab", "list").body
        transaction.set_rollback(True)
    site.refresh_from_db()
    with change(site, why="this did"):
        Host(site=site, name="gamma").save()
    served = renderings.rendering("lab", "list")
    assert (served.revision, served.body) == (2, b"alpha\nbeta\ngamma\n")


@pytest.mark.django_db(transaction=True)
def test_many_at_once_render_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    write = contents.write

    def write_slowly(content: bytes) -> str:
        made.append(content)
        time.sleep(0.2)
        return write(content)

    monkeypatch.setattr(contents, "write", write_slowly)
    got: list[bytes] = []

    def ask() -> None:
        try:
            got.append(renderings.rendering("lab", "list").body)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [b"alpha\nbeta\n"] * 6
    assert len(made) == 1
    assert Rendering.objects.count() == 1


def test_archives_are_the_same_bytes_whatever_the_order() -> None:
    files = {"b.txt": b"2", "a/c.txt": b"1", "ü" * 120 + ".txt": b"3"}
    backwards = dict(reversed(list(files.items())))
    assert tarred(files) == tarred(backwards)
    packed = gzipped(b"x" * 1000)
    assert packed[:10] == b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    assert gzip.decompress(packed) == b"x" * 1000


def test_archives_are_the_same_bytes_whatever_the_hash_seed() -> None:
    program = (
        "from inventory.serving.archives import gzipped, tarred;"
        "print(gzipped(tarred({name: name.encode() for name in {'a', 'b/c', 'd', 'e/f'}})).hex())"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(seen) == 1


# --- tidying up ---


def _row(site: Site, revision: int, age: timedelta, *, fetched: bool = False, format: str = "list") -> str:
    content = f"{format} {revision}".encode()
    now = timezone.now()
    Rendering.objects.create(
        site=site,
        format=format,
        revision=revision,
        sha256=contents.write(content),
        size=len(content),
        created=now - age,
        fetched=now if fetched else None,
    )
    return contents.name_of(content)


def _age_files(folder: Path, seconds: float) -> None:
    for path in _files(folder):
        os.utime(path, (time.time() - seconds, time.time() - seconds))


def test_pruning_keeps_the_newest_the_fetched_and_one_a_day(site: Site, renderings_dir: Path) -> None:
    day = timedelta(days=1)
    noon = timezone.now().replace(hour=12, minute=0)
    _row(site, 1, 400 * day)
    _row(site, 2, 400 * day, fetched=True)
    _row(site, 3, 10 * day)
    _row(site, 4, 10 * day)
    _row(site, 5, 5 * day)
    _row(site, 1, 400 * day, format="pages")
    Rendering.objects.filter(revision__in=(3, 4)).update(created=noon - 10 * day)
    _age_files(renderings_dir, 7200)
    assert renderings.prune() == (2, 2)
    left = sorted(Rendering.objects.values_list("format", "revision"))
    assert left == [("list", 2), ("list", 4), ("list", 5), ("pages", 1)]
    assert len(_files(renderings_dir)) == 4
    assert renderings.prune() == (0, 0)


def test_pruning_leaves_young_files_and_shared_ones(site: Site, renderings_dir: Path) -> None:
    served = renderings.rendering("lab", "list")
    contents.write(b"about to get its index row")
    assert renderings.prune() == (0, 0)
    (renderings_dir / "zz").mkdir()
    (renderings_dir / "zz" / ".draft.1").write_bytes(b"a writer died")
    _age_files(renderings_dir, 7200)
    assert renderings.prune() == (0, 2)
    assert renderings.rendering("lab", "list") == served


def housekeeping() -> None:
    runner.run(requests.request("housekeeping", by="test", why="to tidy up").pk)


def test_housekeeping_prunes_and_ends_quarantines(
    site: Site, renderings_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with change(site, why="retire"):
        alpha = Host.objects.get(name="alpha")
        alpha.status = "retired"
        alpha.save()
    with bulk_allowed():
        Identity.objects.filter(state="quarantined").update(until=timezone.now() - timedelta(days=1))
    contents.write(b"nobody's")
    _age_files(renderings_dir, 7200)
    caplog.set_level("INFO")
    housekeeping()
    assert "removed 0 renderings and 1 files" in caplog.text
    assert "ended the quarantine of 1 identities" in caplog.text
    site.refresh_from_db()
    assert site.revision == 3, "an ended quarantine is a change that the site document shows"
    housekeeping()
    site.refresh_from_db()
    assert site.revision == 3
