"""Beside the page of a host: what it adds, while it is typed; never a write."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from inventory.changes import change
from inventory.models import Change, Grant, Group, Host, Interface, Site
from tests.admin.pages import new_inline, shown, url

pytestmark = pytest.mark.django_db


def preview(browser, host, **typed):
    data = shown(browser, url("host", "change", host.pk)) | typed
    return browser.post(
        reverse("admin:host_preview", args=("lab", host.pk)), data, headers={"HX-Request": "true"}
    )


def told(response):
    assert response.status_code == 200, response.status_code
    return response.context["told"]


def lines(found, format: str) -> list[str]:
    (one,) = (one for one in found.formats if one.format == format)
    return [line for fragment in one.fragments for line in fragment.lines]


def test_what_was_typed_is_told_in_the_words_of_each_export(browser, host):
    answer = preview(browser, host, **{"interfaces-0-mac": "02-DE-10-01-00-07"})
    found = told(answer)
    assert any("02:de:10:01:00:07" in line for line in lines(found, "kea"))
    assert not any("bc:24:11" in line for line in lines(found, "kea"))
    assert not found.problems
    assert "02:de:10:01:00:07" in answer.content.decode()


def test_nothing_is_written(browser, site, host):
    before = (Change.objects.count(), Site.objects.get().revision, Interface.history.count())
    preview(browser, host, notes="typed", name="pi02", **{"interfaces-0-ipv4": "192.0.2.77"})
    assert (Change.objects.count(), Site.objects.get().revision, Interface.history.count()) == before
    host.refresh_from_db()
    assert (host.notes, host.name) == ("behind the red door", "pi01")


def test_the_problems_of_a_save_are_told_with_their_fields(browser, host):
    found = told(preview(browser, host, **{"interfaces-0-ipv4": "192.0.2.200"}))
    (problem,) = found.problems
    assert problem.message == "192.0.2.200 lies outside 192.0.2.0/25 of segment management."
    assert problem.field == "id_interfaces-0-ipv4"


def test_a_name_that_only_the_ledger_refuses_is_told_too(browser, site, host):
    with change(site, by="test"):
        other = Host(site=site, name="vm09")
        other.save()
    found = told(preview(browser, other, **new_inline("services", 0, name="artifacts")))
    assert any("artifacts belongs to pi01" in problem.message for problem in found.problems)


def test_variables_name_their_origin(browser, site, host):
    with change(site, by="test"):
        group = Group.objects.get(name="pis")
        group.variables = {"ntp": "group"}
        group.save()
    found = told(preview(browser, host, variables="ntp: mine\n"))
    (ntp,) = (one for one in found.variables if one.key == "ntp")
    assert (ntp.value, ntp.origin, ntp.overrides) == ("mine", "host pi01", (("group pis", "group"),))


def test_groups_that_are_typed_give_their_variables(browser, site, host):
    with change(site, by="test"):
        more = Group(site=site, name="more", variables={"from_more": 1})
        more.save()
    found = told(preview(browser, host, in_groups=[str(more.pk)]))
    assert [one.origin for one in found.variables if one.key == "from_more"] == ["group more"]


def test_findings_that_a_save_would_settle_are_told(browser, site, segment):
    with change(site, by="test"):
        host = Host(site=site, name="vm01", form="vm")
        host.save()
        Interface(
            host=host, name="eth0", segment=segment, addressing="static", ipv4="192.0.2.9", reservation=True
        ).save()
    found = told(preview(browser, host, **{"interfaces-0-mac": "02:de:10:01:00:09"}))
    assert [finding.subject for finding in found.judged.settled] == ["interface vm01/eth0"]
    assert not found.judged.new


def test_a_new_host_is_told_before_it_exists(browser, site, segment):
    data = shown(browser, url("host", "add")) | {"name": "vm01", "form": "vm", "status": "active"}
    data |= new_inline(
        "interfaces", 0, name="eth0", mac="02:de:10:01:00:01", mac_kind="assigned", segment=segment.pk,
        addressing="static", ipv4="192.0.2.20", a_record="on", reservation="on",
    )  # fmt: skip
    found = told(browser.post(reverse("admin:new_host_preview", args=("lab",)), data))
    assert "192.0.2.20 vm01.lab.example.net vm01" in lines(found, "hosts")
    assert not Host.objects.exists()


def test_without_a_name_there_is_nothing_to_tell_but_that(browser, site):
    data = shown(browser, url("host", "add"))
    answer = browser.post(reverse("admin:new_host_preview", args=("lab",)), data)
    assert told(answer).draft is None
    assert "This field is required" in answer.content.decode()


def test_without_javascript_the_preview_is_a_page(browser, host):
    data = shown(browser, url("host", "change", host.pk))
    answer = browser.post(reverse("admin:host_preview", args=("lab", host.pk)), data)
    assert "Nothing was saved" in answer.content.decode()
    assert "<html" in answer.content.decode()


def test_a_viewer_sees_what_the_stored_host_adds_and_previews_nothing(client, site, host):
    viewer = User.objects.create_user("eve", password="a long password", is_staff=True)
    Grant.objects.create(user=viewer, site=site, level="viewer")
    client.force_login(viewer)
    page = client.get(url("host", "change", host.pk))
    assert page.context["preview_at"] == reverse("admin:host_contribution", args=("lab", host.pk))
    assert "192.0.2.10" in client.get(page.context["preview_at"]).content.decode()
    assert client.post(reverse("admin:host_preview", args=("lab", host.pk)), {}).status_code == 403
    assert client.post(reverse("admin:propose_value", args=("lab",)), {}).status_code == 403


def test_a_host_of_another_site_is_not_found(browser, site, host):
    other = Site(slug="far", root_domain="example.org")
    with change(other, by="test"):
        pass
    assert browser.post(reverse("admin:host_preview", args=("far", host.pk)), {}).status_code == 404
    assert browser.post(reverse("admin:host_preview", args=("lab", 10**30)), {}).status_code == 404


def test_what_no_database_takes_is_a_problem_in_words(browser, host):
    found = told(
        preview(browser, host, name="pi\0", **{"interfaces-0-mac": "\0", "interfaces-TOTAL_FORMS": "1"})
    )
    assert {problem.field for problem in found.problems} >= {"id_name", "id_interfaces-0-mac"}
    data = {
        "_field": "interfaces-0-ipv4",
        "role": "\0",
        "form": "\0",
        "vmid": "²",
        "interfaces-0-segment": "9" * 30,
    }
    assert "problem" in browser.post(reverse("admin:propose_value", args=("lab",)), data).json()


def test_a_form_whose_parts_are_torn_is_told_and_not_a_failure(browser, site, host):
    address = reverse("admin:host_preview", args=("lab", host.pk))
    for data in ({}, {"name": "pi01", "interfaces-TOTAL_FORMS": "x", "interfaces-INITIAL_FORMS": "-1"}):
        assert browser.post(address, data).status_code == 200


# --- next free values ---


def proposed(browser, field: str, **typed):
    return browser.post(reverse("admin:propose_value", args=("lab",)), {"_field": field, **typed}).json()


def test_the_next_free_address_leaves_out_what_is_typed_beside_it(browser, site, segment, host):
    with change(site, by="test"):
        segment.static_first, segment.static_last = "192.0.2.9", "192.0.2.49"
        segment.save()
    typed = {"interfaces-0-segment": segment.pk, "interfaces-1-ipv4": "192.0.2.9"}
    assert proposed(browser, "interfaces-0-ipv4", **typed) == {"value": "192.0.2.11"}


def test_a_field_that_cannot_be_filled_says_what_is_missing(browser, site):
    found = proposed(browser, "interfaces-0-ipv4")
    assert found == {
        "problem": "Choose the segment first; the address is the lowest free one of its static range."
    }
    assert "VMID range" in proposed(browser, "vmid", form="vm")["problem"]


def test_fields_of_no_identity_take_nothing(browser, site):
    answer = browser.post(reverse("admin:propose_value", args=("lab",)), {"_field": "notes"})
    assert answer.status_code == 400
