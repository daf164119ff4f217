"""What will change if I save this: the real save, undone, and everything that it would move."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from inventory.admin import rehearsal
from inventory.changes import change
from inventory.models import Change, Consumer, Grant, Host, Identity, Rendering, Segment, Site
from inventory.serving import renderings
from tests.admin.pages import errors_of, send, shown, url

pytestmark = pytest.mark.django_db


def rehearsed(browser, address: str, data):
    response = browser.post(address, data | {"_rehearse": "1"})
    assert response.status_code == 200
    return response


def state() -> tuple:
    site = Site.objects.get(slug="lab")
    return (
        site.revision, site.zone_serials, Change.objects.count(), Host.history.count(), Rendering.objects.count(),
        sorted(Identity.objects.values_list("kind", "value", "state")),
    )  # fmt: skip


def test_every_export_that_would_move_is_shown_and_nothing_is_written(browser, host):
    address = url("host", "change", host.pk)
    before = state()
    data = shown(browser, address) | {"interfaces-0-mac": "02:de:10:01:00:07"}
    response = rehearsed(browser, address, data)
    moved = {one.export.name: one for one in response.context["report"].changed}
    assert {"kea", "dnsmasq", "site", "csv"} <= moved.keys()
    assert "hosts" in response.context["report"].unchanged
    assert any(line.startswith("+") and "02:de:10:01:00:07" in line for line in moved["kea"].files[0].lines)
    assert state() == before
    assert "Undo" not in response.content.decode()  # nothing was done
    host.refresh_from_db()
    assert host.interfaces.get().mac == "bc:24:11:ce:51:ec"


def test_save_now_saves_what_was_rehearsed(browser, site, host):
    address = url("host", "change", host.pk)
    data = shown(browser, address) | {"notes": "moved to the attic", "why": "tidying"}
    response = rehearsed(browser, address, data)
    sent: dict[str, list[str]] = {}
    for name, value in response.context["sent"]:
        sent.setdefault(name, []).append(value)
    send(browser, address, sent | {"_save": ["1"]})
    host.refresh_from_db()
    assert host.notes == "moved to the attic"
    assert Change.objects.latest("id").why == "tidying"


def test_keep_editing_leads_back_to_the_form_as_it_was_typed(browser, host):
    address = url("host", "change", host.pk)
    data = shown(browser, address) | {"notes": "not yet"}
    response = browser.post(address, data | {"_edit": "1"})
    assert errors_of(response) == {"__all__": [rehearsal.NOT_SAVED]}
    assert response.context["adminform"].form["notes"].value() == "not yet"
    host.refresh_from_db()
    assert host.notes == "behind the red door"


def test_what_is_refused_comes_back_beside_its_field(browser, host):
    address = url("host", "change", host.pk)
    data = shown(browser, address) | {"interfaces-0-ipv4": "192.0.2.200", "_rehearse": "1"}
    assert errors_of(browser.post(address, data)) == {
        "interfaces-0-ipv4": ["192.0.2.200 lies outside 192.0.2.0/25 of segment management."]
    }


def test_what_only_the_ledger_refuses_is_refused_here_too(browser, site, host):
    with change(site, by="test"):
        Host(site=site, name="artifacts2").save()
    other = Host.objects.get(name="artifacts2")
    data = shown(browser, url("host", "change", other.pk)) | {"name": "artifacts", "_rehearse": "1"}
    assert errors_of(browser.post(url("host", "change", other.pk), data))


def test_findings_that_come_and_go_are_shown(browser, site, host):
    data = shown(browser, url("host", "change", host.pk)) | {"interfaces-0-mac": ""}
    report = rehearsed(browser, url("host", "change", host.pk), data).context["report"]
    assert any(finding.subject == "interface pi01/eth0" for finding in report.new)


def test_a_new_row_is_rehearsed_as_well(browser, site):
    data = shown(browser, url("segment", "add")) | {
        "name": "iot",
        "vlan": "30",
        "network4": "198.51.100.0/24",
    }
    response = rehearsed(browser, url("segment", "add"), data)
    assert "kea" in {one.export.name for one in response.context["report"].changed}
    assert not Segment.objects.exists()


def test_an_untouched_form_changes_nothing(browser, host):
    address = url("host", "change", host.pk)
    response = rehearsed(browser, address, shown(browser, address))
    assert response.context["report"].idle
    assert "Save now" not in response.content.decode()


def test_who_has_the_newest_will_be_behind(browser, site, host):
    kept = renderings.described("lab", "kea")
    Consumer.objects.create(
        site=site, format="kea", name="router01", ok=True, fetched_at=timezone.now(), fetched_etag=kept.etag,
        fetched_revision=kept.revision,
    )  # fmt: skip
    address = url("host", "change", host.pk)
    data = shown(browser, address) | {"interfaces-0-mac": "02:de:10:01:00:07"}
    assert rehearsed(browser, address, data).context["report"].takers == ["router01"]


def test_a_large_site_is_compared_format_by_format(browser, host, monkeypatch):
    monkeypatch.setattr(rehearsal, "SMALL", 0)
    address = url("host", "change", host.pk)
    data = shown(browser, address) | {"interfaces-0-mac": "02:de:10:01:00:07"}
    report = rehearsed(browser, address, data).context["report"]
    assert not report.changed and len(report.waiting) > 10
    one = browser.post(address, data | {"_rehearse": "kea"}, headers={"HX-Request": "true"})
    assert "02:de:10:01:00:07" in one.content.decode()
    assert "<html" not in one.content.decode()


def test_who_may_not_save_may_not_rehearse(client, site, host):
    viewer = User.objects.create_user("eve", password="a long password", is_staff=True)
    Grant.objects.create(user=viewer, site=site, level="viewer")
    client.force_login(viewer)
    address = url("host", "change", host.pk)
    assert "What will change" not in client.get(address).content.decode()
    assert client.post(address, {"_rehearse": "1"}).status_code == 403
