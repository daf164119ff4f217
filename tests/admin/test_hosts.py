"""Hosts in the browser: added, changed, found, retired; each time one change with person and reason."""

from __future__ import annotations

import pytest
from django.test.utils import CaptureQueriesContext

from inventory import vault
from inventory.changes import change
from inventory.models import Change, Host, Identity, Interface, Membership, Service, Site
from tests.admin.pages import errors_of, latest_change, new_inline, send, shown, url

SEALED = vault.encrypt(b"a secret", b"a password")
pytestmark = pytest.mark.django_db


def revision(site: Site) -> int:
    return Site.objects.get(pk=site.pk).revision


def test_adding_a_host_with_an_interface_is_one_change(browser, site, segment):
    before = revision(site)
    data = shown(browser, url("host", "add")) | {
        "name": "vm01",
        "form": "vm",
        "status": "active",
        "why": "needs a place",
        **new_inline(
            "interfaces",
            0,
            name="eth0",
            mac="02-DE-10-01-00-01",
            mac_kind="assigned",
            segment=segment.pk,
            addressing="static",
            ipv4="192.0.2.20",
            a_record="on",
        ),
        **new_inline("services", 0, name="dns"),
    }
    send(browser, url("host", "add"), data)
    assert revision(site) == before + 1
    host = Host.objects.get(name="vm01")
    assert host.interfaces.get().mac == "02:de:10:01:00:01"
    assert host.services.get().name == "dns"
    record = latest_change()
    assert (record.by_name, record.why, record.source) == ("ada", "needs a place", "admin")
    for history in (
        host.history.get(),
        host.interfaces.get().history.get(),
        host.services.get().history.get(),
    ):
        assert history.change_id == record.pk
        assert history.history_user.get_username() == "ada"


def test_saving_an_untouched_page_changes_nothing(browser, site, host):
    with change(site, by="test"):
        host.variables = {
            "z": 1,
            "a": [1, {"b": None}],
            "secret": {"__ansible_vault": SEALED},
        }
        host.save()
    before = revision(site)
    data = shown(browser, url("host", "change", host.pk))
    assert "!vault sealed-" in data["variables"]
    data = {k: v.replace("\n", "\r\n") if isinstance(v, str) else v for k, v in data.items()}
    send(browser, url("host", "change", host.pk), data)
    assert revision(site) == before


def test_editing_variables_keeps_vault_values_and_order(browser, site, host):
    sealed = {"__ansible_vault": SEALED}
    with change(site, by="test"):
        host.variables = {"z": 1, "secret": sealed}
        host.save()
    data = shown(browser, url("host", "change", host.pk))
    data["variables"] = data["variables"] + "a: yes\n"
    send(browser, url("host", "change", host.pk), data)
    host.refresh_from_db()
    assert list(host.variables.items()) == [("z", 1), ("secret", sealed), ("a", True)]


def test_broken_yaml_says_the_line_beside_the_field(browser, host):
    data = shown(browser, url("host", "change", host.pk)) | {"variables": "a: 1\na: 2\n"}
    problems = errors_of(browser.post(url("host", "change", host.pk), data))
    assert problems["variables"][0].startswith("Line 2: ")


def test_another_hosts_mac_is_refused_beside_the_field(browser, site, segment, host):
    before = revision(site)
    data = shown(browser, url("host", "add")) | {
        "name": "vm02",
        **new_inline(
            "interfaces", 0, name="eth0", mac="BC2411CE51EC", mac_kind="observed", addressing="none"
        ),
    }
    problems = errors_of(browser.post(url("host", "add"), data))
    assert problems == {
        "interfaces-0-mac": ["bc:24:11:ce:51:ec belongs to pi01; choose another, or change it there first."]
    }
    assert revision(site) == before
    assert not Host.objects.filter(name="vm02").exists()


def test_an_address_outside_its_segment_is_refused_beside_the_field(browser, host):
    data = shown(browser, url("host", "change", host.pk)) | {"interfaces-0-ipv4": "192.0.2.200"}
    problems = errors_of(browser.post(url("host", "change", host.pk), data))
    assert problems == {"interfaces-0-ipv4": ["192.0.2.200 lies outside 192.0.2.0/25 of segment management."]}


