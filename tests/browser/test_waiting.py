"""What takes long says so, wherever something is sent."""

from __future__ import annotations

import pytest

from inventory.changes import change
from inventory.models import Host, Site

expect = pytest.importorskip("playwright.sync_api", reason="pip install -r requirements-dev.txt").expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]


@pytest.fixture
def lab(administrator):
    site = Site(slug="lab", root_domain="example.net")
    with change(site, by="fixture"):
        Host(site=site, name="pi01", form="pi").save()
    return site


def test_long_work_says_that_it_goes_on_and_a_double_click_sends_it_once(visit, lab):
    ada = visit(width=360)
    page, sent = ada.page, []
    ada.sign_in("ada")
    ada.open("/admin/many/import/lab/")
    page.get_by_label("Paste here").fill("host,location\npi01,rack 2\n")

    def no_answer(route):
        sent.append(route.request.method)
        route.fulfill(status=204)  # which leaves the page as it is

    page.route("**/many/import/lab/", no_answer)
    button = page.get_by_role("button", name="Show what it would do")
    button.evaluate("button => { button.click(); button.click(); }")
    expect(page.get_by_role("status").filter(has_text="Working")).to_be_visible()
    expect(page.locator("#mp-waiting")).to_contain_text("2 s")
    assert sent == ["POST"] and ada.too_wide() <= 0
    ada.photograph("waiting-narrow")
    page.unroute("**/many/import/lab/")
    button.click()
    expect(page.get_by_text("location nothing → rack 2")).to_be_visible()
    expect(page.locator("#mp-waiting")).to_have_count(0)
    assert ada.complaints == []


def test_a_list_that_is_taken_away_leaves_nothing_behind(visit, lab):
    ada = visit()
    page = ada.page
    ada.sign_in("ada")
    ada.open("/admin/inventory/host/")
    page.locator("#result_list input.action-select").first.check()
    page.locator("select[name=action]").select_option("csv_of_chosen")
    for _ in range(2):
        with page.expect_download() as waiting:
            page.get_by_role("button", name="Run").click()
        assert waiting.value.suggested_filename == "hosts.csv"
    page.wait_for_timeout(800)
    expect(page.locator("#mp-waiting")).to_have_count(0)
