"""Every page of the admin in a real browser: no accessibility fault, nothing too wide, no error, no stranger asked."""

from __future__ import annotations

import pytest

from tests.admin.every_page import FRAGMENTS, World, every_page
from tests.browser.axe import violations

pytest.importorskip("playwright.sync_api", reason="pip install -r requirements-dev.txt")
pytest.importorskip("axe_playwright_python", reason="pip install -r requirements-dev.txt")

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-pages"), pytest.mark.timeout(900)]


def looked_at(visitor, pages: list[tuple[str, str]], prefix: str) -> list[str]:
    """Open each page, photograph it, and return what is wrong with it."""
    problems = []
    for name, address in pages:
        if name in FRAGMENTS:
            continue
        visitor.complaints.clear()
        visitor.open(address)
        visitor.photograph(f"{prefix}-{name}")
        found = [*visitor.complaints, *violations(visitor.page)]
        if (pixels := visitor.too_wide()) > 0:
            found.append(f"{pixels} pixels too wide: {visitor.what_is_too_wide()}")
        problems += [f"{name} ({address}): {one}" for one in found]
    return problems


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)], ids=["wide-light", "narrow-dark"])
def test_no_page_is_at_fault(visit, administrator, width, dark):
    world = World.made()
    visitor = visit(width=width, dark=dark)
    visitor.sign_in("ada")
    problems = looked_at(visitor, every_page(world), f"pages-{'dark' if dark else 'light'}-{width}")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)], ids=["wide-light", "narrow-dark"])
def test_an_empty_installation_is_not_at_fault(visit, administrator, width, dark):
    visitor = visit(width=width, dark=dark)
    visitor.open("/admin/login/")
    problems = [f"sign-in: {one}" for one in violations(visitor.page)]
    visitor.sign_in("ada")
    lists = [f"/admin/inventory/{noun}/" for noun in ("host", "segment", "change", "rendering", "consumer")]
    pages = [
        ("index", "/admin/"),
        ("guided_site", "/admin/start/"),
        ("tree_import", "/admin/import/ansible/"),
    ]
    pages += [(address.split("/")[-2], address) for address in lists]
    problems += looked_at(visitor, pages, f"empty-{'dark' if dark else 'light'}-{width}")
    assert not problems, "\n".join(problems)
