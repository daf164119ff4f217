"""A job in a real browser: asked for with its plan, followed line by line, at its end without a reload."""

from __future__ import annotations

import pytest

from inventory.changes import change
from inventory.models import Authority, Site
from provisioning import runner
from provisioning.models import Job
from tests.browser.axe import violations

pytest.importorskip("playwright.sync_api", reason="pip install -r requirements-dev.txt")
pytest.importorskip("axe_playwright_python", reason="pip install -r requirements-dev.txt")

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-jobs"), pytest.mark.timeout(300)]


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)], ids=["wide-light", "narrow-dark"])
def test_from_the_question_to_the_outcome(visit, administrator, width, dark):
    site = Site(slug="lab", root_domain="example.net")
    with change(site, by="fixture"):
        pass
    visitor = visit(width=width, dark=dark)
    visitor.sign_in("ada")
    page, problems = visitor.page, []

    def looked_at(name: str) -> None:
        visitor.photograph(f"jobs-{name}-{'dark' if dark else 'light'}-{width}")
        problems.extend(f"{name}: {one}" for one in violations(page))
        if visitor.too_wide() > 0:
            problems.append(f"{name}: too wide: {visitor.what_is_too_wide()}")

    visitor.open("/admin/provisioning/job/")
    looked_at("list-empty")
    page.get_by_role("link", name="Switch authority at lab").click()
    looked_at("question")
    page.get_by_role("button", name="Show the plan").click()
    page.get_by_text("none declared → gateway").wait_for()
    looked_at("plan")
    page.get_by_label("Reason for this change").fill("the router is back")
    page.get_by_role("button", name="Switch authority").click()
    page.get_by_text("to be taken up by a worker").wait_for()
    looked_at("queued")
    job = Job.objects.get()
    runner.run(job.pk, "a worker")
    page.get_by_text("done, and looked at afterwards").wait_for()
    assert page.locator("#mp-more").count() == 0
    numbers = [one.get_attribute("id") for one in page.locator(".mp-said li").all()]
    job.refresh_from_db()
    assert numbers == [f"said-{number}" for number in range(1, job.last_event + 1)]
    looked_at("succeeded")
    assert Authority.objects.get().mode == "gateway"
    visitor.open("/admin/provisioning/job/")
    looked_at("list")
    assert [*problems, *visitor.complaints] == []
