"""Drift in a real browser: from the list to one that is ignored until a day, and to a guest that is accepted as known."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from inventory.models import Host
from provisioning.models import DriftFinding
from tests.browser.axe import violations
from tests.provisioning.drift.conftest import PIHOLE, World, declare

pytest.importorskip("playwright.sync_api", reason="pip install -r requirements-dev.txt")
pytest.importorskip("axe_playwright_python", reason="pip install -r requirements-dev.txt")

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-jobs"), pytest.mark.timeout(300)]


def standing() -> dict[str, str]:
    """Kind → state of every row."""
    return {row.kind: row.state for row in DriftFinding.objects.judged()}


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)], ids=["wide-light", "narrow-dark"])
def test_from_the_list_to_a_decision(visit, administrator, width, dark):
    lab = World(declare())
    visitor = visit(width=width, dark=dark)
    visitor.sign_in("ada")
    page, problems = visitor.page, []

    def looked_at(name: str) -> None:
        visitor.photograph(f"drift-{name}-{'dark' if dark else 'light'}-{width}")
        problems.extend(f"{name}: {one}" for one in violations(page))
        if visitor.too_wide() > 0:
            problems.append(f"{name}: too wide: {visitor.what_is_too_wide()}")

    visitor.open("/admin/provisioning/driftfinding/")
    page.get_by_text("No hypervisor was surveyed yet").wait_for()
    looked_at("never")
    page.get_by_role("link", name="Survey lab now").click()
    page.get_by_role("button", name="Show the plan").wait_for()
    lab.survey(lab.machine(memory="512"), PIHOLE)

    visitor.open("/admin/")
    looked_at("overview")
    for name in ("netctrl-vm01", "hv01"):
        visitor.open(f"/admin/inventory/host/{Host.objects.get(name=name).pk}/change/")
        page.get_by_text("was surveyed").wait_for()
        looked_at(f"host-{name}")
    visitor.open("/admin/")
    page.get_by_role("link", name="2 open").click()
    looked_at("list")
    page.get_by_role("link", name="netctrl-vm01").first.click()
    page.get_by_role("heading", name="netctrl-vm01: size (memory)").first.wait_for()
    looked_at("one")
    page.get_by_label("Ignore until").fill((timezone.localdate() + timedelta(days=3)).isoformat())
    page.get_by_label("Why it can wait").fill("the RAM is ordered")
    page.get_by_role("button", name="Ignore").click()
    page.get_by_text("the RAM is ordered").first.wait_for()
    looked_at("ignored")
    assert standing() == {"size": "ignored", "undeclared": "open"}

    visitor.open("/admin/provisioning/driftfinding/?in_state=open")
    page.get_by_role("link", name="VMID 101").first.click()
    page.get_by_label("Why it is known").fill("the old DNS")
    page.get_by_role("button", name="Accept as known").click()
    page.get_by_text("the old DNS").first.wait_for()
    looked_at("accepted")
    assert standing() == {"size": "ignored", "undeclared": "accepted"}

    page.get_by_label("Why it holds no longer").fill("it is to go")
    page.get_by_role("button", name="Take back").click()
    page.get_by_text("It is open again.").wait_for()
    assert standing() == {"size": "ignored", "undeclared": "open"}

    row = DriftFinding.objects.get(kind="size")
    visitor.open(f"/admin/provisioning/driftfinding/{row.pk}/change/")
    page.get_by_role("link", name="Take what was found as declared").click()
    page.get_by_text("2048 → 512").wait_for()
    looked_at("take")
    page.get_by_label("Reason for this change").fill("it is enough")
    page.get_by_role("button", name="Declare it so").click()
    page.get_by_text("A later survey saw it gone").wait_for()
    assert standing() == {"size": "closed", "undeclared": "open"}
    assert [*problems, *visitor.complaints] == []
