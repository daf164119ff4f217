"""From nothing to a first host, and to the answer who has an address."""

from __future__ import annotations

import json

import pytest

from inventory.demo import declare_demo
from inventory.models import Host
from tests.browser.counting import Counted

expect = pytest.importorskip("playwright.sync_api", reason="pip install -r requirements-dev.txt").expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)], ids=["wide-light", "narrow-dark"])
def test_a_first_host_is_in_the_inventory(visit, administrator, width, dark):
    ada = visit(width=width, dark=dark)
    page = ada.page
    ada.sign_in("ada")
    counted = Counted(page)
    counted.click(page.get_by_role("link", name="Begin a first site"))
    counted.fill("Short name", "lab")
    counted.click(page.get_by_role("button", name="Show what follows"))
    expect(page.get_by_role("heading", name="This is what follows from your answers")).to_be_visible()
    assert ada.too_wide() <= 0, ada.what_is_too_wide()
    ada.photograph(f"first-site-plan-{width}")
    counted.click(page.get_by_role("button", name="Declare this site"))
    page.wait_for_url("**/admin/site/lab/")
    assert counted.tell("Empty to first host in the inventory") <= 4
    ada.photograph(f"first-site-done-{width}")
    inventory = json.loads(page.request.get("/inventory/lab/").text())
    assert inventory["_meta"]["hostvars"]["metrics-vm01"]["ansible_host"] == "10.20.99.3"
    assert ada.complaints == []


def test_who_has_an_address_takes_no_click(visit, administrator):
    declare_demo("fixture")
    ada = visit()
    page = ada.page
    ada.sign_in("ada")
    counted = Counted(page)
    page.keyboard.press("/")
    counted.type("10.10.30.11")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/host/{Host.objects.get(name='pi01').pk}/change/")  # the only match
    assert counted.tell("Who has an address") == 0
    ada.photograph("find-answer")
    assert ada.complaints == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_results_are_walked_with_the_keyboard(visit, administrator, dark):
    declare_demo("fixture")
    ada = visit(dark=dark)
    page = ada.page
    ada.sign_in("ada")
    ada.open("/admin/inventory/segment/")
    page.keyboard.press("/")
    page.keyboard.type("sensors")
    expect(page.locator("#mp-found a").first).to_be_visible()
    ada.photograph(f"find-live-{'dark' if dark else 'light'}")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#mp-find")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#mp-found a")).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type(" ")
    page.keyboard.press("Backspace")
    page.keyboard.type("pi01")
    expect(page.locator("#mp-found a b", has_text="pi01").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/host/{Host.objects.get(name='pi01').pk}/change/")
    assert ada.complaints == []
