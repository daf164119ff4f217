"""Undo and “what changed” in the browser."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inventory import vault
from inventory.changes import change
from inventory.models import Change, Grant, Host, Role, Site
from inventory.undoing import undo as undo_module
from tests.admin.pages import latest_change, send, shown, url

pytestmark = pytest.mark.django_db

SEALED = vault.encrypt(b"a secret", b"a password")


def undo_url(revision, **more):
    extra = "".join(f"&{key}={value}" for key, value in more.items())
    return f"/admin/undo/lab/?revision={revision}{extra}"


def text_of(client, address):
    response = client.get(address)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def sent(client, address, **data):
    """Send the form that the page at *address* shows."""
    page = client.get(address)
    expected = [f"{site}:{mark}" for site, mark in page.context["expected"]]
    return client.post(address, {"expected": expected, **data})


@pytest.fixture
def edited(browser, host):
    """pi01's notes and variables, changed in the browser by ada; the revision."""
    data = shown(browser, url("host", "change", host.pk))
    variables = "a: 1\nb:\n  - x\n  - y\npassword: Sesame12345\n"
    send(
        browser,
        url("host", "change", host.pk),
        data | {"notes": "new", "variables": variables, "why": "tidy"},
    )
    return latest_change()


def test_after_saving_the_page_offers_to_undo(browser, host, edited):
    page = text_of(browser, url("host"))
    assert f"Revision {edited.revision} of lab." in page
    assert f'href="/admin/undo/lab/?revision={edited.revision}"' in page


def test_a_change_is_undone_after_a_preview_and_with_a_reason(browser, host, edited):
    page = text_of(browser, undo_url(edited.revision))
    assert f"Undo revision {edited.revision} of lab?" in page
    assert "behind the red door" in page and "new" in page
    assert "Sesame12345" not in page
    response = sent(browser, undo_url(edited.revision), why="")
    assert "Say why; nothing was undone." in response.content.decode()
    response = sent(browser, undo_url(edited.revision), why="it was right before")
    assert response.status_code == 302
    host.refresh_from_db()
    assert (host.notes, host.variables) == ("behind the red door", {})
    record = latest_change()
    assert (record.source, record.by_name) == ("undo", "ada")
    assert record.why == f"Undo of revision {edited.revision}: it was right before"
    assert f"Undone: revision {record.revision} of lab." in text_of(browser, response["Location"])


def test_at_a_large_site_what_follows_is_shown_when_asked_and_nothing_is_undone(
    browser, host, edited, monkeypatch
):
    monkeypatch.setattr(undo_module, "TRIED_ROWS", 0)
    page = text_of(browser, undo_url(edited.revision))
    assert "worked out when you ask" in page and "The findings stay as they are." not in page
    answer = browser.post(undo_url(edited.revision), {"_try": ""})
    page = answer.content.decode()
    assert "worked out when you ask" not in page and "Say why; nothing was undone." not in page
    assert "Exports that change" in page
    assert latest_change() == edited
    assert sent(browser, undo_url(edited.revision), why="it was right before").status_code == 302


def test_a_refused_undo_leads_to_what_is_in_the_way(browser, host, edited):
    data = shown(browser, url("host", "change", host.pk))
    send(browser, url("host", "change", host.pk), data | {"notes": "newer"})
    later = latest_change()
    page = text_of(browser, undo_url(edited.revision))
    assert "Cannot be undone at lab" in page
    assert f"host pi01: notes was changed later by ada in revision {later.revision}." in page
    assert f"?revision={later.revision}" in page
    assert 'name="why"' not in page


def test_what_moved_meanwhile_is_shown_again_and_not_undone(browser, site, host, edited):
    address = undo_url(edited.revision)
    expected = [f"{pk}:{mark}" for pk, mark in browser.get(address).context["expected"]]
    with change(site, by="bob"):
        row = Host.objects.get()
        row.notes = "behind the red door"
        row.save()
    response = browser.post(address, {"expected": expected, "why": "x"})
    assert "The site changed since you looked at this" in response.content.decode()
    assert latest_change().by_name == "bob"


def test_nothing_is_undone_twice(browser, host, edited):
    sent(browser, undo_url(edited.revision), why="x")
    assert "Nothing of it is left to undo." in text_of(browser, undo_url(edited.revision))


@pytest.mark.parametrize(
    "address",
    [
        "?revision=999",
        "?revision=x",
        "?since=never",
        "?revision=%00",
        "?since=99999-01-01",
        f"?revision={'9' * 30}",
    ],
)
def test_an_address_that_names_no_change_is_answered_in_words(browser, site, address):
    assert browser.get(f"/admin/undo/lab/{address}").status_code == 404


def granted(level):
    user = User.objects.create_user(level, password="a long password", is_staff=True)
    Grant.objects.create(user=user, site=Site.objects.get(slug="lab"), level=level)
    client = Client()
    client.force_login(user)
    return client


def test_undo_asks_for_the_permission_of_every_noun_it_touches(browser, site, host):
    with change(site, by="test"):
        Host(site=site, name="vm01").save()
    revision = latest_change().revision
    operator = granted("operator")
    page = text_of(operator, undo_url(revision))
    assert "It needs inventory.delete_host at lab." in page
    response = sent(operator, undo_url(revision), why="x")
    assert "You lack inventory.delete_host at lab." in response.content.decode()
    assert Host.objects.filter(name="vm01").exists()
    assert sent(granted("administrator"), undo_url(revision), why="x").status_code == 302
    assert not Host.objects.filter(name="vm01").exists()


