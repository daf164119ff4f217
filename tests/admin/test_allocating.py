"""Identities are handed out in the browser as in the shell: through the same function, with a message."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from inventory.allocation import Wanted, allocate
from inventory.changes import change
from inventory.models import Group, Host, Interface, Site
from tests.admin.pages import latest_change, send, shown, url
from tests.allocation.conftest import make_site

pytestmark = pytest.mark.django_db
ASKED = {"family": "4", "group": "00"}


@pytest.fixture
def site(db) -> Site:
    return make_site()


@pytest.fixture
def host(site) -> Host:
    handout = allocate(site, Wanted(role="dns", form="vm"), by="fixture")
    return Host.objects.get(name=handout.host)


def messages(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def allocated(browser, host, **asked):
    """The page after the host's *Allocate* was sent."""
    return browser.post(url("host", "allocate_for_this", host.pk), {**ASKED, **asked}, follow=True)


def test_a_host_gets_what_it_lacks_and_the_message_says_what(browser, site, host):
    assert browser.get(url("host", "allocate_for_this", host.pk)).status_code == 200
    lan = site.segments.get(name="management")
    page = allocated(
        browser, host, mac="on", address="on", vmid="on", segment=lan.pk, why="a second resolver"
    )
    done, offered, warned = messages(page)
    assert offered.endswith(">Undo</a>")
    assert done == "Handed out to dns-vm01/eth0: VMID 200, MAC 02:de:20:01:00:01, address 192.0.2.2."
    assert warned.startswith(
        "The hypervisors were not asked: see that no machine there has VMID 200 already."
    )
    host.refresh_from_db()
    assert (host.vmid, host.interfaces.get().ipv4) == (200, "192.0.2.2")
    assert (latest_change().by_name, latest_change().why) == ("ada", "a second resolver")


def test_what_is_exhausted_is_an_error_on_the_page(browser, site, host):
    with change(site, by="test"):
        site.vmid_first = site.vmid_last = 200
        site.save()
        Host(site=site, name="dns-vm09", vmid=200).save()
    page = allocated(browser, host, vmid="on")
    assert (
        "Site lab has no free VMID in 200-200; retire a machine or widen the range." in page.content.decode()
    )
    assert Host.objects.get(pk=host.pk).vmid is None


def test_asking_for_nothing_is_an_error(browser, host):
    assert "Say what is to be handed out" in allocated(browser, host).content.decode()


def test_a_range_that_is_none_is_an_error_beside_its_field(browser, site, host):
    page = allocated(browser, host, address="on", span="192.0.2.5")
    assert "Write first and last address" in page.content.decode()


def test_what_is_there_already_is_shown_beside_what_can_be_had(browser, site, host):
    allocate(site, Wanted(host=host.name, mac=True, vmid=True), by="fixture")
    page = browser.get(url("host", "allocate_for_this", host.pk)).content.decode()
    assert "<dt>VMID</dt><dd>200</dd>" in page
    assert "<dt>eth0</dt><dd>02:de:20:01:00:01, no IPv4 address, in no segment</dd>" in page


def test_the_page_of_an_interface_asks_for_no_other_interface(browser, site, host):
    lan = site.segments.get(name="management")
    allocate(site, Wanted(host=host.name, mac=True, segment=lan.name), by="fixture")
    address = url("interface", "allocate_for_this", host.interfaces.get().pk)
    asked_for = browser.get(address).context["form"].fields
    assert not {"interface", "segment"} & set(asked_for)
    browser.post(address, {**ASKED, "address": "on"})
    assert host.interfaces.get().ipv4 == "192.0.2.2"