def test_what_only_the_door_can_see_is_an_error_of_the_form(browser, site, segment, host):
    """The second interface's own name is claimed by the ledger, which looks when everything is written."""
    with change(site, by="test"):
        Host(site=site, name="vm09").save()
        Host(site=site, name="vm09-mgmt").save()
    vm09 = Host.objects.get(name="vm09")
    before = revision(site)
    data = shown(browser, url("host", "change", vm09.pk)) | {
        "notes": "must not be kept",
        **new_inline("interfaces", 0, name="a", mac_kind="observed", addressing="none", primary="on"),
        "interfaces-1-name": "b",
        "interfaces-1-mac_kind": "observed",
        "interfaces-1-addressing": "static",
        "interfaces-1-ipv4": "192.0.2.30",
        "interfaces-1-segment": segment.pk,
        "interfaces-1-a_record": "on",
        "interfaces-TOTAL_FORMS": 2,
    }
    problems = errors_of(browser.post(url("host", "change", vm09.pk), data))
    assert problems == {
        "__all__": ["vm09-mgmt belongs to vm09-mgmt; give vm09 another, or change it there first."]
    }
    assert revision(site) == before
    vm09.refresh_from_db()
    assert (vm09.notes, vm09.interfaces.count()) == ("", 0)


def test_the_primary_mark_moves_in_one_go(browser, site, host):
    with change(site, by="test"):
        first = host.interfaces.get()
        first.primary = True
        first.save()
        Interface(host=host, name="eth1", position=1).save()
    data = shown(browser, url("host", "change", host.pk))
    del data["interfaces-0-primary"]
    data["interfaces-1-primary"] = "on"
    send(browser, url("host", "change", host.pk), data)
    assert host.interfaces.get(primary=True).name == "eth1"
    data = shown(browser, url("host", "change", host.pk)) | {"interfaces-0-primary": "on"}
    assert errors_of(browser.post(url("host", "change", host.pk), data)) == {
        "interfaces": ["eth0 and eth1 are both marked primary; a host has one primary interface."]
    }


def test_groups_are_chosen_on_the_hosts_page(browser, site, host):
    before = revision(site)
    data = shown(browser, url("host", "change", host.pk))
    assert len(data["in_groups"]) == 1
    data["in_groups"] = []
    send(browser, url("host", "change", host.pk), data)
    assert not Membership.objects.filter(host=host).exists()
    assert revision(site) == before + 1


@pytest.mark.parametrize(
    "text",
    [
        "bc:24:11:ce:51:ec",
        "BC-24-11-CE-51-EC",
        "bc24.11ce.51ec",
        "BC2411CE51EC",
        "ce-51-ec",
        "11CE51",
        "e:51:ec",
        "192.0.2.10",
        "artifacts",
        "red door",
        "pi01",
        "pi 192.0.2",
    ],
)
def test_a_host_is_found_by_what_people_know_of_it(browser, site, host, text):
    with change(site, by="test"):
        Host(site=site, name="other").save()
        Interface(host=host, name="wlan0", mac="bc:24:11:ce:51:ed").save()
    rows = browser.get(url("host"), {"q": text}).context["cl"].result_list
    assert [row.name for row in rows] == ["pi01"]
    assert browser.get(url("interface"), {"q": "BC-24-11-CE-51-EC"}).context["cl"].result_count == 1
    assert browser.get(url("identity"), {"q": "bc2411ce51ec"}).context["cl"].result_count == 1


def test_retiring_asks_why_and_is_one_change(browser, site, host):
    before = revision(site)
    chosen = {"action": "retire", "_selected_action": [host.pk]}
    asked = browser.post(url("host"), chosen | {"index": 0})
    assert b"Reason for this change" in asked.content
    again = browser.post(url("host"), chosen | {"confirmed": "1", "why": " "})
    assert b"Say why; nothing was changed yet." in again.content
    assert revision(site) == before
    send(browser, url("host"), chosen | {"confirmed": "1", "why": "broken"})
    host.refresh_from_db()
    assert host.status == "retired"
    assert revision(site) == before + 1
    assert latest_change().why == "broken"
    assert host.history.first().change == latest_change()
    assert Identity.objects.get(value="192.0.2.10").state == "quarantined"


def test_retiring_hosts_of_two_sites_changes_each_once(browser, site, host):
    other = Site(slug="home")
    with change(other, by="test"):
        pass
    with change(other, by="test"):
        Host(site=other, name="pi01").save()
    before = revision(site), revision(other)
    everyone = list(Host.objects.values_list("pk", flat=True))
    data = {"action": "retire", "_selected_action": everyone, "confirmed": "1", "why": "moving out"}
    send(browser, url("host"), data)
    assert (revision(site), revision(other)) == (before[0] + 1, before[1] + 1)


def test_a_host_is_retired_and_reactivated_from_its_own_page(browser, host):
    page = url("host", "change", host.pk).replace("change/", "retire/")
    assert browser.get(page).status_code == 200
    send(browser, page, {"confirmed": "1", "why": "spare part"})
    assert Host.objects.get(pk=host.pk).status == "retired"
    send(browser, page.replace("retire/", "reactivate/"), {"confirmed": "1", "why": "needed again"})
    assert Host.objects.get(pk=host.pk).status == "active"
    assert Identity.objects.get(value="192.0.2.10", state="held").host == host