def test_nobody_sees_the_changes_of_another_site(browser, host):
    other = Site(slug="home")
    with change(other):
        pass
    viewer = granted("viewer")
    for page in ("undo", "changed"):
        assert viewer.get(f"/admin/{page}/home/?since=0").status_code == 404
        assert viewer.get(f"/admin/{page}/lab/?since=0").status_code == 200


def test_everything_since_yesterday_is_undone_as_one(browser, site, host, edited):
    Change.objects.exclude(pk=edited.pk).update(at=timezone.now() - timedelta(days=3))
    with change(site, by="bob", why="another"):
        Role(site=site, slug="dns").save()
    page = text_of(browser, "/admin/changed/lab/?since=yesterday")
    assert "2 changes" in page and "another" in page
    assert f"/admin/undo/lab/?since={edited.revision - 1}" in page
    response = sent(browser, f"/admin/undo/lab/?since={edited.revision - 1}", why="a bad day")
    assert response.status_code == 302
    host.refresh_from_db()
    assert host.notes == "behind the red door" and not Role.objects.exists()
    page = text_of(browser, f"/admin/changed/lab/?since={edited.revision - 1}")
    assert "what these changes did, they took back" in page


def test_what_changed_is_the_net_difference(browser, site, host):
    first = Site.objects.get().revision
    for notes in ("one", "two"):
        with change(site, by="bob", why=notes):
            host.notes = notes
            host.save()
    page = text_of(browser, f"/admin/changed/lab/?since={first}")
    assert "behind the red door" in page and "two" in page
    assert page.count("<ins") == 1
    until = text_of(browser, f"/admin/changed/lab/?since={first}&until={first + 1}")
    assert ">one</ins>" in until and "Undo all of it" not in until
    assert "Nothing changed since" in text_of(browser, f"/admin/changed/lab/?since={first + 2}")


# --- the list, and the page of one change ---


def revisions(client, **asked):
    return {row.revision for row in client.get(url("change"), asked).context["cl"].result_list}


def test_the_list_is_narrowed_by_person_moment_noun_and_host(browser, site, host, edited):
    with change(site, by="bob", why="roles"):
        Role(site=site, slug="dns").save()
    last = latest_change().revision
    assert revisions(browser, by="bob") == {last}
    assert revisions(browser, noun="role") == {last}
    assert edited.revision in revisions(browser, noun="host")
    assert revisions(browser, q="PI01") == {edited.revision, host.history.last().change.revision}
    Change.objects.filter(revision__lt=last).update(at=timezone.now() - timedelta(days=3))
    assert revisions(browser, since="today") == {last}
    assert last not in revisions(browser, until="yesterday")
    tomorrow = timezone.localdate() + timedelta(days=1)
    assert revisions(browser, since=str(tomorrow)) == set()
    for nonsense in ({"since": "never"}, {"noun": "x"}, {"by": "x'"}, {"until": "9999-99-99"}):
        assert browser.get(url("change"), nonsense).status_code == 200


def test_each_line_sums_up_what_was_written(browser, site, host):
    rows = {row.revision: row.summary for row in browser.get(url("change")).context["cl"].result_list}
    assert "1 host, 1 interface, 1 service" in next(text for text in rows.values() if "interface" in text)


def test_the_list_asks_as_much_for_many_changes_as_for_few(browser, site, host):
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            browser.get(url("change"))
        return len(seen)

    few = queries()
    for number in range(20):
        with change(site, by="bob"):
            Role(site=site, slug=f"r{number}").save()
    assert queries() == few


def test_the_page_of_a_change_shows_variables_line_by_line_and_no_secret(browser, site, host, edited):
    data = shown(browser, url("host", "change", host.pk))
    with change(site, by="bob"):
        row = Host.objects.get()
        row.variables = {**row.variables, "b": ["x", "z"], "sealed": {"__ansible_vault": SEALED}}
        row.save()
    page = text_of(browser, url("change", "change", latest_change().pk))
    assert "mp-minus" in page and "mp-plus" in page
    assert "Sesame12345" not in page and SEALED.split("\n")[1] not in page
    assert "(sealed, " in page
    assert data["variables"]
    assert "/undo/" in page


def test_a_change_leads_to_its_undo_and_to_what_came_after(browser, host, edited):
    one = url("change", "change", edited.pk).replace("/change/", "/", 2)
    response = browser.get(f"/admin/inventory/change/{edited.pk}/undo/", follow=True)
    assert f"Undo revision {edited.revision} of lab?" in response.content.decode(), one
    response = browser.get(f"/admin/inventory/change/{edited.pk}/since/", follow=True)
    assert "What changed at lab" in response.content.decode()


def test_the_history_of_a_host_includes_its_parts_and_offers_undo(browser, site, host):
    with change(site, by="bob", why="a better address"):
        row = host.interfaces.get()
        row.ipv4 = "192.0.2.11"
        row.save()
    page = text_of(browser, url("host", "history", host.pk))
    assert "a better address" in page and "192.0.2.11" in page
    assert "pi01 in pis" in page
    assert undo_url(latest_change().revision) in page


def test_the_history_of_a_host_asks_as_much_for_many_changes_as_for_few(browser, site, host):
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            browser.get(url("host", "history", host.pk))
        return len(seen)

    for address in ("192.0.2.20", "192.0.2.21"):
        with change(site, by="bob"):
            row = host.interfaces.get()
            row.ipv4 = address
            row.save()
    few = queries()
    for number in range(30, 40):
        with change(site, by="bob"):
            row.ipv4 = f"192.0.2.{number}"
            row.save()
    assert queries() == few
