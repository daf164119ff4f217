"""Finding, resolving, saved views, groups and YAML, by keyboard, in a real browser; clicks and seconds are printed."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command

from inventory import reading, vault
from inventory.changes import change
from inventory.models import Group, Host, SavedFilter, Site
from tests.browser.axe import violations
from tests.browser.counting import Counted
from tests.shared_data import require_sample

expect = pytest.importorskip("playwright.sync_api", reason="pip install -r requirements-dev.txt").expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]

WAYS = pytest.mark.parametrize(
    ("width", "dark"), [(1280, False), (1280, True), (360, False)], ids=["light", "dark", "narrow"]
)


@pytest.fixture
def sample(administrator):
    reading.forget()
    call_command("import_ansible", str(require_sample()), "--site", "dvntm", "--apply", verbosity=0)
    site = Site.objects.get(slug="dvntm")
    host = Host.objects.get(site=site, name="pi01")
    with change(site, by="ada", why="the kiosk in the hall"):
        host.location = "the hall"
        host.save()
    yield site
    reading.forget()


def settled(page: Any) -> None:
    page.wait_for_load_state("networkidle")


def test_who_has_an_address(visit, administrator, sample):
    ada = visit()
    page = ada.page
    ada.sign_in("ada")
    ada.open("/admin/inventory/segment/")
    counted = Counted(page)
    page.keyboard.press("/")
    counted.type("10.20.30.11")
    page.keyboard.press("Enter")
    expect(
        page.get_by_text("is here: interface pi01/eth0: its address, static, in segment iot")
    ).to_be_visible()
    assert counted.tell("Who has 10.20.30.11") == 0  # three keys and the address
    ada.photograph("find-straight")
    page.get_by_role("link", name="Everything about it").click()
    settled(page)
    expect(page.get_by_text("the kiosk in the hall").first).to_be_visible()
    ada.photograph("find-everything")
    assert ada.complaints == []


@WAYS
def test_results_follow_the_typing_and_are_walked_by_keyboard(
    visit, administrator, sample, width, dark, request
):
    ada = visit(width=width, dark=dark)
    page = ada.page
    ada.sign_in("ada")
    if width < 1280:  # the field is in the menu, which is folded away; the page has one of its own
        page.keyboard.press("/")
        page.wait_for_url("**/admin/find/**")
        page.locator("#find-q").fill("pi0")
        page.keyboard.press("Enter")
        page.wait_for_url("**q=pi0**")
        assert ada.too_wide() <= 0
        ada.photograph("find-page-narrow")
        return
    page.keyboard.press("/")
    page.keyboard.type("pi0")
    expect(page.locator("#mp-found mark").first).to_be_visible()
    settled(page)
    page.keyboard.press("ArrowDown")
    ada.photograph(f"find-live-{request.node.callspec.id}")
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("#mp-found")).to_be_empty()
    page.keyboard.press("/")
    page.keyboard.press("Shift+Enter")
    page.wait_for_url("**/admin/find/?q=pi0")
    settled(page)
    assert ada.too_wide() <= 0 and violations(page) == []
    ada.photograph(f"find-page-{request.node.callspec.id}")
    assert ada.complaints == []


@WAYS
def test_everything_about_a_value(visit, administrator, sample, width, dark, request):
    ada = visit(width=width, dark=dark)
    ada.sign_in("ada")
    ada.open("/admin/resolve/?q=10.20.30.11")
    expect(ada.page.get_by_text("its address, static, in segment iot")).to_be_visible()
    assert ada.too_wide() <= 0 and violations(ada.page) == []
    ada.photograph(f"resolve-{request.node.callspec.id}")
    ada.open("/admin/find/?q=10.20.30.49")
    expect(ada.page.get_by_text("beside it:")).to_contain_text("bellgw-em01 10.20.30.50")
    ada.photograph(f"find-free-{request.node.callspec.id}")
    ada.open("/admin/find/?q=nothing-of-the-kind")
    ada.photograph(f"find-nothing-{request.node.callspec.id}")
    assert ada.complaints == []


def test_a_view_of_a_list_is_saved_renamed_and_forgotten(visit, administrator, sample):
    ada = visit()
    page = ada.page
    ada.sign_in("ada")
    ada.open("/admin/inventory/host/?q=pi&form__exact=pi")
    page.get_by_text("Save this view").click()
    page.locator("#view-name").fill("the pis")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="the pis", exact=True)).to_be_visible()
    page.locator("summary", has_text="Rename").click()
    page.locator("#view-new-name").fill("all pis")
    ada.photograph("views-rename")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="all pis", exact=True)).to_be_visible()
    page.get_by_role("button", name="Forget the view all pis").click()
    settled(page)
    assert not SavedFilter.objects.exists() and ada.complaints == []


@WAYS
def test_a_group_tells_members_and_variables(visit, administrator, sample, width, dark, request):
    ada = visit(width=width, dark=dark)
    ada.sign_in("ada")
    with change(sample, by="fixture"):
        pi = Host.objects.get(site=sample, name="pi01")
        group = pi.groups.filter(kind="group").order_by("name")[0]
        group.variables = {
            **group.variables,
            "ntp_servers": ["10.20.10.1", "10.20.10.2"],
            "wifi_psk": {"__ansible_vault": vault.encrypt(b"a secret", b"example")},
        }
        group.save()
        pi.variables = {**pi.variables, "ntp_servers": ["10.20.10.9"]}
        pi.save()
    ada.open(f"/admin/inventory/group/{group.pk}/change/")
    expect(ada.page.locator("#effective")).to_contain_text("(sealed)")
    assert ada.too_wide() <= 0 and violations(ada.page) == []
    ada.photograph(f"group-{request.node.callspec.id}")
    ada.open("/admin/variables/dvntm/?key=ntp_servers")
    expect(ada.page.get_by_text("the host itself")).to_be_visible()
    assert ada.too_wide() <= 0 and violations(ada.page) == []
    ada.photograph(f"variable-{request.node.callspec.id}")
    ada.open("/admin/variables/dvntm/")
    assert ada.too_wide() <= 0
    ada.photograph(f"variables-{request.node.callspec.id}")
    assert ada.complaints == []


@WAYS
def test_the_line_that_is_wrong_is_marked_while_typing(visit, administrator, sample, width, dark, request):
    ada = visit(width=width, dark=dark)
    page = ada.page
    ada.sign_in("ada")
    group = Group.objects.filter(site=sample, kind="group").order_by("pk")[0]
    ada.open(f"/admin/inventory/group/{group.pk}/change/")
    area = page.locator("#id_variables")
    area.fill("\n".join(f"line_{n}: {n}" for n in range(60)) + "\nbroken: [1, 2\n")
    expect(page.locator(".mp-yaml-lines .mp-bad")).to_have_text("62")
    page.get_by_role("button", name="Go to line 62").click()
    expect(page.locator(".mp-yaml-caret")).to_contain_text("Line 62")
    ada.photograph(f"yaml-error-{request.node.callspec.id}")
    assert ada.too_wide() <= 0 and violations(page) == []
    page.get_by_role("button", name="Save", exact=True).click()
    settled(page)
    expect(page.locator(".mp-yaml-lines .mp-bad")).to_have_text("62")
    ada.photograph(f"yaml-refused-{request.node.callspec.id}")
    area.fill("bmc_password: correct-horse-battery\nok: 1")
    expect(page.get_by_text("looks like a secret in plain").first).to_be_visible()
    expect(page.locator(".mp-yaml-lines .mp-bad")).to_have_count(0)
    ada.photograph(f"yaml-secret-{request.node.callspec.id}")
    area.focus()
    page.keyboard.press("End")
    page.keyboard.press("Control+End")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("x")
    assert area.input_value().endswith("\n  x")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") != "id_variables"
    assert ada.complaints == []
