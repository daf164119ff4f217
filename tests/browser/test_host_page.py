"""The page of a host in a browser: the preview follows, empty fields are filled, a save is rehearsed."""

from __future__ import annotations

import pytest

from inventory import reading
from inventory.changes import change
from inventory.demo import declare_demo
from inventory.models import Change, Host, Site
from inventory.serving import renderings
from tests.browser.axe import violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def demo(administrator):
    reading.forget()
    declare_demo("fixture")
    yield
    reading.forget()


def page_of(name: str) -> str:
    return f"/admin/inventory/host/{Host.objects.get(site__slug='lab', name=name).pk}/change/"


def test_typing_a_mac_changes_the_preview_and_writes_nothing(visit, demo):
    visitor = visit(width=1280)
    visitor.sign_in("ada")
    visitor.open(page_of("pi01"))
    page = visitor.page
    page.get_by_text("Kea DHCPv4").wait_for()
    before = Change.objects.count()
    page.locator("details[data-key=kea] summary").click()
    page.locator("#id_interfaces-0-mac").fill("02-DE-20-01-00-77")
    page.locator("#told details[data-key=kea] pre", has_text="02:de:20:01:00:77").wait_for()
    assert page.evaluate("document.activeElement.id") == "id_interfaces-0-mac"
    page.locator("#id_interfaces-0-ipv4").fill("203.0.113.9")
    page.locator("#told").get_by_text("lies outside").first.wait_for()
    visitor.photograph("host-page-wide-light")
    assert Change.objects.count() == before
    assert not visitor.complaints


def test_the_page_of_a_host_is_usable_narrow_and_dark(visit, demo):
    for how, name in (
        ({"width": 360}, "host-page-narrow"),
        ({"width": 1680, "dark": True}, "host-page-very-wide-dark"),
    ):
        visitor = visit(**how)
        visitor.sign_in("ada")
        visitor.open(page_of("pi01"))
        visitor.page.get_by_text("Kea DHCPv4").wait_for()
        visitor.page.locator("details[data-key=variables] summary").first.click()
        visitor.page.locator("details[data-key=ssh-config] summary").first.click()
        visitor.photograph(name)
        assert violations(visitor.page) == []
        assert visitor.too_wide() <= 0
        assert not visitor.complaints


def test_the_next_free_values_fill_empty_fields(visit, demo):
    visitor = visit()
    visitor.sign_in("ada")
    site = Site.objects.get(slug="lab")
    visitor.open(f"/admin/inventory/host/add/?site={site.pk}")
    page = visitor.page
    page.get_by_label("Fill in the next free address").wait_for()
    page.get_by_label("Fill in the next free address").click()
    page.get_by_text("Choose the segment first").wait_for()
    page.locator("#id_interfaces-0-segment").select_option(index=1)
    page.get_by_label("Fill in the next free address").click()
    page.get_by_text("Proposed; it is yours once you save.").first.wait_for()
    assert page.locator("#id_interfaces-0-ipv4").input_value()
    assert page.locator("#id_interfaces-0-addressing").input_value() == "static"
    visitor.photograph("host-page-next-free")
    assert not visitor.complaints


@pytest.mark.parametrize(("how", "name"), [({}, "light"), ({"width": 360, "dark": True}, "narrow-dark")])
def test_a_save_is_rehearsed_then_saved(visit, demo, how, name):
    visitor = visit(**how)
    visitor.sign_in("ada")
    visitor.open(page_of("pi01"))
    page = visitor.page
    page.locator("#id_interfaces-0-mac").fill("02:de:20:01:00:77")
    before = Change.objects.count()
    page.get_by_role("button", name="What will change").click()
    page.get_by_role("heading", name="What saving pi01 will change").wait_for()
    visitor.photograph(f"rehearsal-{name}")
    assert violations(page) == []
    assert visitor.too_wide() <= 0
    assert Change.objects.count() == before
    page.get_by_role("button", name="Keep editing").click()
    page.get_by_text("not saved yet").first.wait_for()
    assert page.locator("#id_interfaces-0-mac").input_value() == "02:de:20:01:00:77"
    page.get_by_role("button", name="What will change").click()
    page.get_by_role("button", name="Save now").click()
    page.get_by_text("was changed successfully").wait_for()
    assert Change.objects.count() == before + 1
    assert not visitor.complaints


def test_what_points_at_a_host_is_looked_for_when_asked(visit, demo):
    visitor = visit()
    visitor.sign_in("ada")
    visitor.open(page_of("access-sw01"))
    page = visitor.page
    page.get_by_text("Everything that points at it").click()
    page.get_by_text("Behind its ports").wait_for()
    page.get_by_text("Latest changes", exact=True).click()
    page.get_by_text("Its whole history").wait_for()
    visitor.photograph("host-page-pointing")
    assert not visitor.complaints


@pytest.mark.parametrize(("how", "name"), [({}, "light"), ({"width": 360, "dark": True}, "narrow-dark")])
def test_exports_are_listed_and_compared(visit, demo, how, name):
    renderings.rendering("lab", "kea")
    with change(Site.objects.get(slug="lab"), by="grace", why="a new card"):
        card = Host.objects.get(site__slug="lab", name="pi01").interfaces.get()
        card.mac = "02:de:20:01:00:79"
        card.save()
    renderings.rendering("lab", "kea")
    visitor = visit(**how)
    visitor.sign_in("ada")
    visitor.open("/admin/exports/lab/")
    visitor.photograph(f"exports-{name}")
    assert visitor.too_wide() <= 0
    visitor.page.get_by_role("link", name="kea", exact=True).click()
    visitor.page.get_by_role("heading", name="Renderings that are kept").wait_for()
    visitor.photograph(f"export-history-{name}")
    assert visitor.too_wide() <= 0
    visitor.page.get_by_role("button", name="Compare the two that are marked").click()
    visitor.page.get_by_text("02:de:20:01:00:79").first.wait_for()
    assert not visitor.complaints
