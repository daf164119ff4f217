"""The first page and the findings: what an operator sees before anything else."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.test.utils import CaptureQueriesContext

from inventory.changes import change
from inventory.models import Authority, Consumer, Grant, Host, Interface, Site
from tests.admin.pages import url

pytestmark = pytest.mark.django_db


@pytest.fixture
def dispute(site, host):
    """Another host that an import found with the MAC of pi01."""
    with change(site, by="import", source="import"):
        other = Host(site=site, name="pi02", form="pi")
        other.save()
        Interface(host=other, name="eth0", mac="bc:24:11:ce:51:ec").save()
    return other


def test_an_empty_installation_says_what_to_do_next(browser):
    page = browser.get("/admin/").content.decode()
    assert "manage.py import_ansible path/to/inventory --site lab" in page
    for way in ("/admin/import/ansible/", "/admin/start/", "/admin/start/demo/", url("site", "add")):
        assert f'"{way}"' in page


def test_the_first_page_tells_of_each_site(browser, site, host, dispute):
    page = browser.get("/admin/")
    card = page.context["whole"]
    assert {one.label: one.number for one in card.counts} == {
        "hosts": 2,
        "interfaces": 2,
        "segments": 1,
        "services": 1,
    }
    assert [(one.label, one.number) for one in card.forms] == [("Raspberry Pi", 2)]
    text = page.content.decode()
    assert "lab.example.net" in text
    assert "none declared" in text
    assert 'href="/export/lab/kea"' in text
    assert card.number_of_findings > 0


def test_several_sites_are_shown_at_a_glance_and_each_has_its_page(browser, site, host):
    other = Site(slug="home", root_domain="example.net")
    with change(other, by="test"):
        pass
    page = browser.get("/admin/")
    assert [card.site.slug for card in page.context["cards"]] == ["home", "lab"]
    assert page.context["whole"] is None
    for card in page.context["cards"]:
        assert browser.get(card.page).context["whole"].site == card.site
    assert browser.get("/admin/site/nowhere/").status_code == 404


def test_who_may_see_one_site_learns_nothing_of_the_other(site, host):
    other = Site(slug="secret-lab", root_domain="example.net")
    with change(other, by="test", why="hidden away"):
        pass
    kim = User.objects.create_user("kim", is_staff=True)
    Grant.objects.create(user=kim, site=site, level="viewer")
    client = Client()
    client.force_login(kim)
    page = client.get("/admin/")
    assert page.context["whole"].site == site
    assert b"secret-lab" not in page.content and b"hidden away" not in page.content
    assert client.get("/admin/site/secret-lab/").status_code == 404


def test_consumers_that_need_a_look_are_named(browser, site, host):
    Consumer.objects.create(site=site, format="kea", name="router01", ok=False, message="no such pool")
    page = browser.get("/admin/")
    assert [(one.name, one.state) for one in page.context["whole"].late] == [("router01", "failed")]
    assert "no such pool" in page.content.decode()


def test_the_declared_authority_is_shown(browser, site):
    with change(site, by="test"):
        Authority(site=site, mode="gateway", by_name="ada", why="the router serves").save()
    assert browser.get("/admin/").context["whole"].snapshot.authority.mode == "gateway"


def test_every_link_of_the_first_page_leads_somewhere(browser, site, host, dispute):
    card = browser.get("/admin/").context["whole"]
    links = [one.page for one in (*card.counts, *card.statuses, *card.forms, *card.severities)]
    links += [address for _, address in card.acts]
    links += [told.page for told in card.worst if told.page] + [address for _, address in card.exports]
    for link in links:
        assert browser.get(link).status_code == 200, link


def test_the_first_page_judges_a_revision_once(browser, site, host, monkeypatch):
    from inventory.serving import judgement

    calls = []
    real = judgement.judge
    monkeypatch.setattr(
        judgement, "judge", lambda snapshot, today: calls.append(snapshot.revision) or real(snapshot, today)
    )
    browser.get("/admin/")
    browser.get("/admin/findings/lab/")
    assert len(calls) == 1
    with change(site, by="test"):
        Host(site=site, name="new").save()
    browser.get("/admin/")
    assert len(calls) == 2


def test_the_first_page_asks_as_much_for_many_hosts_as_for_few(browser, site, segment, host):
    from django.db import connection

    def queries() -> int:
        browser.get("/admin/")
        with CaptureQueriesContext(connection) as seen:
            browser.get("/admin/")
        return len(seen)

    few = queries()
    with change(site, by="test"):
        for n in range(40):
            Host(site=site, name=f"vm{n}").save()
    assert queries() == few


def test_findings_are_listed_with_the_way_out_and_by_severity(browser, site, host, dispute):
    page = browser.get("/admin/findings/lab/")
    subjects = {told.finding.subject: told.page for told in page.context["rows"]}
    assert any("bc:24:11:ce:51:ec" in subject for subject in subjects)
    assert all(
        told.finding.hint in page.content.decode() or "'" in told.finding.hint
        for told in page.context["rows"]
    )
    only = browser.get("/admin/findings/lab/", {"severity": "error"}).context["rows"]
    assert only and {told.finding.severity for told in only} == {"error"}
    rule = only[0].finding.id
    chosen = browser.get("/admin/findings/lab/", {"rule": rule}).context["rows"]
    assert {told.finding.id for told in chosen} == {rule}
    assert browser.get("/admin/findings/lab/", {"page": "99", "rule": "no-such-rule"}).status_code == 200


def test_subjects_lead_to_their_pages(site, host):
    from inventory.admin.judgement import pages_of

    service = host.services.get()
    pages = pages_of(
        site.pk,
        [
            "host pi01",
            "interface pi01/eth0",
            "segment management",
            "group pis",
            "service artifacts",
            "service artifacts on pi01",
            "site lab",
            "group all",
            "MAC bc:24:11:ce:51:ec",
            "address 192.0.2.10",
            "host nobody",
        ],
    )
    assert pages["host pi01"] == url("host", "change", host.pk)
    assert pages["interface pi01/eth0"] == url("interface", "change", host.interfaces.get().pk)
    assert pages["service artifacts"] == url("service", "change", service.pk)
    assert pages["service artifacts on pi01"] == url("service", "change", service.pk)
    assert pages["site lab"] == url("site", "change", site.pk)
    assert pages["group all"] == pages["site lab"]
    assert pages["address 192.0.2.10"].endswith("?q=192.0.2.10&kind__exact=ip")
    assert pages["MAC bc:24:11:ce:51:ec"].endswith("?q=bc%3A24%3A11%3Ace%3A51%3Aec&kind__exact=mac")
    assert {"segment management", "group pis"} <= set(pages)
    assert "host nobody" not in pages


def test_an_unknown_site_has_no_findings_page(browser):
    assert browser.get("/admin/findings/nowhere/").status_code == 404


def test_who_may_not_see_sites_sees_none_of_it(site, host):
    clerk = User.objects.create_user("carl", password="another password", is_staff=True)
    client = Client()
    client.force_login(clerk)
    page = client.get("/admin/")
    assert page.context["cards"] == []
    assert b"You may not see any site" in page.content
    assert client.get("/admin/findings/lab/").status_code == 403
    clerk.user_permissions.add(Permission.objects.get(codename="view_site"))
    assert client.get("/admin/findings/lab/").status_code == 200


def test_what_people_typed_is_never_taken_for_html(browser, site, host):
    with change(site, by="test", why="<script>alert(1)</script>"):
        host.notes = "<b>x</b>"
        host.location = "</textarea><script>"
        host.variables = {"a": "</textarea><script>alert(2)</script>"}
        host.save()
    for page in ("/admin/", url("host", "change", host.pk), url("host", "history", host.pk), url("change")):
        assert "<script>alert" not in browser.get(page).content.decode()
