"""Everything that points at a host, and its latest changes."""

from __future__ import annotations

import pytest
from django.urls import reverse

from inventory.changes import change
from inventory.models import Alias, Host, Interface, Service

pytestmark = pytest.mark.django_db


def told(browser, name: str, host) -> str:
    address = reverse(f"admin:{name}", args=("lab", host.pk))
    answer = browser.get(address, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert browser.get(address).status_code == 200  # the same as a page, without htmx
    return " ".join(answer.content.decode().split())


def test_rows_and_texts_that_point_at_a_host_are_listed(browser, site, segment, host):
    with change(site, by="test"):
        host.form = "hv"
        host.save()
        Alias(site=site, name="files", service=Service.objects.get(name="artifacts")).save()
        guest = Host(
            site=site, name="vm01", form="vm", hypervisor=host, variables={"proxy": "http://192.0.2.10:3128"}
        )
        guest.save()
        Interface(host=guest, name="eth0", switch=host, switch_port="7").save()
        segment.next_server = "192.0.2.10"
        segment.save()
    said = told(browser, "points_at_host", host)
    for subject in ("service artifacts", "alias files", "group pis", "host vm01", "interface vm01/eth0"):
        assert f">{subject}</a>" in said
    assert "proxy: <code>http://192.0.2.10:3128</code>" in said
    assert "next_server: <code>192.0.2.10</code>" in said
    assert "interface pi01/eth0" not in said  # its own columns are no news


def test_a_host_that_nothing_names_says_so(browser, site):
    with change(site, by="test"):
        host = Host(site=site, name="vm01")
        host.save()
    said = told(browser, "points_at_host", host)
    assert "Nothing refers to it." in said
    assert "No variable, note or field elsewhere names it" in said


def test_the_latest_changes_say_what_became_different(browser, site, host):
    with change(site, by="grace", why="a new card"):
        card = host.interfaces.get()
        card.mac = "02:de:10:01:00:07"
        card.save()
    said = told(browser, "latest_of_host", host)
    assert "grace" in said and "a new card" in said
    assert "02:de:10:01:00:07" in said


def test_another_sites_host_is_not_found(browser, site, host):
    assert browser.get(reverse("admin:points_at_host", args=("lab", 10**12))).status_code == 404
