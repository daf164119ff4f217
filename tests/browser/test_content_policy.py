"""Every kind of page under the Content-Security-Policy: nothing of it is refused, and what is alive on it works."""

from __future__ import annotations

import pytest

from tests.access.two_sites import furnish

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]

PAGES = [
    "/admin/", "/admin/inventory/host/", "/admin/inventory/host/?status__exact=active", "/admin/inventory/host/add/",
    "/admin/inventory/host/{host}/change/", "/admin/inventory/host/{host}/history/",
    "/admin/inventory/host/{host}/delete/", "/admin/inventory/host/{host}/retire/",
    "/admin/inventory/host/{host}/allocate/", "/admin/inventory/segment/{segment}/change/",
    "/admin/inventory/group/{group}/change/", "/admin/inventory/site/{site}/change/",
    "/admin/inventory/severityoverride/add/", "/admin/inventory/token/add/", "/admin/inventory/change/",
    "/admin/inventory/change/{change}/change/", "/admin/inventory/identity/", "/admin/inventory/rendering/",
    "/admin/inventory/rendering/{rendering}/change/", "/admin/findings/ours/", "/admin/finding/address-in-pool/",
    "/admin/site/ours/", "/admin/start/", "/admin/auth/user/", "/admin/auth/user/add/", "/admin/auth/group/add/",
    "/admin/password_change/", "/admin/nothing-here/",
]  # fmt: skip


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_page_is_refused_anything(visit, administrator, dark):
    ours = furnish("ours", 1)
    ids = {noun: ours[noun].pk for noun in ("host", "segment", "group", "site", "change", "rendering")}
    visitor = visit(dark=dark)
    visitor.sign_in("ada")
    for page in PAGES:
        visitor.open(page.format(**ids))
        assert visitor.complaints == [], page


def test_what_is_alive_on_a_page_works(visit, administrator):
    ours = furnish("ours", 1)
    visitor = visit()
    visitor.sign_in("ada")
    visitor.open(f"/admin/inventory/host/{ours['host'].pk}/change/")
    visitor.page.locator(
        ".select2-selection"
    ).first.click()  # completion by typing: select2, over the network
    visitor.page.keyboard.type("ours")
    visitor.page.get_by_role("option", name="ours-role").wait_for()
    visitor.page.keyboard.press("Escape")
    visitor.open("/admin/inventory/severityoverride/add/")
    visitor.page.locator("#id_expires").click()  # a date widget
    visitor.open("/admin/inventory/host/")
    visitor.page.get_by_text("Filters").first.click()  # Alpine
    visitor.page.get_by_role("button", name="Apply Filters").wait_for()
    assert visitor.complaints == []


def test_times_come_in_the_zone_of_the_browser(chromium, live_server, administrator):
    from tests.browser.conftest import Visitor

    visitor = Visitor(chromium, live_server.url)
    visitor.context.close()
    visitor.context = chromium.new_context(base_url=live_server.url, timezone_id="Asia/Tokyo")
    visitor.page = visitor.context.new_page()
    visitor.sign_in("ada")
    visitor.open("/admin/")
    assert visitor.page.get_by_text("Times are in the zone Asia/Tokyo.").is_visible()
    visitor.context.close()


def test_a_locked_sign_in_says_how_long(visit, administrator, settings):
    settings.AXES_FAILURE_LIMIT = 1
    for name, how in (("wide", {}), ("narrow", {"width": 360}), ("dark", {"dark": True})):
        visitor = visit(**how)
        visitor.page.goto("/admin/login/")
        visitor.page.get_by_label("Username").fill("ada")
        visitor.page.get_by_label("Password").fill("wrong")
        visitor.page.keyboard.press("Enter")
        visitor.page.get_by_text("Sign-in is locked").first.wait_for()
        assert visitor.too_wide() <= 0
        visitor.photograph(f"sign-in-locked-{name}")
        assert [said for said in visitor.complaints if "429" not in said] == []


ELSEWHERE = "http://127.0.0.1:9"
MADE = "const made = Object.assign(document.createElement('{}'), {{ {} }}); document.body.append(made); {}"
#: elements, with what they have and what is done with them
ELEMENTS = {
    "a script in the page": ("script", "textContent: 'window.ran = 1'", ""),
    "a link to a script": ("a", "href: 'javascript:window.ran=1'", "made.click()"),
    "a script from elsewhere": ("script", f"src: '{ELSEWHERE}/x.js'", ""),
    "a picture from elsewhere": ("img", f"src: '{ELSEWHERE}/x.png'", ""),
    "a style sheet from elsewhere": ("link", f"rel: 'stylesheet', href: '{ELSEWHERE}/x.css'", ""),
    "a frame": ("iframe", "src: '/admin/'", ""),
    "an object": ("object", "data: '/admin/'", ""),
    "a form to elsewhere": ("form", f"action: '{ELSEWHERE}/', method: 'post'", "made.submit()"),
    "another base": ("base", f"href: '{ELSEWHERE}/'", ""),
}
PROVOKED = {
    **{what: MADE.format(*parts) for what, parts in ELEMENTS.items()},
    "a handler in markup": "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = 1\">')",
    "a question to elsewhere": f"fetch('{ELSEWHERE}/').catch(() => 0)",
}


def test_what_is_provoked_is_refused_and_counted(visit, administrator):
    """So that no complaints, above, mean that nothing was refused."""
    visitor = visit()
    visitor.sign_in("ada")
    unnoticed = {}
    for what, script in PROVOKED.items():
        visitor.open("/admin/")
        visitor.complaints.clear()
        visitor.page.evaluate(f"() => {{ {script} }}")
        visitor.page.wait_for_timeout(150)
        ran = visitor.page.evaluate("() => window.ran")
        refused = [said for said in visitor.complaints if "Content Security Policy" in said]
        if ran or not refused:
            unnoticed[what] = (ran, visitor.complaints)
    assert unnoticed == {}
