"""The distribution's Chromium, looking at a live server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.components import require_chromium, unavailable
from tests.shared_data import REPOSITORY

PASSWORD = "a long password"
SCREENSHOTS = REPOSITORY / "artifacts" / "screenshots"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

WIDE = """[...document.querySelectorAll('#main *')]
  .filter(e => e.getBoundingClientRect().right > window.innerWidth + 1 && e.children.length === 0)
  .slice(0, 5).map(e => e.outerHTML.slice(0, 200)).join('; ')"""


@pytest.fixture(scope="module")
def chromium():
    """One browser for a file. Playwright keeps an event loop in this thread, which Django takes for async code."""
    path = require_chromium()
    try:
        from playwright.sync_api import expect, sync_playwright
    except ImportError:
        unavailable("needs playwright: pip install -r requirements-dev.txt")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        expect.set_options(timeout=20_000)  # a busy machine is no fault
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


class Visitor:
    """One person at one window. What the page complains of, or fetches from elsewhere, is kept."""

    def __init__(self, chromium: Any, base: str, *, width: int = 1280, dark: bool = False) -> None:
        self.base = base
        self.context = chromium.new_context(
            base_url=base,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            accept_downloads=True,
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._said)
        self.page.on("request", self._asked)
        self.page.on("response", self._answered)

    def _said(self, message: Any) -> None:
        if "Content Security Policy" in message.text:
            self.complaints.append(message.text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.base, "data:", "blob:")):
            self.complaints.append(f"asked a stranger: {request.url}")

    def _answered(self, response: Any) -> None:
        if response.status >= 500:
            self.complaints.append(f"{response.status} from {response.url}")

    def sign_in(self, name: str) -> None:
        self.page.goto("/admin/")
        self.page.get_by_label("Username").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(lambda url: "/login/" not in url)

    def open(self, address: str) -> None:
        self.page.goto(address)
        self.page.wait_for_load_state("networkidle")

    def too_wide(self) -> int:
        """How many pixels of the page lie outside the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def what_is_too_wide(self) -> str:
        """The innermost elements that reach out of the window, for the message of a failure."""
        return str(self.page.evaluate(WIDE))

    def photograph(self, name: str) -> Path:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        self.page.screenshot(path=path, full_page=True)
        return path

    def download(self, link: str, folder: Path) -> str:
        """Click the link of that name on the present page and return the file's text."""
        with self.page.expect_download() as waiting:
            self.page.get_by_role("link", name=link, exact=True).click()
        path = folder / waiting.value.suggested_filename
        waiting.value.save_as(path)
        return path.read_text()


@pytest.fixture
def visit(chromium, live_server):
    """Make visitors."""
    made = []

    def come(**how: Any) -> Visitor:
        made.append(Visitor(chromium, live_server.url, **how))
        return made[-1]

    yield come
    for visitor in made:
        visitor.context.close()


@pytest.fixture
def administrator(chromium, transactional_db):
    from django.contrib.auth.models import User

    return User.objects.create_superuser("ada", password=PASSWORD)
