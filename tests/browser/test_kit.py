"""The kit's pages over ``file://``: read, searched and printed without a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command

from inventory import reading
from inventory.recovery.pages import PAGES, pages
from tests.browser.axe import violations
from tests.browser.conftest import SCREENSHOTS
from tests.browser.pdf import text_of

expect = pytest.importorskip("playwright.sync_api", reason="pip install -r requirements-dev.txt").expect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(300),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def kit(tmp_path) -> Path:
    call_command("demo", verbosity=0)
    for name, content in pages(reading.load("lab")).items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_every_page_reads_well(chromium, kit, scheme, width):
    context = chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: request.url.startswith("file://") or complaints.append(request.url))
    for name in PAGES:
        page.goto(f"file://{kit}/{name}")
        assert violations(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, name
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"kit-{name.removesuffix('.html')}-{scheme}-{width}.png")
    assert complaints == []
    context.close()


def test_a_mac_in_any_spelling_is_found_and_leads_to_its_host(chromium, kit):
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"file://{kit}/addresses.html")
    page.keyboard.press("/")
    for spelling in ("02-DE-10-05-00-01", "02:de:10:05:00:01", "02de.1005.0001"):
        page.locator("#search").fill(spelling)
        expect(page.locator(".found:visible")).to_have_count(1)
        expect(page.locator("#number")).to_contain_text("1 of")
    page.get_by_role("link", name="dash-vm01").click()
    expect(page.get_by_role("heading", name="dash-vm01", exact=True)).to_be_in_viewport()
    page.goto(f"file://{kit}/hosts.html?q=rack+1")
    expect(page.locator(".found:visible").first).to_be_visible()
    page.locator("#search").fill("nothing like this")
    expect(page.locator(".found:visible")).to_have_count(0)
    context.close()


PRINTED = {
    "index.html": "By hand, before anything else works",
    "hosts.html": "dash-vm01",
    "addresses.html": "02:de:10:05:00:01",
    "segments.html": "management",
    "ports.html": "Every switch port that is known",
    "services.html": "Every service",
    "topology.html": "Topology",
    "domains.html": "What falls with what",
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_page_prints_its_text(chromium, kit, scheme):
    context = chromium.new_context(color_scheme=scheme)
    page = context.new_page()
    assert set(PRINTED) == set(PAGES)
    for name, text in PRINTED.items():
        page.goto(f"file://{kit}/{name}")
        assert text.replace(" ", "") in text_of(page.pdf()), name
        page.emulate_media(media="print")
        expect(page.locator("#search")).to_be_hidden()
        # ink on paper, whatever the screen was
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)", name
        page.emulate_media(media="screen")
    context.close()


def test_without_javascript_everything_is_there_but_the_search(chromium, kit):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    for name, text in PRINTED.items():
        page.goto(f"file://{kit}/{name}")
        expect(page.locator("main")).to_contain_text(text)
        expect(page.locator("#search")).to_be_hidden()
    page.goto(f"file://{kit}/addresses.html")
    page.get_by_role("link", name="dash-vm01").first.click()
    expect(page.get_by_role("heading", name="dash-vm01", exact=True)).to_be_in_viewport()
    context.close()


def test_each_page_is_searched(chromium, kit):
    context = chromium.new_context()
    page = context.new_page()
    for name in PAGES:
        page.goto(f"file://{kit}/{name}")
        every = page.locator(".found").count()
        if not every:  # a picture
            expect(page.locator("#search")).to_be_hidden()
            continue
        first = page.locator(".found").first.inner_text().split()[0]
        page.locator("#search").fill(first)
        expect(page.locator("#number")).to_contain_text(f"of {every}")
        assert page.locator(".found:visible").count() >= 1, name
        page.locator("#search").fill("no such word anywhere")
        expect(page.locator(".found:visible")).to_have_count(0)
    context.close()
