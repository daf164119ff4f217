"""Unlocking in a real browser: a job that waits, a secret entered for its site, a countdown, and the job at its end."""

from __future__ import annotations

import pytest

from inventory.changes import change
from inventory.models import Site
from provisioning import requests, runner
from provisioning.keeper import client
from provisioning.models import Job
from tests.browser.axe import violations
from tests.provisioning import kinds
from tests.provisioning.keeping import keeper  # noqa: F401

pytest.importorskip("playwright.sync_api", reason="pip install -r requirements-dev.txt")
pytest.importorskip("axe_playwright_python", reason="pip install -r requirements-dev.txt")

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-unlocking"), pytest.mark.timeout(600)]

SECRET = "correct horse battery staple"


@pytest.fixture
def waiting(transactional_db, keeper):  # noqa: F811
    """A job of the site lab that needs two secrets."""
    kinds.register_all()
    site = Site(slug="lab", root_domain="example.net")
    with change(site, by="fixture"):
        pass
    given = {"name": "unlock:vault unlock:deploy"}
    job = requests.request("test_locked", site=site, parameters=given, by="test", why="to see")
    runner.run(job.pk, "a worker")
    return job


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)], ids=["wide-light", "narrow-dark"])
def test_a_job_that_waits_goes_on_when_its_secrets_are_entered(visit, administrator, waiting, width, dark):
    visitor = visit(width=width, dark=dark)
    visitor.sign_in("ada")
    page, problems = visitor.page, []

    def looked_at(name: str) -> None:
        visitor.photograph(f"unlocking-{name}-{'dark' if dark else 'light'}-{width}")
        problems.extend(f"{name}: {one}" for one in violations(page))
        if visitor.too_wide() > 0:
            problems.append(f"{name}: too wide: {visitor.what_is_too_wide()}")
        assert SECRET not in page.content()

    visitor.open(f"/admin/provisioning/job/{waiting.pk}/change/")
    page.get_by_role("heading", name="Needs unlock").wait_for()
    looked_at("needs")
    page.get_by_label("deploy", exact=True).fill("another")
    page.get_by_role("button", name="Enter").click()
    page.get_by_text("Held for this job: deploy.").wait_for()

    visitor.open("/admin/site/lab/unlocked/")
    page.get_by_text("Nothing that is declared here asks for a secret by name").wait_for()
    looked_at("locked")
    page.get_by_label("Name", exact=True).fill("vault")
    page.get_by_label("Secret", exact=True).fill(SECRET)
    page.get_by_label("Minutes", exact=True).fill("5")
    page.get_by_role("button", name="Unlock", exact=True).click()
    page.get_by_text("vault is unlocked until").wait_for()
    left = page.locator(".mp-lock time").first
    page.wait_for_function("/^for 4 min \\d+ s$/.test(document.querySelector('.mp-lock time').textContent)")
    before = left.text_content()
    page.wait_for_function("was => document.querySelector('.mp-lock time').textContent !== was", arg=before)
    looked_at("unlocked")

    visitor.open(f"/admin/provisioning/job/{waiting.pk}/change/")
    page.get_by_text("Unlocked at lab").wait_for()  # in the head of every page
    page.get_by_text("to be taken up by a worker").wait_for()
    runner.run(waiting.pk, "a worker")
    page.get_by_text("done, and looked at afterwards").wait_for()  # without a reload
    assert Job.objects.get(pk=waiting.pk).state == "succeeded"
    looked_at("succeeded")

    visitor.open("/admin/")
    looked_at("first-page")
    page.get_by_role("button", name="Lock all of lab").click()
    page.get_by_text("Locked: vault.").wait_for()
    assert client.held("site/lab") == []
    assert [*problems, *visitor.complaints] == []
