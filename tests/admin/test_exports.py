"""Exports in the admin: what each format says now and said before, because of whom, and who has which."""

from __future__ import annotations

import gzip

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from inventory.admin import exports
from inventory.changes import change
from inventory.models import Consumer, Grant, Rendering, Site
from inventory.serving import renderings

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept(site, host) -> list[Rendering]:
    """Two renderings of kea, the second because of a change."""
    renderings.rendering("lab", "kea")
    with change(site, by="grace", why="a new card"):
        card = host.interfaces.get()
        card.mac = "02:de:10:01:00:07"
        card.save()
    renderings.rendering("lab", "kea", fetched=True)
    return list(Rendering.objects.filter(format="kea").order_by("revision"))


def page(browser, name: str, *arguments):
    answer = browser.get(reverse(f"admin:{name}", args=arguments))
    assert answer.status_code == 200
    return answer


def test_every_format_is_listed_with_its_newest_and_its_consumers(browser, site, kept):
    Consumer.objects.create(site=site, format="kea", name="router01", ok=False, message="no such pool")
    rows = {row.export.name: row for row in page(browser, "site_exports", "lab").context["rows"]}
    assert rows["kea"].newest["revision"] == kept[1].revision
    assert (rows["kea"].number, rows["kea"].counted) == (2, [("failed", 1)])
    assert rows["bind"].newest is None
    with change(site, by="test"):
        site.name = "moved on"
        site.save()
    renderings.rendering("lab", "kea", authority="bootstrap")  # made for another mode: not what is served
    rows = {row.export.name: row for row in page(browser, "site_exports", "lab").context["rows"]}
    assert (rows["kea"].newest["revision"], rows["kea"].number) == (kept[1].revision, 3)


def test_a_format_says_who_changed_it_and_why(browser, site, kept):
    answer = page(browser, "export_history", "lab", "kea")
    newest, first = answer.context["versions"]
    assert (newest.change.by_name, newest.change.why) == ("grace", "a new card")
    assert (newest.row.revision, first.row.revision) == (kept[1].revision, kept[0].revision)
    assert newest.size_moved == kept[1].size - kept[0].size
    assert "a new card" in answer.content.decode()


def test_a_format_says_who_has_which(browser, site, kept):
    first = renderings.etag_of(1, kept[0].revision, kept[0].sha256)
    newest = renderings.etag_of(1, kept[1].revision, kept[1].sha256)
    now = timezone.now()
    Consumer.objects.create(
        site=site, format="kea", name="router01", fetched_at=now, fetched_etag=newest,
        fetched_revision=kept[1].revision, applied_at=now,
        applied_etag=first, applied_revision=kept[0].revision, ok=True,
    )  # fmt: skip
    Consumer.objects.create(
        site=site, format="kea", name="router02", fetched_at=now, fetched_etag=newest,
        fetched_revision=kept[1].revision,
    )  # fmt: skip
    versions = page(browser, "export_history", "lab", "kea").context["versions"]
    assert [one.had_by for one in versions] == [
        [("router01", False), ("router02", False)],
        [("router01", True)],
    ]


def test_so_many_consumers_are_named_and_all_are_counted(browser, site, kept, monkeypatch):
    monkeypatch.setattr(exports, "MOST_TAKERS", 2)
    newest = renderings.etag_of(1, kept[1].revision, kept[1].sha256)
    Consumer.objects.bulk_create(
        [
            Consumer(
                site=site, format="kea", name=f"r{n}", fetched_etag=newest, fetched_revision=kept[1].revision
            )
            for n in range(5)
        ]
    )
    answer = page(browser, "export_history", "lab", "kea")
    assert [one.name for one in answer.context["takers"]] == ["r0", "r1"]
    assert answer.context["more_takers"] == 3 and answer.context["versions"][0].more_had == 3
    assert answer.content.decode().count("and 3 more") == 2


def test_each_kept_rendering_can_be_taken_away(browser, kept):
    answer = browser.get(reverse("admin:download_rendering", args=("lab", "kea", kept[0].pk)))
    assert b"bc:24:11:ce:51:ec" in answer.content
    assert (
        answer["Content-Disposition"] == f'attachment; filename="lab-kea-{kept[0].revision}-kea-dhcp4.conf"'
    )


def test_a_format_of_several_files_is_an_archive(browser, site, host):
    renderings.rendering("lab", "bind")
    row = Rendering.objects.get(format="bind")
    answer = browser.get(reverse("admin:download_rendering", args=("lab", "bind", row.pk)))
    assert answer["Content-Type"] == "application/gzip"
    assert b"pi01.lab.example.net" in gzip.decompress(answer.content)


def test_what_is_not_there_is_said(browser, site):
    for arguments in (("lab", "kea", 10**6), ("lab", "kea", 10**30), ("lab", "nonsense", 1)):
        assert browser.get(reverse("admin:download_rendering", args=arguments)).status_code == 404
    assert browser.get(reverse("admin:export_history", args=("lab", "nonsense"))).status_code == 404
    assert "history begins" in page(browser, "export_history", "lab", "kea").content.decode()


def test_the_only_site_is_opened_at_once(browser, site):
    answer = browser.get(reverse("admin:exports_anywhere"))
    assert answer.status_code == 302 and answer.url.endswith("/exports/lab/")


def test_another_sites_exports_are_not_there(client, site, kept):
    other = Site(slug="far", root_domain="example.org")
    with change(other, by="test"):
        pass
    viewer = User.objects.create_user("eve", password="a long password", is_staff=True)
    Grant.objects.create(user=viewer, site=other, level="viewer")
    client.force_login(viewer)
    for name, arguments in (
        ("site_exports", ("lab",)),
        ("export_history", ("lab", "kea")),
        ("download_rendering", ("lab", "kea", kept[0].pk)),
    ):
        assert client.get(reverse(f"admin:{name}", args=arguments)).status_code == 404
    assert client.get(reverse("admin:download_rendering", args=("far", "kea", kept[0].pk))).status_code == 404


def test_a_long_history_asks_no_more(browser, site, kept):
    def asked() -> int:
        with CaptureQueriesContext(connection) as found:
            page(browser, "export_history", "lab", "kea")
        return len(found)

    few = asked()
    Rendering.objects.bulk_create(
        [Rendering(site=site, format="kea", revision=1000 + n, sha256="0" * 64, size=n) for n in range(30)]
    )
    assert asked() == few
