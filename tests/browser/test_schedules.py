"""Schedules in a real browser: the first one by one button, its page, a red one, running one now."""

from __future__ import annotations

import pytest

from inventory.changes import change
from inventory.models import Authority, Schedule, Site
from provisioning.clockwork import clock
from tests.browser.axe import violations

pytest.importorskip("playwright.sync_api", reason="pip install -r requirements-dev.txt")
pytest.importorskip("axe_playwright_python", reason="pip install -r requirements-dev.txt")

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-schedules"), pytest.mark.timeout(300)]


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)], ids=["wide-light", "narrow-dark"])
def test_from_none_to_one_that_runs(visit, administrator, width, dark):
    clock._judged.clear()
    site = Site(slug="lab", root_domain="example.net")
    with change(site, by="fixture"):
        pass
    visitor = visit(width=width, dark=dark)
    visitor.sign_in("ada")
    page, problems = visitor.page, []

    def looked_at(name: str) -> None:
        visitor.photograph(f"schedules-{name}-{'dark' if dark else 'light'}-{width}")
        problems.extend(f"{name}: {one}" for one in violations(page))
        if visitor.too_wide() > 0:
            problems.append(f"{name}: too wide: {visitor.what_is_too_wide()}")

    visitor.open("/admin/inventory/schedule/")
    looked_at("none")
    page.get_by_role("button", name="Survey lab every hour").click()
    page.get_by_role("heading", name="Runs").wait_for()
    looked_at("one")
    page.get_by_role("button", name="Run now").click()
    page.get_by_text("declares no hypervisor with an API").first.wait_for()
    with change(site, by="fixture"):
        Authority(site=site, mode="gateway", why="up").save()
        Schedule(
            site=site, name="switching", kind="switch_authority", parameters={"to": "bootstrap", "bootstrap_host": "pi01"},
            cron="30 2 * * *", time_zone="Europe/Berlin", why="to see",
        ).save()  # fmt: skip
        Schedule(site=site, name="coffee", kind="brew_coffee", every_hours=8784, why="to see").save()
    clock.tick()
    clock.tick()
    visitor.open("/admin/inventory/schedule/")
    page.get_by_text("There are no jobs of the kind “brew_coffee”").first.wait_for()
    looked_at("red")
    page.get_by_role("link", name="coffee", exact=True).click()
    page.get_by_text("It cannot be carried out: There are no jobs").wait_for()
    looked_at("one-red")
    visitor.open("/admin/provisioning/job/")
    looked_at("jobs")
    assert [*problems, *visitor.complaints] == []
