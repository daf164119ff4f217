"""What a host needs, on its page, for many at once, and in a table."""

from __future__ import annotations

import pytest

from inventory import reading
from inventory.changes import change
from inventory.models import Host, HostNeed
from tests.admin.pages import errors_of, latest_change, new_inline, send, shown, url
from tests.admin.test_editing_many import apply, look, refused
from tests.admin.test_pointed import told

pytestmark = pytest.mark.django_db


@pytest.fixture
def nas(site) -> Host:
    row = Host(site=site, name="nas01", form="ph")
    with change(site, by="fixture"):
        row.save()
        Host(site=site, name="lic01", form="ph").save()
    return row


def needs(name: str = "pi01") -> tuple[str, ...]:
    return reading.load("lab").host_by_name[name].needs


def test_they_are_declared_and_taken_out_on_the_page_in_one_change_each(browser, host, nas):
    address = url("host", "change", host.pk)
    form = shown(browser, address)
    form |= new_inline("needs", 0, host=host.pk, needed=nas.pk)
    send(browser, address, {**form, "why": "it mounts its shares"})
    lic = Host.objects.get(name="lic01")
    send(browser, address, {**shown(browser, address), **new_inline("needs", 1, host=host.pk, needed=lic.pk)})
    assert needs() == ("nas01", "lic01")
    assert HostNeed.objects.get(needed=lic).history.get().change == latest_change()
    send(browser, address, {**shown(browser, address), "needs-0-DELETE": "on", "why": "no more"})
    assert needs() == ("lic01",)


def test_a_refusal_stands_beside_the_field(browser, host, nas):
    address = url("host", "change", host.pk)
    form = {**shown(browser, address), **new_inline("needs", 0, host=host.pk, needed=host.pk)}
    assert "A host cannot need itself." in str(errors_of(browser.post(address, form)))


def test_who_needs_a_host_is_told_beside_its_page(browser, host, nas):
    with change(host.site, by="ada"):
        HostNeed(host=host, needed=nas).save()
    said = told(browser, "points_at_host", nas)
    assert "Needed by" in said and ">host pi01</a>" in said
    assert "nas01 of pi01" in told(browser, "latest_of_host", host)


def test_who_needs_a_host_is_told_before_it_is_retired(browser, host, nas):
    with change(host.site, by="ada"):
        HostNeed(host=host, needed=nas).save()
    page = browser.post(url("host"), {"action": "retire", "_selected_action": [nas.pk]})
    assert "nas01</a> (active), needed by pi01" in " ".join(page.content.decode().split())


def test_a_retired_host_needs_nobody_any_more(browser, host, nas):
    with change(host.site, by="fixture"):
        host.status = "retired"
        host.save()
    page = browser.post(url("host"), {"action": "retire", "_selected_action": [nas.pk]}).content.decode()
    assert "nas01</a> (active)" in " ".join(page.split()) and "needed by" not in page


def test_many_hosts_get_and_lose_a_need_in_one_change(browser, host, nas):
    rows = [host, Host.objects.get(name="lic01")]
    edits = {"how_needs": "add", "needs": "nas01"}
    page = look(browser, "host", rows, **edits)
    assert apply(browser, "host", rows, page, **edits).status_code == 302
    assert needs() == needs("lic01") == ("nas01",)
    edits["how_needs"] = "remove"
    page = look(browser, "host", [host], **edits)
    assert apply(browser, "host", [host], page, **edits).status_code == 302
    assert (needs(), needs("lic01")) == ((), ("nas01",))


def test_a_need_of_an_unknown_host_is_refused_beside_its_row(browser, host, nas):
    page = look(browser, "host", [host], how_needs="add", needs="nas09")
    (told_of,) = refused(page)["pi01"]
    assert "names the host nas09, which is not declared" in told_of
