"""What an import kept of a living site can be edited: nobody must repair one field to change another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from inventory.models import Host, Interface, Role, Segment, Service, Site
from tests.admin.pages import errors_of, send, shown, url
from tests.importers.site_support import PASSWORD, imported
from tests.importers.tree_support import write_tree
from tests.shared_data import require_sample

pytestmark = pytest.mark.django_db

#: Everything that a person would be refused, and more than one claimant for most of it.
ODD = """
all:
  vars:
    deevnet_vlans:
      a: {vlan_id: 1, subnet: 192.0.2.0/24, gateway: 198.51.100.1, dhcp_range_start: 192.0.2.90, dhcp_range_end: 192.0.2.20}
      b: {vlan_id: 1, subnet: 192.0.2.128/25, gateway: 192.0.2.129}
      c: {vlan_id: 5, gateway: 192.0.2.129, subnet6: "2001:db8::/48"}
  hosts:
    Odd_Host:
      infrastructure: {form: toaster, interfaces: {eth0: {mac: "01:00:5e:00:53:01"}, eth1: {mac: "ff:ff:ff:ff:ff:ff"}}}
      env:
        role: No Role!
        interfaces:
          eth0:
            ip: 192.0.2.0
            segment: a
            dns: {host_a_record: true, cnames: ["*.x", a_b], pxe_boot: {tftp_server: bad host, boot_file: a b}}
          eth1: {ip: 203.0.113.9, segment: b}
    h1: &twin
      infrastructure: {form: pi, interfaces: {eth0: {mac: "02:00:5e:00:53:01"}}}
      env: {interfaces: {eth0: {ip: 192.0.2.7, segment: a, dns: {cnames: [web]}}}}
    h2: *twin
    H1: {}
"""
PAGES: dict[str, tuple[Any, str, str]] = {
    "host": (Host, "notes", "in the rack"),
    "interface": (Interface, "position", "7"),
    "role": (Role, "title", "no role at all"),
    "segment": (Segment, "trust", "little"),
    "service": (Service, "port", "81"),
    "site": (Site, "name", "the lab"),
}


@pytest.fixture(params=["odd", "sample"])
def site(request: Any, tmp_path: Path) -> Site:
    if request.param == "odd":
        imported(write_tree(tmp_path / "tree", {"hosts.yml": ODD}))
    else:
        imported(require_sample(), password=PASSWORD)
    return Site.objects.get()


@pytest.mark.parametrize("noun", PAGES)
def test_one_field_of_any_row_can_be_edited(browser: Client, site: Site, noun: str) -> None:
    model, field, value = PAGES[noun]
    revision = site.revision
    for row in model.objects.all():
        page = url(noun, "change", row.pk)
        untouched = shown(browser, page)
        send(browser, page, untouched)
        assert Site.objects.get().revision == revision
        send(browser, page, {**untouched, field: value, "why": "seen"})
        revision += 1
        assert Site.objects.get().revision == revision


@pytest.mark.parametrize("site", ["odd"], indirect=True)
def test_what_is_edited_is_judged(browser: Client, site: Site) -> None:
    page = url("interface", "change", Interface.objects.get(host__name="Odd_Host", name="eth0").pk)
    typed = {"mac": "03:00:5e:00:53:01", "ipv4": "192.0.2.7", "pxe_file": "b c"}
    problems = errors_of(browser.post(page, shown(browser, page) | typed))
    assert "multicast" in problems.pop("mac")[0]
    assert problems.pop("ipv4") == ["192.0.2.7 belongs to h1; choose another, or change it there first."]
    assert "boot file" in problems.pop("pxe_file")[0]
    assert not problems

    page = url("segment", "change", Segment.objects.get(name="c").pk)
    typed = {"network4": "192.0.2.64/26"}  # overlaps, and leaves the gateway outside
    assert set(errors_of(browser.post(page, shown(browser, page) | typed))) == {"network4", "gateway4"}
