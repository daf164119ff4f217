"""One field for everything, and what a value is."""

from __future__ import annotations

import io
import json

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.test import Client

from inventory.changes import change
from inventory.models import Grant, Host, Interface, Site

pytestmark = pytest.mark.django_db


@pytest.fixture
def elsewhere(db):
    site = Site(slug="secret-lab", root_domain="example.net")
    with change(site, by="fixture", why="hidden red door"):
        other = Host(site=site, name="pi77", notes="behind the red door")
        other.save()
        Interface(host=other, name="eth0", mac="bc:24:11:00:00:77").save()
    return site


@pytest.fixture
def kim(site):
    user = User.objects.create_user("kim", is_staff=True)
    Grant.objects.create(user=user, site=site, level="viewer")
    client = Client()
    client.force_login(user)
    return client


def test_an_address_is_answered_with_its_host(browser, host):
    page = browser.get("/admin/find/", {"q": "192.0.2.10"}).content.decode()
    assert "interface pi01/eth0" in page and "pi01.lab.example.net A 192.0.2.10" in page
    assert f"/admin/inventory/host/{host.pk}/change/" in page


def test_live_results_lead_to_rows(browser, host):
    page = browser.get("/admin/find/live/", {"q": "ce-51"}).content.decode()
    assert (
        f'href="/admin/inventory/host/{host.pk}/change/"' in page
        and "MAC: bc:24:11:<mark>ce:51</mark>:ec" in page
    )


def test_reasons_and_what_was_given_up_are_found(browser, site, host):
    with change(site, by="ada", why="the flood of may"):
        host.status = "retired"
        host.save()
    assert b"the <mark>flood</mark> of may" in browser.get("/admin/find/", {"q": "flood"}).content
    page = browser.get("/admin/find/", {"q": "192.0.2.10"}).content.decode()
    assert "quarantined" in page and "the flood of may" in page


def test_who_may_see_one_site_finds_nothing_of_another(kim, host, elsewhere):
    for text in ("pi77", "red door", "bc:24:11:00:00:77", "hidden", "pi7"):
        for page in ("/admin/find/", "/admin/find/live/", "/admin/resolve/"):
            content = kim.get(page, {"q": text}).content.decode()
            assert "secret-lab" not in content and ">pi77" not in content, (page, text)


@pytest.mark.parametrize(
    "text", ["", "\0", "<script>alert(1)</script>", "%", "'", "x" * 5000, "\uff11\uff12"]
)
@pytest.mark.parametrize("page", ["find/", "find/live/", "resolve/"])
def test_whatever_is_typed_is_answered(browser, host, page, text):
    answer = browser.get(f"/admin/{page}", {"q": text})
    assert answer.status_code == 200 and b"<script>alert(1)" not in answer.content


def test_a_shell_resolves_with_an_exit_code(host):
    out = io.StringIO()
    call_command("resolve", "pi01", stdout=out)
    assert "declared: host pi01: its name" in out.getvalue()
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("resolve", "pi1", "--json", stdout=out)
    assert ended.value.code == 1
    assert json.loads(out.getvalue())[0]["near"] == ["pi01"]


@pytest.mark.parametrize("text", ["pi01", "PI01.lab.example.net", "192.0.2.10", "BC-24-11-CE-51-EC"])
def test_the_only_one_is_gone_to_and_said_to_be(browser, host, text):
    answer = browser.get("/admin/find/", {"q": text, "go": "1"}, follow=True)
    assert answer.redirect_chain == [(f"/admin/inventory/host/{host.pk}/change/", 302)]
    (said,) = answer.context["messages"]
    assert "is here:" in str(said) and "Everything about it" in str(said)


def test_what_is_not_one_thing_is_listed(browser, host, elsewhere):
    with change(elsewhere, by="fixture"):
        Host(site=elsewhere, name="pi01").save()
    for text in ("pi01", "pi0", "192.0.2.11"):
        assert browser.get("/admin/find/", {"q": text, "go": "1"}).status_code == 200


def test_another_sites_namesake_does_not_keep_one_from_going(kim, host, elsewhere):
    with change(elsewhere, by="fixture"):
        Host(site=elsewhere, name="pi01").save()
    answer = kim.get("/admin/find/", {"q": "pi01", "go": "1"})
    assert answer.status_code == 302 and answer.url == f"/admin/inventory/host/{host.pk}/change/"


def test_all_of_one_kind_are_listed(browser, site, host):
    with change(site, by="fixture") as the_change:
        the_change.create([Host(site=site, name=f"web{n:02}") for n in range(12)])
    page = browser.get("/admin/find/", {"q": "web"})
    (hosts,) = [one for one in page.context["sections"] if one.title == "Hosts"]
    assert (len(hosts.lines), hosts.count, hosts.has_more) == (10, 12, True)
    (hosts,) = browser.get(hosts.all).context["sections"]
    assert len(hosts.lines) == 12


def test_a_free_address_says_so_and_what_to_do(browser, site, segment, host):
    page = browser.get("/admin/find/", {"q": "192.0.2.11"}).content.decode()
    assert "free" in page and "beside it: pi01 192.0.2.10" in page
    assert f"/admin/inventory/segment/{segment.pk}/change/" in page and "/acts/lab/new-vm/" in page
    assert "free" in browser.get("/admin/find/live/", {"q": "192.0.2.11"}).content.decode()


def test_a_name_that_nobody_has_can_be_declared(browser, kim, site, host):
    page = browser.get("/admin/find/", {"q": "pi1"}).content.decode()
    assert "look alike" in page and f"/admin/inventory/host/add/?site={site.pk}&amp;name=pi1" in page
    assert "/host/add/" not in kim.get("/admin/find/", {"q": "pi1"}).content.decode()


def test_who_may_see_hosts_alone_finds_hosts_alone(site, host):
    with change(site, by="ada", why="the flood of may"):
        host.notes = "wet"
        host.save()
    user = User.objects.create_user("lee", is_staff=True)
    user.user_permissions.add(
        *Permission.objects.filter(
            codename__in=["view_host", "view_site"], content_type__app_label="inventory"
        )
    )
    client = Client()
    client.force_login(user)
    for text in ("pi01", "management", "pis", "192.0.2.10", "flood"):
        for page in ("find/", "find/live/", "resolve/"):
            content = client.get(f"/admin/{page}", {"q": text}).content.decode()
            for hidden in (
                "/inventory/segment/",
                "/inventory/group/",
                "the flood of may",
                "interface pi01/eth0",
                ">held<",
            ):
                assert hidden not in content, (page, text, hidden)
