"""Undo of many changes at once, and what its preview tells."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inventory import reading
from inventory.changes import change
from inventory.models import (
    Change,
    Consumer,
    Host,
    Interface,
    Rendering,
    Role,
    Site,
)
from inventory.undoing import undo as undo_module
from inventory.undoing.undo import Moved, of_request, preview, since, undo
from tests.undoing.conftest import latest, undone
from tests.undoing.words import document, pi01

pytestmark = pytest.mark.django_db


# --- many changes at once ---


def test_everything_since_a_revision_is_one_new_change(site):
    before, revision = document(), site.revision
    row = pi01()
    for notes in ("one", "two"):
        with change(site, by="bob"):
            row.notes = notes
            row.save()
    with change(site, by="bob"):
        Interface.objects.get().delete()
        row.delete()
    with change(site, by="eve"):
        Host(site=site, name="pi02", form="ph").save()
    record = undone(*since(site, revision))
    assert document() == before
    assert record.revision == revision + 5
    assert record.why == "Undo of revisions 3 to 6: a mistake"


def test_all_changes_of_one_request_go_together(site):
    other = Site(slug="home")
    with change(other):
        pass
    with change(site, other, by="bob", why="both"):
        Role(site=site, slug="dns").save()
        Role(site=other, slug="dns").save()
    found = of_request(Change.objects.get(site=other, revision=2))
    assert {(one.site_slug, one.revision) for one in found} == {("home", 2), ("lab", 3)}
    made = undo(found, by="ada", why="neither")
    assert len(made) == 2 and made[0].batch == made[1].batch
    assert list(Role.objects.values_list("slug", flat=True)) == ["web"]


# --- the preview ---


def test_the_preview_writes_nothing_and_says_what_would_change(site):
    row = Interface.objects.get()
    with change(site, by="bob"):
        row.ipv4 = "192.0.2.1"
        row.save()
    rows, revision = Change.objects.count(), Site.objects.get().revision
    found = preview(site, [latest()])
    assert found.is_possible and found.rendered
    (edit,) = found.plan.edits
    assert edit.columns == {"ipv4": ("192.0.2.1", "192.0.2.10")}
    assert {one.format for one in found.effects} >= {"kea", "hosts", "csv"}
    assert any("192.0.2.1" in one.message for one in found.settled_findings)
    assert (Change.objects.count(), Site.objects.get().revision) == (rows, revision)
    assert reading.load("lab").revision == revision
    row.refresh_from_db()
    assert row.ipv4 == "192.0.2.1"


def test_at_a_large_site_the_preview_reads_the_site_behind_the_lock_only_when_asked(site, monkeypatch):
    row = pi01()
    with change(site, by="bob"):
        row.notes = "one"
        row.save()
    monkeypatch.setattr(undo_module, "JUDGED_HOSTS", 1)
    found = preview(site, [latest()])
    assert found.is_possible and found.tried and not (found.judged or found.rendered)
    found = preview(site, [latest()], tried=True)
    assert found.judged


def test_a_large_undo_is_tried_only_when_asked(site, monkeypatch):
    row = pi01()
    with change(site, by="bob"):
        row.notes = "one"
        row.save()
    monkeypatch.setattr(undo_module, "TRIED_ROWS", 0)
    with CaptureQueriesContext(connection) as seen:
        found = preview(site, [latest()])
    assert found.is_possible and not (found.tried or found.judged)
    assert not [one["sql"] for one in seen if one["sql"].startswith(("BEGIN", "UPDATE", "INSERT"))]
    assert preview(site, [latest()], tried=True).judged


def test_undo_does_what_was_shown_or_nothing(site):
    row = pi01()
    with change(site, by="bob"):
        row.notes = "one"
        row.platform = "Pi 5"
        row.save()
    first = latest()
    shown = {site.pk: preview(site, [first]).fingerprint}
    with change(site, by="eve"):
        row.platform = ""
        row.save()
    with pytest.raises(Moved):
        undo([first], by="ada", why="x", expected=shown)
    shown = {site.pk: preview(site, [first]).fingerprint}
    with change(site, by="eve"):
        Role(site=site, slug="unrelated").save()
    undo([first], by="ada", why="x", expected=shown)
    assert pi01().notes == ""


def test_the_preview_names_who_has_read_the_revisions_since(site):
    with change(site, by="bob"):
        Role(site=site, slug="dns").save()
    first = latest()

    def consumer(name: str, etag: str, **more: Any) -> None:
        Consumer.objects.create(site=site, format="kea", name=name, fetched_etag=etag, **more)

    old, new = "a" * 64, "b" * 64
    for revision, sha in ((2, old), (3, new)):
        Rendering.objects.create(site=site, format="kea", revision=revision, sha256=sha, size=1)
    taken = f'"3-{new[:20]}"'
    consumer("router01", taken, fetched_revision=3, applied_etag=taken, applied_revision=3, ok=True)
    consumer("router02", taken, fetched_revision=3)
    consumer("router03", f'"2-{old[:20]}"', fetched_revision=2)
    consumer("router04", f'"4-{old[:20]}"', fetched_revision=4)
    assert [str(one) for one in preview(site, [first]).readers] == [
        "kea on router01 applied revision 3",
        "kea on router02 fetched revision 3",
    ]


def test_a_reader_is_judged_by_what_it_has_and_a_failed_report_is_no_application(site):
    with change(site, by="bob"):
        Role(site=site, slug="dns").save()
    first = latest()
    old, new = "a" * 64, "b" * 64
    for revision, sha in ((2, old), (3, new)):
        Rendering.objects.create(site=site, format="kea", revision=revision, sha256=sha, size=1)

    def consumer(name: str, **more: Any) -> None:
        Consumer.objects.create(site=site, format="kea", name=name, **more)

    taken, same = f'"4-{new[:20]}"', f'"3-{old[:20]}"'
    consumer(
        "router01", fetched_etag=taken, fetched_revision=4, applied_etag=same, applied_revision=3, ok=True
    )
    consumer("router02", fetched_etag=taken, fetched_revision=4, ok=False, message="no such pool")
    assert [str(one) for one in preview(site, [first]).readers] == [
        "kea on router01 fetched revision 4",
        "kea on router02 fetched revision 4; its last report is a failure",
    ]


def test_a_file_that_somebody_took_without_a_name_is_told(site):
    with change(site, by="bob"):
        Role(site=site, slug="dns").save()
    first, now = latest(), timezone.now()
    for format, sha, fetched in (("hosts", "b", now), ("csv", "b", None), ("bind", "a", now)):
        Rendering.objects.create(site=site, format=format, revision=2, sha256="a" * 64, size=1, fetched=now)
        Rendering.objects.create(
            site=site, format=format, revision=3, sha256=sha * 64, size=1, fetched=fetched
        )
    assert [str(one) for one in preview(site, [first]).readers] == [
        "hosts of revision 3 was taken by somebody who is no consumer"
    ]