def test_retiring_in_the_form_needs_a_reason(browser, host):
    data = shown(browser, url("host", "change", host.pk)) | {"status": "retired"}
    problems = errors_of(browser.post(url("host", "change", host.pk), data))
    assert list(problems) == ["why"]
    send(browser, url("host", "change", host.pk), data | {"why": "gone"})


def test_reactivating_and_renaming_in_the_form_need_a_reason(browser, host):
    at = url("host", "change", host.pk)
    answer = browser.post(at, shown(browser, at) | {"name": "pi02"})
    assert "Acts, Rename shows every place that names the old one" in answer.content.decode()
    send(browser, at, shown(browser, at) | {"name": "pi02", "why": "the second of its kind"})
    send(browser, at, shown(browser, at) | {"status": "retired", "why": "gone"})
    answer = browser.post(at, shown(browser, at) | {"status": "active"})
    assert "Say why it comes back" in answer.content.decode()
    send(browser, at, shown(browser, at) | {"status": "active", "why": "found again"})
    host.refresh_from_db()
    assert (host.name, host.status) == ("pi02", "active")


def test_deleting_needs_a_reason_and_leaves_the_identities_in_quarantine(browser, site, host):
    before = revision(site)
    page = url("host", "delete", host.pk)
    assert b"Say why" in browser.post(page, {"post": "yes"}).content
    assert Host.objects.filter(pk=host.pk).exists()
    send(browser, page, {"post": "yes", "why": "never existed"})
    assert not Host.objects.filter(pk=host.pk).exists()
    assert revision(site) == before + 1
    assert Host.history.filter(id=host.pk).first().history_type == "-"
    assert Interface.history.filter(host_id=host.pk).first().change == latest_change()
    assert set(Identity.objects.values_list("state", flat=True)) == {"quarantined"}


def test_deleting_many_needs_a_reason(browser, site, host):
    chosen = {"action": "delete_selected", "_selected_action": [host.pk]}
    assert b"Reason for this change" in browser.post(url("host"), chosen | {"index": 0}).content
    assert b"Say why" in browser.post(url("host"), chosen | {"post": "yes"}).content
    assert Host.objects.exists()
    send(browser, url("host"), chosen | {"post": "yes", "why": "mistake"})
    assert not Host.objects.exists()
    assert latest_change().why == "mistake"


def test_the_list_takes_as_many_queries_for_sixty_hosts_as_for_ten(
    browser, site, segment, host, django_assert_num_queries
):
    from django.db import connection

    def queries(page: str, **q: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert browser.get(url(page), q).status_code == 200
        return len(seen)

    def grow(first: int, last: int) -> None:
        with change(site, by="test"):
            for n in range(first, last):
                row = Host(site=site, name=f"vm{n:02}", form="vm")
                row.save()
                Interface(host=row, name="eth0", mac=f"02:00:00:00:00:{n:02x}", segment=segment).save()
                Service(host=row, name=f"svc{n}").save()
                Membership(host=row, group=host.groups.get()).save()

    grow(0, 9)
    pages = [("host", {}), ("host", {"q": "02-00-00"}), ("interface", {}), ("service", {}), ("group", {})]
    pages += [("segment", {}), ("identity", {}), ("change", {})]
    queries("host")
    few = [queries(page, **q) for page, q in pages]
    grow(9, 60)
    assert [queries(page, **q) for page, q in pages] == few


def test_history_names_person_reason_and_revision(browser, site, host):
    data = shown(browser, url("host", "change", host.pk)) | {"location": "shelf 3", "why": "tidied up"}
    send(browser, url("host", "change", host.pk), data)
    page = browser.get(url("host", "history", host.pk)).content.decode()
    for text in ("tidied up", "shelf 3", "ada", "admin", str(revision(site))):
        assert text in page
    version = host.history.first().pk
    detail = url("host", "simple_history", host.pk, version)
    assert browser.get(detail).status_code == 200
    assert browser.post(detail, data).status_code == 403
    log = browser.get(url("change", "change", Change.objects.latest("id").pk)).content.decode()
    assert "shelf 3" in log and "pi01" in log


def test_a_new_mac_takes_the_address_that_it_gives_along(browser, site, segment, host):
    with change(site, by="test"):
        segment.network6 = "2001:db8::/64"
        segment.save()
        row = host.interfaces.get()
        row.ipv6 = ["2001:db8::7", "eui64"]
        row.save()
    assert row.ipv6 == ["2001:db8::7", "2001:db8::be24:11ff:fece:51ec"]
    page = url("interface", "change", row.pk)
    send(browser, page, shown(browser, page) | {"mac": "02-00-5E-00-53-01"})
    row.refresh_from_db()
    assert row.ipv6 == ["2001:db8::7", "2001:db8::5eff:fe00:5301"]
