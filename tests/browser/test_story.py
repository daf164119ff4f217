"""What an operator does on the first day, in a real browser."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from inventory.models import Change, Host, Site
from tests.shared_data import require_sample

expect = pytest.importorskip("playwright.sync_api", reason="pip install -r requirements-dev.txt").expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]


@pytest.fixture
def sample(administrator):
    call_command("import_ansible", str(require_sample()), "--site", "dvntm", "--apply", verbosity=0)
    return Site.objects.get(slug="dvntm")


def test_a_host_is_added_found_and_retired_and_the_export_follows(visit, administrator, sample, tmp_path):
    ada = visit()
    page = ada.page
    ada.sign_in("ada")
    # the import is visible
    expect(page.get_by_role("heading", name="dvntm", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="16 hosts")).to_be_visible()
    assert "02:de:20" not in ada.download("kea", tmp_path)

    # a host is added
    ada.open("/admin/inventory/host/add/")
    page.locator("#id_name").fill("probe-vm01")
    page.locator("#id_form").select_option("vm")
    page.locator("#id_interfaces-0-name").fill("eth0")
    page.locator("#id_interfaces-0-mac").fill("02-DE-20-01-00-01")
    page.locator("#id_interfaces-0-mac_kind").select_option("assigned")
    page.locator("#id_interfaces-0-segment").select_option(label="management")
    page.locator("#id_interfaces-0-addressing").select_option("static")
    page.locator("#id_interfaces-0-ipv4").fill("10.20.30.200")
    page.locator("#id_interfaces-0-reservation").check(force=True)
    page.locator("#id_why").fill("a probe for the lab")
    page.get_by_role("button", name="Save", exact=True).click()
    refusal = "10.20.30.200 lies outside 10.20.99.0/24 of segment management."
    expect(page.get_by_text(refusal).first).to_be_visible()
    ada.photograph("story-refused")
    page.locator("#id_interfaces-0-ipv4").fill("10.20.99.48")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/admin/inventory/host/")
    assert Host.objects.get(name="probe-vm01").interfaces.get().reservation
    assert Change.objects.latest("id").why == "a probe for the lab"

    # it is found by its MAC with dashes, from the first page
    ada.open("/admin/")
    page.keyboard.press("/")
    page.keyboard.type("02-de-20-01-00-01")
    expect(page.locator("#mp-found a b").first).to_have_text("probe-vm01")
    ada.photograph("story-found")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/host/{Host.objects.get(name='probe-vm01').pk}/change/")

    # the export has it
    ada.open("/admin/")
    assert "02:de:20:01:00:01" in ada.download("kea", tmp_path)

    # it is retired, with a reason
    ada.open("/admin/inventory/host/?q=probe")
    page.locator("#result_list input.action-select").first.check()
    page.locator("select[name=action]").select_option("retire")
    page.get_by_role("button", name="Run").click()
    page.get_by_label("Reason for this change").fill("the probe is over")
    ada.photograph("story-retire")
    page.get_by_role("button", name="Retire", exact=True).click()
    expect(page.get_by_text("probe-vm01: retired.")).to_be_visible()
    assert Host.objects.get(name="probe-vm01").status == "retired"
    ada.photograph("story-retired")

    # and the export changed
    ada.open("/admin/")
    assert "02:de:20:01:00:01" not in ada.download("kea", tmp_path)
    expect(page.get_by_text("the probe is over")).to_be_visible()
    ada.photograph("story-end")
    assert ada.complaints == []


def test_an_empty_installation_says_what_to_do_next(visit, administrator):
    ada = visit()
    ada.sign_in("ada")
    expect(ada.page.get_by_role("heading", name="Nothing is declared yet")).to_be_visible()
    ada.photograph("empty")
    ada.page.get_by_text("The same in a shell").click()
    expect(ada.page.get_by_text("manage.py import_ansible")).to_be_visible()
    ada.page.get_by_role("link", name="add an empty site").click()
    ada.page.locator("#id_slug").fill("lab")
    ada.page.get_by_role("button", name="Save", exact=True).click()
    ada.page.wait_for_url("**/admin/inventory/site/")
    assert Site.objects.get().revision == 1
    assert ada.complaints == []


PAGES = [
    "",
    "inventory/host/",
    "inventory/host/add/",
    "inventory/interface/",
    "inventory/segment/",
    "inventory/group/",
    "inventory/identity/",
    "inventory/change/",
    "inventory/token/add/",
    "inventory/authority/add/",
    "findings/dvntm/",
    "auth/user/add/",
]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_pages_fit_a_telephone_and_ask_nobody_else(visit, administrator, sample, dark):
    ada = visit(width=360, dark=dark)
    ada.sign_in("ada")
    for address in PAGES:
        ada.open(f"/admin/{address}")
        assert ada.too_wide() <= 0, address
    host = Host.objects.get(name="provisioner-ph01")
    for part in ("change", "history", "delete", "retire"):
        ada.open(f"/admin/inventory/host/{host.pk}/{part}/")
        assert ada.too_wide() <= 0, part
    ada.photograph(f"telephone-{'dark' if dark else 'light'}")
    assert ada.complaints == []


def test_the_way_through_by_keyboard(visit, administrator, sample):
    """Every field of the host's page can be reached by the tabulator and says its name."""
    ada = visit()
    ada.sign_in("ada")
    ada.open("/admin/inventory/host/add/")
    unnamed = ada.page.evaluate(
        """() => [...document.querySelectorAll('#host_form input, #host_form select, #host_form textarea')]
            .filter(e => e.type !== 'hidden' && e.offsetParent && !e.labels?.length
                && !e.getAttribute('aria-label') && !e.closest('.select2'))
            .map(e => e.name)"""
    )
    assert unnamed == []
    reached = set()
    for _ in range(90):
        ada.page.keyboard.press("Tab")
        reached.add(ada.page.evaluate("document.activeElement.id || document.activeElement.name"))
    assert {"id_name", "id_why", "id_interfaces-0-mac"} <= reached
