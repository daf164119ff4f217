"""Import, edit together and take a list away, in a real browser: wide and narrow, light and dark."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from inventory.models import Host, Site
from tests.shared_data import require_sample

expect = pytest.importorskip("playwright.sync_api", reason="pip install -r requirements-dev.txt").expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]

TABLE = (
    "host\tform\tlocation\tinterface\tmac\tsegment\tipv4\n"
    "probe-vm01\tvm\t\teth0\t02:de:20:01:00:01\tmanagement\t10.20.99.47\n"
    "pi01\tpi\track 2\t\t\t\t\n"
)
WRONG = "host,form,segment,interface,mac\npi01,toaster,,,\nprobe-vm01,vm,managment,eth0,12:34\n,vm,,,\n"


@pytest.fixture
def sample(administrator):
    call_command("import_ansible", str(require_sample()), "--site", "dvntm", "--apply", verbosity=0)
    return Site.objects.get(slug="dvntm")


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)], ids=["wide-light", "narrow-dark"])
def test_a_table_is_pasted_mended_and_imported(visit, administrator, sample, width, dark):
    ada = visit(width=width, dark=dark)
    page, name = ada.page, f"many-{'narrow-dark' if dark else 'wide-light'}"
    ada.sign_in("ada")
    ada.open("/admin/many/import/")
    page.wait_for_url("**/many/import/dvntm/")
    ada.photograph(f"{name}-import-empty")
    page.get_by_label("Paste here").fill(WRONG)
    page.get_by_role("button", name="Show what it would do").click()
    expect(page.get_by_role("heading", name="4 mistakes; nothing was stored")).to_be_visible()
    page.get_by_role("link", name="3", exact=True).first.click()
    assert page.url.endswith("#L3")
    ada.photograph(f"{name}-import-mistakes")
    assert ada.too_wide() <= 0
    page.get_by_label("Paste here").fill(TABLE)
    page.get_by_role("button", name="Show what it would do").click()
    expect(page.get_by_text("location nothing → rack 2")).to_be_visible()
    assert ada.too_wide() <= 0
    page.get_by_label("Reason for this change").fill("a probe for the lab")
    ada.photograph(f"{name}-import-plan")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Stored as revision")).to_be_visible()
    ada.photograph(f"{name}-import-done")
    assert Host.objects.get(name="pi01").location == "rack 2"
    assert ada.complaints == []


@pytest.mark.parametrize(("width", "dark"), [(1280, True), (360, False)], ids=["wide-dark", "narrow-light"])
def test_hosts_are_chosen_edited_together_and_applied(visit, administrator, sample, width, dark):
    ada = visit(width=width, dark=dark)
    page, name = ada.page, f"many-{'wide-dark' if dark else 'narrow-light'}"
    ada.sign_in("ada")
    ada.open("/admin/inventory/host/?q=pi0")
    ada.photograph(f"{name}-list")
    for box in page.locator("#result_list input.action-select").all():
        box.check()
    page.locator("select[name=action]").select_option("edit_chosen")
    page.get_by_role("button", name="Run").click()
    ada.photograph(f"{name}-edit-empty")
    assert ada.too_wide() <= 0
    page.get_by_label("Status", exact=True).select_option("maintenance")
    page.locator("#id_how_notes").select_option("append")
    page.locator("#id_notes").fill("rack 2 is being moved")
    page.locator("#id_how_groups").select_option("add")
    page.locator("#id_groups").select_option(index=0)
    page.get_by_role("button", name="Show what it would do").click()
    expect(page.get_by_text("status active → maintenance").first).to_be_visible()
    page.get_by_label("Reason for this change").fill("moving the rack")
    ada.photograph(f"{name}-edit-plan")
    assert ada.too_wide() <= 0
    page.get_by_role("button", name="Apply to").click()
    expect(page.get_by_text("changed: dvntm revision")).to_be_visible()
    assert Host.objects.filter(status="maintenance").exists()
    # the same list as a file
    with page.expect_download() as waiting:
        page.get_by_role("link", name="CSV of this list").click()
    assert waiting.value.suggested_filename == "hosts.csv"
    assert "maintenance" in waiting.value.path().read_text()
    # and a refusal beside its row
    ada.open("/admin/inventory/interface/?addressing__exact=static")
    for box in page.locator("#result_list input.action-select").all()[:3]:
        box.check()
    page.locator("select[name=action]").select_option("edit_chosen")
    page.get_by_role("button", name="Run").click()
    page.get_by_label("Segment", exact=True).select_option("guest")
    page.get_by_role("button", name="Show what it would do").click()
    expect(page.get_by_text("lies outside").first).to_be_visible()
    ada.photograph(f"{name}-edit-refused")
    assert ada.complaints == []
