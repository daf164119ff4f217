"""Two people with one page open: neither loses a change silently."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from inventory.changes import change
from inventory.models import Change, Group, Host, Interface, Membership, Service, Site
from tests.admin.pages import errors_of, new_inline, send, shown, url

pytestmark = pytest.mark.django_db

MOVED = "Somebody changed this while you did. Nothing was saved yet: look at it above, then save again."


@pytest.fixture
def other(db) -> Client:
    """Bob, at another window."""
    bob = User.objects.create_superuser("bob", password="a long password")
    client = Client()
    client.force_login(bob)
    return client


def moved(response):
    """The panel of a page that came back because somebody else was faster."""
    assert MOVED in errors_of(response)["__all__"]
    return response.context["adminform"].form.meanwhile


def again(response, **choices):
    """What a browser sends back from the page that came back."""
    form = response.context["adminform"].form
    data = {key: values for key, values in form.data.lists() if not key.startswith("_choice-")}
    data["version"] = [form.data["version"]]
    for name, value in form.meanwhile.hidden:
        data.setdefault(name, []).append(value)
    return data | choices


def change_page(host):
    return url("host", "change", host.pk)


def test_the_second_of_two_people_is_told_who_changed_what_and_why(browser, other, host):
    page = change_page(host)
    mine = shown(browser, page)
    send(other, page, shown(other, page) | {"location": "rack 2", "notes": "theirs", "why": "moved it"})
    revision = Site.objects.get().revision
    response = browser.post(page, mine | {"notes": "mine", "platform": "Pi 5"})
    panel = moved(response)
    assert Site.objects.get().revision == revision
    assert [(one.by_name, one.why) for one in panel.changes] == [("bob", "moved it")]
    assert [(one.label, one.theirs, one.mine) for one in panel.conflicts] == [("Notes", "theirs", "mine")]
    assert [(one.label, one.theirs) for one in panel.adopted] == [("Location", "rack 2")]
    form = response.context["adminform"].form
    assert (form.data["location"], form.data["notes"], form.data["platform"]) == ("rack 2", "mine", "Pi 5")
    text = response.content.decode()
    assert "Changed while you worked on it" in text and "moved it" in text


@pytest.mark.parametrize(("choice", "kept"), [("mine", "mine"), ("theirs", "theirs")])
def test_after_choosing_saving_works_against_the_new_version(browser, other, host, choice, kept):
    page = change_page(host)
    mine = shown(browser, page)
    send(other, page, shown(other, page) | {"location": "rack 2", "notes": "theirs"})
    response = browser.post(page, mine | {"notes": "mine", "platform": "Pi 5"})
    send(browser, page, again(response, **{"_choice-.notes": choice}))
    host.refresh_from_db()
    assert (host.notes, host.location, host.platform) == (kept, "rack 2", "Pi 5")


def test_nothing_is_saved_before_the_choice(browser, other, host):
    page = change_page(host)
    mine = shown(browser, page)
    send(other, page, shown(other, page) | {"notes": "theirs"})
    response = browser.post(page, mine | {"notes": "mine"})
    response = browser.post(page, again(response))
    assert errors_of(response)["__all__"] == [
        "Choose, wherever both of you changed the same; nothing was saved yet."
    ]
    host.refresh_from_db()
    assert host.notes == "theirs"
    send(browser, page, again(response, **{"_choice-.notes": "mine"}))
    host.refresh_from_db()
    assert host.notes == "mine"


def test_a_third_change_meanwhile_is_told_as_well(browser, other, host):
    page = change_page(host)
    mine = shown(browser, page)
    send(other, page, shown(other, page) | {"notes": "theirs"})
    response = browser.post(page, mine | {"notes": "mine"})
    send(other, page, shown(other, page) | {"notes": "theirs again"})
    panel = moved(browser.post(page, again(response, **{"_choice-.notes": "mine"})))
    assert [one.theirs for one in panel.conflicts] == ["theirs again"]
    assert len(panel.changes) == 1


def test_a_form_without_a_version_overwrites_nothing_unasked(browser, other, host):
    page = change_page(host)
    mine = shown(browser, page)
    for version in ("", "nonsense", "1;=notes:0", "9" * 30):
        panel = moved(browser.post(page, mine | {"version": version, "notes": "mine"}))
        assert [one.label for one in panel.conflicts] == ["Notes"]
    del mine["version"]
    moved(browser.post(page, mine | {"notes": "mine"}))


def test_what_an_import_changes_out_of_sight_is_kept(browser, host):
    page = change_page(host)
    mine = shown(browser, page)
    with change(host.site, by="import", source="import"):
        host.written = {"env": {"x": 1}}
        host.save()
    send(browser, page, mine | {"notes": "mine"})
    host.refresh_from_db()
    assert (host.written, host.notes) == ({"env": {"x": 1}}, "mine")


# --- parts ---


def test_an_interface_that_was_deleted_meanwhile_stays_deleted(browser, other, host):
    page = change_page(host)
    mine = shown(browser, page)
    send(other, page, shown(other, page) | {"interfaces-0-DELETE": "on", "why": "broken"})
    response = browser.post(page, mine | {"notes": "mine"})
    panel = moved(response)
    assert panel.notes == ["Interface eth0 was deleted."]
    assert [one.why for one in panel.changes] == ["broken"]
    send(browser, page, again(response))
    host.refresh_from_db()
    assert (host.notes, host.interfaces.count()) == ("mine", 0)


@pytest.mark.parametrize(("choice", "left"), [("mine", ["192.0.2.11"]), ("theirs", [])])
def test_an_interface_edited_here_and_deleted_there_is_a_choice(browser, other, host, choice, left):
    page = change_page(host)
    mine = shown(browser, page)
    key = f"interfaces {host.interfaces.get().pk}"
    send(other, page, shown(other, page) | {"interfaces-0-DELETE": "on", "why": "broken"})
    response = browser.post(page, mine | {"interfaces-0-ipv4": "192.0.2.11"})
    panel = moved(response)
    assert [(one.label, one.theirs) for one in panel.conflicts] == [("Interface eth0", "deleted")]
    send(browser, page, again(response, **{f"_choice-{key}": choice}))
    assert [row.ipv4 for row in host.interfaces.all()] == left


@pytest.mark.parametrize(("choice", "left"), [("mine", []), ("theirs", ["192.0.2.11"])])
def test_an_interface_deleted_here_and_edited_there_is_a_choice(browser, other, host, choice, left):
    page = change_page(host)
    mine = shown(browser, page)
    key = f"interfaces {host.interfaces.get().pk}"
    send(other, page, shown(other, page) | {"interfaces-0-ipv4": "192.0.2.11"})
    response = browser.post(page, mine | {"interfaces-0-DELETE": "on", "why": "broken"})
    assert [one.mine for one in moved(response).conflicts] == ["deleted"]
    assert host.interfaces.count() == 1
    send(browser, page, again(response, **{f"_choice-{key}": choice}))
    assert [row.ipv4 for row in host.interfaces.all()] == left


def test_an_interface_that_was_added_meanwhile_appears_and_mine_is_added_too(browser, other, host, segment):
    page = change_page(host)
    mine = shown(browser, page)
    theirs = new_inline("interfaces", 1, name="eth1", mac_kind="observed", addressing="none")
    send(other, page, shown(other, page) | theirs)
    own = new_inline("interfaces", 1, name="wlan0", mac_kind="observed", addressing="dhcp")
    response = browser.post(page, mine | own | {"interfaces-0-switch_port": "gi1"})
    assert moved(response).notes == ["pi01/eth1 was added."]
    send(browser, page, again(response))
    found = {row.name: row.switch_port for row in host.interfaces.all()}
    assert found == {"eth0": "gi1", "eth1": "", "wlan0": ""}


def test_different_fields_of_one_interface_come_together(browser, other, host):
    page = change_page(host)
    mine = shown(browser, page)
    send(other, page, shown(other, page) | {"interfaces-0-mac": "bc:24:11:00:00:02"})
    response = browser.post(page, mine | {"interfaces-0-switch_port": "gi1"})
    assert [one.label for one in moved(response).adopted] == ["pi01/eth0: MAC"]
    send(browser, page, again(response))
    row = host.interfaces.get()
    assert (row.mac, row.switch_port) == ("bc:24:11:00:00:02", "gi1")


def test_groups_that_two_people_add_are_joined(browser, other, site, host):
    with change(site, by="test"):
        for name in ("one", "two"):
            Group(site=site, name=name).save()
    page = change_page(host)
    mine, theirs = shown(browser, page), shown(other, page)
    one, two = (str(Group.objects.get(name=name).pk) for name in ("one", "two"))
    send(other, page, theirs | {"in_groups": [*theirs["in_groups"], one]})
    response = browser.post(page, mine | {"in_groups": [two]})
    panel = moved(response)
    assert panel.changes and not panel.conflicts
    send(browser, page, again(response))
    assert set(host.groups.values_list("name", flat=True)) == {"one", "two"}


# --- the row itself ---


def test_a_host_that_was_deleted_meanwhile_leaves_the_input_to_read(browser, other, host):
    page = change_page(host)
    mine = shown(browser, page)
    other.post(url("host", "delete", host.pk), {"post": "yes", "why": "sold"})
    response = browser.post(page, mine | {"notes": "a long story"})
    assert response.status_code == 409
    text = response.content.decode()
    assert "It was deleted while you worked on it" in text
    assert "bob" in text and "sold" in text and "a long story" in text


def test_a_host_that_was_retired_meanwhile_is_said_to_be(browser, other, host):
    page = change_page(host)
    mine = shown(browser, page)
    other.post(url("host"), {"action": "retire", "_selected_action": host.pk, "confirmed": 1, "why": "old"})
    host.refresh_from_db()
    assert host.status == "retired"
    response = browser.post(page, mine | {"notes": "mine"})
    assert moved(response).notes == ["pi01 was retired; what you save now is saved on a retired host."]
    send(browser, page, again(response, why="a note"))
    host.refresh_from_db()
    assert (host.status, host.notes) == ("retired", "mine")


def test_adding_asks_for_no_version(browser, site, segment):
    data = shown(browser, url("host", "add")) | {"name": "vm01", "status": "active"}
    assert "version" not in data
    send(browser, url("host", "add"), data)


@pytest.mark.parametrize(
    ("noun", "field", "value"),
    [
        ("segment", "trust", "high"),
        ("group", "priority", "7"),
        ("service", "port", "80"),
        ("site", "name", "x"),
    ],
)
def test_every_noun_is_guarded(browser, other, site, host, noun, field, value):
    model = {"segment": host.interfaces.get().segment, "group": Group.objects.get(), "site": site}
    row = model.get(noun) or Service.objects.get()
    page = url(noun, "change", row.pk)
    mine = shown(browser, page)
    send(other, page, shown(other, page) | {field: value})
    panel = moved(browser.post(page, mine))
    assert [one.theirs for one in panel.adopted] == [value]
    assert [one.by_name for one in panel.changes] == ["bob"]


def test_the_comparison_asks_as_much_for_many_interfaces_as_for_few(browser, site, host):
    page = change_page(host)

    def queries() -> int:
        data = shown(browser, page) | {"notes": f"{Change.objects.count()}"}
        with CaptureQueriesContext(connection) as seen:
            send(browser, page, data)
        return len([one for one in seen if "SAVEPOINT" not in one["sql"]])

    def opened() -> int:
        with CaptureQueriesContext(connection) as seen:
            shown(browser, page)
        return len(seen)

    queries()
    few, read = queries(), opened()
    with change(site, by="test"):
        for n in range(1, 9):
            Interface(host=host, name=f"eth{n}", position=n).save()
    assert opened() == read
    # Django asks twice for each part that a formset brings back; the comparison adds nothing to that.
    many = queries()
    assert many - few <= 8 * 4, (few, many)


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_save_at_the_same_moment_one_is_told(browser, other, host):
    """Each sends another value of one field at once: exactly one is stored, the other one hears of it."""
    page = change_page(host)
    clients = [browser, other]
    forms = [shown(client, page) | {"notes": f"by {n}"} for n, client in enumerate(clients)]
    start = Barrier(2)

    def save(n: int):
        try:
            start.wait(10)
            return clients[n].post(page, forms[n])
        finally:
            connections.close_all()

    for attempt in range(3):
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(save, range(2)))
        assert sorted(answer.status_code for answer in answers) == [200, 302]
        winner = next(n for n, answer in enumerate(answers) if answer.status_code == 302)
        host.refresh_from_db()
        assert host.notes == f"{attempt or ''}by {winner}"
        panel = moved(answers[1 - winner])
        assert [one.theirs for one in panel.conflicts] == [host.notes]
        forms = [shown(client, page) | {"notes": f"{attempt + 1}by {n}"} for n, client in enumerate(clients)]


@pytest.mark.django_db(transaction=True)
def test_two_people_who_change_different_things_at_once_both_keep_them(browser, other, host):
    page = change_page(host)
    sent = [(browser, {"notes": "mine"}), (other, {"location": "theirs"})]
    sent = [(client, shown(client, page) | edit) for client, edit in sent]
    start = Barrier(2)

    def save(one):
        client, data = one
        try:
            start.wait(10)
            response = client.post(page, data)
            if response.status_code == 200:
                response = client.post(page, again(response))
            return response.status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(save, sent)) == [302, 302]
    host.refresh_from_db()
    assert (host.notes, host.location) == ("mine", "theirs")
    assert Membership.objects.count() == 1
    assert Host.objects.count() == 1


# --- pages that ask before they act ---


def confirmation(client, address, data):
    response = client.post(address, data)
    return {**data, "confirmed": 1, "decided": response.context["decided"]}, response


def test_retiring_says_that_somebody_was_faster(browser, other, site, host):
    with change(site, by="test"):
        Host(site=site, name="pi02").save()
    both = {"action": "retire", "_selected_action": [row.pk for row in Host.objects.all()]}
    answer, page = confirmation(browser, url("host"), both)
    assert "(active)" in page.content.decode()
    theirs = both | {"_selected_action": host.pk, "confirmed": 1, "why": "old"}
    other.post(url("host"), theirs)
    response = browser.post(url("host"), answer | {"why": "both are old"})
    assert "What this page showed has changed meanwhile." in response.content.decode()
    assert Host.objects.get(name="pi02").status == "active"
    decided = response.context["decided"]
    browser.post(url("host"), answer | {"why": "both are old", "decided": decided})
    assert set(Host.objects.values_list("status", flat=True)) == {"retired"}


def test_what_is_deleted_is_what_was_shown(browser, other, host):
    page = url("host", "delete", host.pk)
    decided = browser.get(page).context["decided"]
    send(other, change_page(host), shown(other, change_page(host)) | {"notes": "still needed"})
    response = browser.post(page, {"post": "yes", "why": "sold", "decided": decided})
    assert "It has changed since this page was shown, and was not deleted" in response.content.decode()
    assert Host.objects.exists()
    decided = browser.get(page).context["decided"]
    browser.post(page, {"post": "yes", "why": "sold", "decided": decided})
    assert not Host.objects.exists()


def test_deleting_a_part_needs_a_reason(browser, host):
    data = shown(browser, change_page(host)) | {"interfaces-0-DELETE": "on"}
    errors = errors_of(browser.post(change_page(host), data))
    assert errors["why"] == ["Say why; what is deleted is asked about later more than anything else."]
    assert host.interfaces.count() == 1


def test_recent_reasons_are_offered(browser, host):
    send(
        browser,
        change_page(host),
        shown(browser, change_page(host)) | {"notes": "x", "why": "spring cleaning"},
    )
    assert '<option value="spring cleaning">' in browser.get(change_page(host)).content.decode()