def test_what_the_site_or_the_host_cannot_have_is_not_offered(browser, site, host):
    with change(site, by="test"):
        site.mac_encoding = "vmid"
        site.save()
        box = Host(site=site, name="dns-ph01", form="ph")
        box.save()
    assert "group" not in browser.get(url("host", "allocate_for_this", host.pk)).context["form"].fields
    assert "vmid" not in browser.get(url("host", "allocate_for_this", box.pk)).context["form"].fields


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"vmid": "on", "span": "192.0.2.2-192.0.2.3"}, "A range is for an address; tick the address too."),
        (
            {"vmid": "on", "interface": "eth1"},
            "This says where a MAC or an address goes; tick one of them too.",
        ),
    ],
)
def test_what_would_be_ignored_is_an_error_beside_its_field(browser, host, asked, said):
    assert said in allocated(browser, host, **asked).content.decode()
    assert Host.objects.get(pk=host.pk).vmid is None


def test_an_interface_gets_what_it_lacks(browser, site, host):
    with change(site, by="test"):
        row = Interface(host=host, name="ens18")
        row.save()
    browser.post(url("interface", "allocate_for_this", row.pk), {**ASKED, "interface": "ens18", "mac": "on"})
    row.refresh_from_db()
    assert (row.mac, row.mac_kind) == ("02:de:20:01:00:01", "assigned")


@pytest.fixture
def eth0(site, host) -> Interface:
    allocate(site, Wanted(host=host.name, mac=True), by="fixture")
    with change(site, by="fixture"):
        named: Any = {"files": ["grub.cfg-01-02-de-20-01-00-01"]}
        Group(site=site, name="boot", variables=named).save()
    return Interface.objects.get()


def test_an_assigned_mac_is_shown_and_not_edited(browser, eth0):
    for page, name in (
        (url("interface", "change", eth0.pk), "mac"),
        (url("host", "change", eth0.host.pk), "interfaces-0-mac"),
    ):
        data = shown(browser, page)
        send(browser, page, {**data, name: "02:de:20:01:00:77", "why": "by hand"})
        eth0.refresh_from_db()
        assert eth0.mac == "02:de:20:01:00:01"


def test_reidentifying_shows_what_names_the_old_mac_asks_why_and_does_it(browser, eth0):
    here = browser.get(url("interface", "reidentify_this", eth0.pk)).url
    seen = browser.get(here)
    page = seen.content.decode()
    assert "02:de:20:01:00:02" in page
    assert "group boot, variables.files.0: <code>grub.cfg-01-02-de-20-01-00-01</code>" in page
    answers = {"fingerprint": seen.context["plan"].fingerprint, "answers": seen.context["answers"]}
    assert "Say why; nothing was changed yet." in browser.post(here, answers).content.decode()
    page = browser.post(here, {**answers, "why": "new card"}, follow=True)
    assert "MAC 02:de:20:01:00:01 → 02:de:20:01:00:02" in messages(page)[0]
    eth0.refresh_from_db()
    assert eth0.mac == "02:de:20:01:00:02"
    assert latest_change().why == "new card"


def test_what_was_shown_and_is_no_longer_so_is_not_done(browser, eth0):
    here = browser.get(url("interface", "reidentify_this", eth0.pk)).url
    answers = browser.get(here).context["answers"]
    page = browser.post(here, {"fingerprint": "another", "answers": answers, "why": "new card"})
    assert messages(page) == ["The site has changed since; this is the plan now. Nothing was done yet."]
    eth0.refresh_from_db()
    assert eth0.mac == "02:de:20:01:00:01"


def test_who_may_only_look_is_refused(site, host, eth0):
    reader = User.objects.create_user("eve", password="a long password", is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(reader)
    for page in (
        url("host", "allocate_for_this", host.pk),
        url("interface", "allocate_for_this", eth0.pk),
        reverse("admin:reidentify_interface", args=(site.slug, eth0.pk)),
    ):
        assert client.get(page).status_code == 403, page
        assert client.post(page, {**ASKED, "vmid": "on", "why": "x", "confirmed": "1"}).status_code == 403, (
            page
        )
    assert Host.objects.get().vmid is None


def test_who_may_change_hosts_alone_hands_out_no_mac(site, host):
    person = User.objects.create_user("bob", password="a long password", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=["view_host", "change_host"]))
    client = Client()
    client.force_login(person)
    assert client.post(url("host", "allocate_for_this", host.pk), {**ASKED, "mac": "on"}).status_code == 403
    assert not Interface.objects.exists()
