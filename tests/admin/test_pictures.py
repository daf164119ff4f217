"""The pages of pictures: what they show, where they lead, and who may."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from inventory.changes import change
from inventory.models import Grant, Host, Interface, Role, Segment, Service, Site
from tests.admin.pages import latest_change, url
from tests.admin.test_imported import ODD
from tests.importers.site_support import PASSWORD, imported
from tests.importers.tree_support import write_tree
from tests.shared_data import require_sample

pytestmark = pytest.mark.django_db


def at(name, *arguments, **query):
    from django.utils.http import urlencode

    return reverse(f"admin:{name}", args=arguments) + (f"?{urlencode(query)}" if query else "")


def text(answer):
    return answer.content.decode()


def granted(level, site):
    user = User.objects.create_user(f"{level}-{site}", password="a long password", is_staff=True)
    if site:
        Grant(user=user, site=site, level=level).save()
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def pages(site, segment, host):
    return {
        "segments_picture": at("segments_picture", site.slug),
        "address_map": at("address_map", site.slug, segment.pk),
        "topology_picture": at("topology_picture", site.slug),
        "mac_namespace": at("mac_namespace", site.slug),
        "mac_instances": at("mac_instances", site.slug, "01", "00"),
        "failure_domains": at("failure_domains", site.slug),
        "falls_with": at("falls_with", site.slug, host.pk),
    }


# --- who may ---


def test_a_viewer_of_the_site_sees_them_all_and_gives_nothing(site, segment, pages):
    viewer = granted("viewer", site)
    for page in pages.values():
        assert viewer.get(page).status_code == 200, page
    assert "pictures/give/" not in text(viewer.get(pages["address_map"]))
    assert viewer.get(at("give_address", site.slug, segment.pk)).status_code == 403


def test_whoever_sees_another_site_alone_learns_nothing(site, pages):
    other = Site(slug="other", root_domain="example.net")
    with change(other, by="fixture"):
        pass
    stranger = granted("operator", other)
    for page in pages.values():
        assert stranger.get(page).status_code == 404, page


def test_rows_of_another_site_are_not_found_below_this_one(browser, site, segment, host):
    other = Site(slug="other", root_domain="example.net")
    with change(other, by="fixture"):
        pass
    for name, pk in (("address_map", segment.pk), ("give_address", segment.pk), ("falls_with", host.pk)):
        assert browser.get(at(name, "other", pk)).status_code == 404


def test_the_menu_leads_straight_to_the_only_site_and_else_asks(browser, site):
    for name, led in (
        ("segments", "segments_picture"),
        ("topology", "topology_picture"),
        ("macs", "mac_namespace"),
        ("fate", "failure_domains"),
    ):
        assert browser.get(at(f"{name}_somewhere")).url == at(led, "lab")
    other = Site(slug="other", root_domain="example.net")
    with change(other, by="fixture"):
        pass
    answer = browser.get(at("topology_somewhere"))
    assert at("topology_picture", "other") in text(answer) and at("topology_picture", "lab") in text(answer)


def test_an_empty_site_says_what_to_do_next(browser, site):
    assert "Add the first one" in text(browser.get(at("segments_picture", "lab")))
    assert "Add a host" in text(browser.get(at("topology_picture", "lab")))
    assert "Add a host" in text(browser.get(at("failure_domains", "lab")))
    said = text(browser.get(at("mac_namespace", "lab")))
    assert "declares no organisation" in said and "Give it a first and a last one" in said


# --- segments and maps ---


def test_the_use_of_a_segment_is_listed(browser, site, segment, host):
    assert "2 of 126, 2 %" in text(browser.get(at("segments_picture", "lab")))
    assert "2/126" in text(browser.get(url("segment")))
    led = browser.get(at("inventory_segment_address_map_for_this", segment.pk)).url
    assert led == at("address_map", "lab", segment.pk)


def test_the_map_tells_of_a_host_with_its_mac_and_since_when(browser, site, segment, host):
    said = text(browser.get(at("address_map", "lab", segment.pk)))
    assert "192.0.2.10: host pi01/eth0, with a DHCP reservation, MAC bc:24:11:ce:51:ec, since" in said
    assert at("go", "lab", "host", "pi01") in said
    assert at("give_address", "lab", segment.pk, address="192.0.2.11") in said


def test_a_cell_says_once_what_it_is(browser, site, segment, host):
    told = [cell.told for cell in browser.get(at("address_map", site.slug, segment.pk)).context["cells"]]
    assert told[0] == "192.0.2.0: network address"
    assert told[1] == "192.0.2.1: gateway of management"
    assert told[2] == "192.0.2.2: free, the segment has no static range"
    assert told[10].startswith(
        "192.0.2.10: host pi01/eth0, with a DHCP reservation, MAC bc:24:11:ce:51:ec, since "
    )


def test_an_ipv6_address_tells_since_when_it_is_held(browser, site, segment, host):
    with change(site, by="fixture"):
        segment.network6 = "2001:db8:99::/64"
        segment.save()
        row = host.interfaces.get()
        row.ipv6 = ["2001:db8:99::10"]
        row.save()
    (line,) = browser.get(at("address_map", site.slug, segment.pk)).context["lines6"]
    assert line.cell.address == "2001:db8:99::10"
    assert line.told.startswith("pi01/eth0, MAC bc:24:11:ce:51:ec, since ")


def test_a_quarantined_address_leads_to_the_ledger(browser, site, segment, host):
    with change(site, by="ada", why="gone"):
        host.status = "retired"
        host.save()
    said = text(browser.get(at("address_map", "lab", segment.pk)))
    assert "192.0.2.10: quarantined, given up by pi01, since" in said
    assert "/admin/inventory/identity/?q=192.0.2.10" in said


@pytest.mark.parametrize(
    "part", ["rubbish", "10.0.0.0/8", "192.0.2.0/24", "192.0.2.1/31", "\0", "2001:db8::/64"]
)
def test_a_part_that_is_none_is_refused_in_words(browser, site, segment, part):
    answer = browser.get(at("address_map", "lab", segment.pk, **{"in": part}))
    assert answer.status_code == 404


@pytest.mark.parametrize("query", ["state=nonsense", "page=x", "page=-1", "state=%00", "in="])
def test_nonsense_in_the_query_string_is_ignored(browser, site, segment, query):
    assert browser.get(f"{at('address_map', 'lab', segment.pk)}?{query}").status_code == 200


def test_a_segment_without_a_network_says_so(browser, site):
    row = Segment(site=site, name="blackhole", vlan=999, policy="none")
    with change(site, by="fixture"):
        row.save()
    assert "has no network, and so no addresses" in text(browser.get(at("address_map", "lab", row.pk)))


def test_a_large_segment_is_shown_in_blocks(browser, site):
    row = Segment(site=site, name="wide", vlan=5, network4="10.0.0.0/16")
    with change(site, by="fixture"):
        row.save()
    assert "?in=10.0.7.0%2F24" in text(browser.get(at("address_map", "lab", row.pk)))
    inside = text(browser.get(at("address_map", "lab", row.pk, **{"in": "10.0.7.0/24"})))
    assert "10.0.7.9: free, the segment has no static range" in inside


# --- giving ---


@pytest.fixture
def bare(site):
    row = Host(site=site, name="pi02", form="pi")
    with change(site, by="fixture"):
        row.save()
    return row


def test_exactly_this_address_is_given(browser, site, segment, bare):
    page = at("give_address", "lab", segment.pk, address="192.0.2.77")
    assert "pi02" in text(browser.get(page))
    answer = browser.post(page, {"host": "pi02", "interface": "", "why": "a sensor"})
    assert answer.status_code == 302
    assert Interface.objects.get(host=bare).ipv4 == "192.0.2.77"
    assert (latest_change().why, latest_change().source) == ("a sensor", "admin")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("192.0.2.10", "cannot be given: pi01/eth0"),
        ("192.0.2.1", "gateway of management"),
        ("192.0.2.0", "network address"),
    ],
)
def test_an_address_that_is_taken_is_not_offered(browser, site, segment, host, address, said):
    page = at("give_address", "lab", segment.pk, address=address)
    assert said in text(browser.get(page))
    assert browser.post(page, {"host": "pi01"}).status_code == 200


@pytest.mark.parametrize("address", ["198.51.100.1", "rubbish", "2001:db8::1", "192.0.2.1\0"])
def test_an_address_that_is_none_of_the_segment_is_not_found(browser, site, segment, address):
    assert browser.get(at("give_address", "lab", segment.pk, address=address)).status_code == 404


def test_an_unknown_host_and_one_that_has_an_address_are_refused_and_nothing_is_stored(
    browser, site, segment, host
):
    page = at("give_address", "lab", segment.pk, address="192.0.2.77")
    assert "has no host “nobody”" in text(browser.post(page, {"host": "nobody"}))
    said = text(browser.post(page, {"host": "pi01"}))
    assert "pi01/eth0 has 192.0.2.10 already; name another interface" in said
    assert latest_change().by_name == "fixture"


def test_an_operator_without_the_right_to_add_interfaces_is_refused(site, segment):
    viewer = granted("viewer", site)
    answer = viewer.post(at("give_address", "lab", segment.pk, address="192.0.2.77"), {"host": "pi01"})
    assert answer.status_code == 403


# --- topology, MACs, fate ---


def test_the_topology_shows_hosts_and_services_and_filters_them(browser, site, segment, host):
    said = text(browser.get(at("topology_picture", "lab")))
    assert "Service artifacts on pi01" in said and at("go", "lab", "host", "pi01") in said
    assert "No host of lab is like that" in text(browser.get(at("topology_picture", "lab", form="hv")))
    assert browser.get(at("topology_picture", "lab", segment="\0", form="<b>")).status_code == 200


def test_names_are_escaped_in_the_picture(browser, site, segment, host):
    with change(site, by="fixture"):
        segment.name = "a<b>&"
        segment.save()
    said = text(browser.get(at("topology_picture", "lab")))
    assert "a<b>" not in said


def test_instances_of_a_group_are_shown_with_their_hosts(browser, site, segment, host):
    with change(site, by="fixture"):
        site.organisation, site.environment = "de", "10"
        site.save()
        Role(site=site, slug="dns", code="01").save()
        row = host.interfaces.get()
        row.mac, row.mac_kind = "02:de:10:01:00:07", "assigned"
        row.save()
    said = text(browser.get(at("mac_namespace", "lab")))
    assert at("mac_instances", "lab", "01", "00") in said
    said = text(browser.get(at("mac_instances", "lab", "01", "00")))
    assert "02:de:10:01:00:07: used: pi01" in said and "02:de:10:01:00:08: free" in said
    for wrong in (("zz", "00"), ("01", "0"), ("1", "00")):
        assert browser.get(at("mac_instances", "lab", *wrong)).status_code == 404


def test_what_falls_with_a_host_says_why(browser, site, segment, host):
    with change(site, by="fixture"):
        carrier = Host(site=site, name="hv01", form="hv")
        carrier.save()
        machine = Host(site=site, name="vm01", form="vm", hypervisor=carrier)
        machine.save()
        Service(host=machine, name="web").save()
    said = text(browser.get(at("falls_with", "lab", carrier.pk)))
    assert "runs on hv01" in said and "web on vm01" in said
    assert at("falls_with", "lab", carrier.pk) in text(browser.get(at("failure_domains", "lab")))
    assert "Nothing falls with" not in said
    led = browser.get(at("inventory_host_show_what_falls", carrier.pk)).url
    assert led == at("falls_with", "lab", carrier.pk)


# --- what an import kept of a living site ---


@pytest.mark.parametrize("tree", ["odd", "sample"])
def test_every_picture_of_an_imported_site_can_be_looked_at(browser, db, tmp_path, tree):
    if tree == "odd":
        imported(write_tree(tmp_path / "tree", {"hosts.yml": ODD}))
    else:
        imported(require_sample(), password=PASSWORD)
    slug = Site.objects.get().slug
    pages = [
        at(name, slug)
        for name in ("segments_picture", "topology_picture", "mac_namespace", "failure_domains")
    ]
    pages += [at("address_map", slug, pk) for pk in Segment.objects.values_list("pk", flat=True)]
    pages += [at("give_address", slug, pk) for pk in Segment.objects.values_list("pk", flat=True)]
    pages += [at("falls_with", slug, pk) for pk in Host.objects.values_list("pk", flat=True)]
    for name in Segment.objects.values_list("name", flat=True):
        pages.append(at("topology_picture", slug, segment=name))
    for page in pages:
        assert browser.get(page).status_code in (200, 302), page
