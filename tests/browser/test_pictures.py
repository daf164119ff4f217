"""The pictures in a real browser: seen, moved in by the keyboard, followed, and given from."""

from __future__ import annotations

import pytest

from inventory.demo import declare_demo
from inventory.models import Host, Interface, Segment
from tests.browser.axe import violations
from tests.importers.site_support import PASSWORD, imported
from tests.shared_data import require_sample

pytest.importorskip("playwright.sync_api", reason="pip install -r requirements-dev.txt")

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-pictures"), pytest.mark.timeout(600)]


def pages():
    management = Segment.objects.get(site__slug="lab", name="management")
    iot = Segment.objects.get(site__slug="lab", name="iot")
    carrier = Host.objects.get(site__slug="lab", name="hv01")
    switch = Host.objects.get(site__slug="lab", name="access-sw01")
    return {
        "segments": "/admin/pictures/segments/lab/",
        "map": f"/admin/pictures/map/lab/{management.pk}/",
        "map-iot": f"/admin/pictures/map/lab/{iot.pk}/?state=pool",
        "topology": "/admin/pictures/topology/lab/",
        "macs": "/admin/pictures/macs/lab/",
        "instances": "/admin/pictures/macs/lab/03/00/",
        "failure-domains": "/admin/pictures/fate/lab/",
        "fate-hv01": f"/admin/pictures/fate/lab/{carrier.pk}/",
        "fate-sw01": f"/admin/pictures/fate/lab/{switch.pk}/",
        "give": f"/admin/pictures/give/lab/{management.pk}/?address=10.10.99.50",
    }


@pytest.mark.parametrize(
    ("width", "dark"),
    [(1280, False), (1280, True), (360, False)],
    ids=["wide-light", "wide-dark", "narrow-light"],
)
def test_every_picture_can_be_looked_at(visit, administrator, width, dark):
    declare_demo("fixture")
    visitor = visit(width=width, dark=dark)
    visitor.sign_in("ada")
    problems = []
    for name, address in pages().items():
        visitor.complaints.clear()
        visitor.open(address)
        visitor.photograph(f"pictures-{name}-{width}-{'dark' if dark else 'light'}")
        found = [*visitor.complaints, *violations(visitor.page)]
        if (pixels := visitor.too_wide()) > 0:
            found.append(f"{pixels} pixels too wide")
        problems += [f"{name}: {one}" for one in found]
    assert not problems, "\n".join(problems)


def test_a_free_address_is_found_by_the_keyboard_and_given(visit, administrator):
    declare_demo("fixture")
    visitor = visit()
    visitor.sign_in("ada")
    visitor.open(pages()["map"])
    page = visitor.page
    grid = page.locator(".pic-grid")
    assert grid.locator("[tabindex='0']").count() == 1
    grid.locator("[tabindex='0']").focus()
    for key in ("Home", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    told = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert told.startswith("10.10.99.50: free")
    visitor.photograph("pictures-map-focus")
    page.keyboard.press("Enter")
    page.wait_for_url("**/pictures/give/**")
    page.get_by_label("Host").fill("pi01")
    page.get_by_label("Interface").fill("eth7")
    page.get_by_role("button", name="Give this address").click()
    page.wait_for_url("**/pictures/map/**")
    assert Interface.objects.get(host__name="pi01", name="eth7").ipv4 == "10.10.99.50"
    assert page.locator("a[aria-label^='10.10.99.50: host']").count() == 1
    assert not visitor.complaints


def test_a_picture_prints_without_the_menu(visit, administrator):
    declare_demo("fixture")
    visitor = visit()
    visitor.sign_in("ada")
    visitor.open(pages()["topology"])
    visitor.page.emulate_media(media="print")
    assert not visitor.page.locator(".pic-filters").is_visible()
    visitor.photograph("pictures-topology-print")


def test_the_pictures_of_a_living_site_can_be_looked_at(visit, administrator):
    imported(require_sample(), password=PASSWORD)
    visitor = visit()
    visitor.sign_in("ada")
    management = Segment.objects.get(site__slug="dvntm", name="management")
    for name, address in {
        "topology": "/admin/pictures/topology/dvntm/",
        "map": f"/admin/pictures/map/dvntm/{management.pk}/",
        "failure-domains": "/admin/pictures/fate/dvntm/",
    }.items():
        visitor.open(address)
        visitor.photograph(f"pictures-sample-{name}")
        assert visitor.too_wide() <= 0 and not visitor.complaints and not violations(visitor.page)
