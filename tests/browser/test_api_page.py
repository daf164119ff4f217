"""The page to read and try the API: under the Content-Security-Policy, with the session and its CSRF token."""

from __future__ import annotations

import pytest

from tests.access.two_sites import furnish

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]


@pytest.mark.parametrize("width", [1280, 360], ids=["wide", "narrow"])
def test_the_page_shows_the_document_and_sends_requests(visit, administrator, width):
    furnish("ours", 1)
    visitor = visit(width=width)
    visitor.sign_in("ada")
    visitor.page.set_default_timeout(60_000)
    visitor.open("/api/v1/docs")
    visitor.page.get_by_role("link", name="hosts", exact=True).click()
    visitor.page.locator("#operations-hosts-hosts_list").get_by_role("button").first.click()
    visitor.photograph(f"api-{width}")
    visitor.page.get_by_role("button", name="Try it out").click()
    visitor.page.get_by_role("button", name="Execute").click()
    visitor.page.locator(".live-responses-table").get_by_text("ours-host").first.wait_for()
    assert visitor.complaints == []
