"""Groups, variables and secrets in the browser."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from inventory import vault
from inventory.changes import change
from inventory.models import Grant, Group, Host, Membership, Nesting, Site
from tests.admin.pages import send, shown, url

pytestmark = pytest.mark.django_db

SEALED = {"__ansible_vault": vault.encrypt(b"a secret", b"example")}


@pytest.fixture
def nested(site, host):
    """all → pis (pi01) → kiosks (pi02, which says otherwise)."""
    with change(site, by="fixture"):
        site.variables = {"ntp_servers": ["192.0.2.1"]}
        site.save()
        pis = Group.objects.get(name="pis")
        pis.variables = {"led": True, "wifi_psk": SEALED, "motd": "<b>welcome</b>"}
        pis.save()
        kiosks = Group(site=site, name="kiosks", variables={"led": False})
        kiosks.save()
        Nesting(parent=pis, child=kiosks).save()
        other = Host(site=site, name="pi02", form="pi", variables={"ntp_servers": ["192.0.2.9"]})
        other.save()
        Membership(group=kiosks, host=other).save()
    return pis


def test_a_group_shows_members_with_their_way_and_variables_with_their_origin(browser, nested):
    answer = browser.get(url("group", "change", nested.pk))
    told = answer.context["group_told"]
    assert [(host.text, path) for host, path in told["members"]] == [("pi01", ()), ("pi02", ("kiosks",))]
    rows = {row.key: row for row in (*told["rows"], *told["of_site"])}
    assert [row.key for row in told["of_site"]] == ["ntp_servers"]
    assert rows["ntp_servers"].origin.text == "site (all)" and rows["led"].is_own
    assert [(name, place.text) for name, place in rows["led"].others] == [("pi02", "group kiosks")]
    assert [(name, place.text) for name, place in rows["ntp_servers"].others] == [("pi02", "pi02")]
    page = answer.content.decode()
    assert "(sealed)" in page and "$ANSIBLE_VAULT" not in page and "<b>welcome" not in page


def test_a_profile_has_the_same_page(browser, site, host):
    profile = Group(site=site, name="mqtt", kind="profile", variables={"broker": True})
    with change(site, by="fixture"):
        profile.save()
        Membership(group=profile, host=host).save()
    told = browser.get(url("workloadprofile", "change", profile.pk)).context["group_told"]
    assert [(row.key, row.is_own) for row in told["rows"]] == [("broker", True)]
    assert [host.text for host, _ in told["members"]] == ["pi01"]


def test_who_sets_a_variable_to_what_and_where_it_differs(browser, nested):
    page = browser.get("/admin/variables/lab/", {"key": "ntp_servers"})
    assert [place.text for place, _ in page.context["setters"]] == ["site (all)", "host pi02"]
    assert [
        (one["value"].strip(), [host.text for host in one["hosts"]]) for one in page.context["outcomes"]
    ] == [
        ("- 192.0.2.1", ["pi01"]),
        ("- 192.0.2.9", ["pi02"]),
    ]
    assert "$ANSIBLE_VAULT" not in browser.get("/admin/variables/lab/", {"key": "wifi_psk"}).content.decode()


def test_a_part_of_a_name_lists_names(browser, nested):
    page = browser.get("/admin/variables/", {"key": "ntp"}, follow=True)
    assert page.context["names"] == [("ntp_servers", 2)]
    assert b"Nobody at lab sets" in browser.get("/admin/variables/lab/", {"key": "\0<x>"}).content


def test_who_sees_one_site_sees_no_variable_of_another(nested, site):
    elsewhere = Site(slug="secret-lab", root_domain="example.org", variables={"ntp_servers": "203.0.113.1"})
    with change(elsewhere, by="fixture"):
        pass
    user = User.objects.create_user("kim", is_staff=True)
    Grant.objects.create(user=user, site=site, level="viewer")
    client = Client()
    client.force_login(user)
    assert client.get("/admin/variables/secret-lab/").status_code == 404
    page = client.get("/admin/variables/", {"key": "ntp_servers"}, follow=True).content.decode()
    assert "203.0.113.1" not in page and "secret-lab" not in page and "192.0.2.9" in page


def check(client, text):
    return client.post("/admin/check-yaml/", {"text": text}).content.decode()


def test_typing_is_told_the_line(browser, site):
    told = check(browser, "a: 1\nb: [1, 2\nc: 3\n")
    assert 'data-line="3"' in told and "not valid YAML" in told
    assert 'data-line="2"' in check(browser, "a: 1\npsk: !vault open sesame\n")
    assert "Variables are names with values" in check(browser, "- a\n")
    for fine in ("", "a: 1\n", "psk: !vault sealed-0123456789ab\n", "# a remark\n"):
        assert "data-line" not in check(browser, fine)


def test_typing_a_plain_secret_is_told_the_key_and_the_way_out(browser, site):
    told = check(browser, "wifi:\n  psk: correct horse battery\n")
    assert "<b>wifi.psk</b>" in told and "ansible-vault encrypt_string --name 'wifi'" in told
    assert "correct horse" not in told
    assert "<b>" not in check(browser, 'bmc_password: "{{ vault_bmc_password }}"\n')


def test_saving_a_plain_secret_warns_once_and_saves(browser, nested):
    page = url("group", "change", nested.pk)
    data = shown(browser, page)
    answer = browser.post(
        page, data | {"variables": data["variables"] + "bmc_password: hunter2secret\n"}, follow=True
    )
    (said,) = [str(one) for one in answer.context["messages"] if "secret in plain" in str(one)]
    assert "bmc_password" in said and "ansible-vault" in said and "hunter2secret" not in said
    nested.refresh_from_db()
    assert nested.variables["bmc_password"] == "hunter2secret" and nested.variables["wifi_psk"] == SEALED
    data = shown(browser, page)
    answer = browser.post(page, data | {"variables": data["variables"] + "more: 1\n"}, follow=True)
    assert not [one for one in answer.context["messages"] if "secret in plain" in str(one)]


def test_sealed_values_are_marks_that_stay_move_and_are_replaced(browser, nested):
    page = url("group", "change", nested.pk)
    text = shown(browser, page)["variables"]
    assert "wifi_psk: !vault sealed-" in text and "$ANSIBLE_VAULT" not in browser.get(page).content.decode()
    send(browser, page, shown(browser, page) | {"variables": text.replace("wifi_psk", "other_psk")})
    nested.refresh_from_db()
    assert nested.variables["other_psk"] == SEALED and "wifi_psk" not in nested.variables
    block = "".join(f"  {line}\n" for line in vault.encrypt(b"new", b"example").splitlines())
    send(browser, page, shown(browser, page) | {"variables": f"psk: !vault |\n{block}"})
    nested.refresh_from_db()
    assert nested.variables["psk"]["__ansible_vault"].startswith("$ANSIBLE_VAULT")


def test_a_mark_that_the_row_does_not_know_is_refused_in_its_line(browser, nested):
    page = url("group", "change", nested.pk)
    data = shown(browser, page) | {"variables": "a: 1\npsk: !vault sealed-0123456789ab\n"}
    answer = browser.post(page, data)
    assert answer.status_code == 200
    assert b"Line 2: sealed-0123456789ab stands for a sealed value that is not stored here" in answer.content
