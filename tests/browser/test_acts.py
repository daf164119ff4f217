"""The acts as an operator does them: clicks and seconds of each are counted, and printed."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command

from inventory import reading
from inventory.changes import change
from inventory.models import Group, Host, Interface, Service, Site
from tests.acts.lab import make_lab
from tests.allocation.conftest import make_site
from tests.browser.counting import Counted
from tests.shared_data import require_sample

expect = pytest.importorskip("playwright.sync_api", reason="pip install -r requirements-dev.txt").expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]


@pytest.fixture
def sample(administrator):
    reading.forget()
    call_command("import_ansible", str(require_sample()), "--site", "dvntm", "--apply", verbosity=0)
    yield
    reading.forget()


@pytest.fixture
def lab(administrator) -> Site:
    reading.forget()
    site = make_lab(make_site())
    with change(site, by="fixture"):
        group = Group.objects.get(name="pis")
        group.variables = {"mirror": "pi02", "urls": ["http://pi02/x"], "card": "BC-24-11-00-00-02"}
        group.save()
    yield site
    reading.forget()


def settled(page: Any) -> None:
    page.wait_for_load_state("networkidle")


def test_the_nic_of_pi02_is_replaced(visit, administrator, sample):
    ada = visit()
    page = ada.page
    ada.sign_in("ada")
    host = Host.objects.get(name="pi02") if Host.objects.filter(name="pi02").exists() else None
    name = host.name if host else "pi01"
    counted = Counted(page)
    ada.open(f"/admin/inventory/host/?q={name}")
    counted.click(page.get_by_role("link", name=name, exact=True))
    page.wait_for_url("**/change/**")
    counted.click(page.get_by_role("button", name="Acts"))
    ada.photograph("acts-menu")
    counted.click(page.get_by_role("link", name="Replace a NIC").locator("visible=true").first)
    settled(page)
    ada.photograph("acts-nic-empty")
    counted.fill("MAC of the new card", "DC-A6-32-00-00-99")
    expect(page.locator("#mp-plan")).to_contain_text("dc:a6:32:00:00:99")
    counted.fill("Reason for this change", "the old card died")
    settled(page)
    ada.photograph("acts-nic-plan")
    counted.click(page.get_by_role("button", name="Replace the NIC"))
    expect(page.get_by_text("has dc:a6:32:00:00:99 now")).to_be_visible()
    assert counted.tell("Replace the NIC of pi02") <= 6
    assert Interface.objects.filter(host__name=name, mac="dc:a6:32:00:00:99").exists()
    assert ada.complaints == []


def test_artifacts_moves(visit, administrator, sample):
    ada = visit()
    page = ada.page
    ada.sign_in("ada")
    counted = Counted(page)
    ada.open("/admin/inventory/service/?q=artifacts")
    counted.click(page.get_by_role("link", name="artifacts", exact=True))
    page.wait_for_url("**/change/**")
    counted.click(page.get_by_role("link", name="Move to another host").locator("visible=true").first)
    settled(page)
    counted.choose("To the host", "hv01")
    expect(page.locator("#mp-plan")).to_contain_text("hv01.dvntm")
    counted.fill("Reason for this change", "the provisioner is rebuilt")
    settled(page)
    ada.photograph("acts-move-plan")
    counted.click(page.get_by_role("button", name="Move", exact=True))
    expect(page.get_by_text("artifacts: on hv01 now.")).to_be_visible()
    assert counted.tell("Move artifacts") <= 6
    assert Service.objects.get(name="artifacts").host.name == "hv01"
    assert ada.complaints == []


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)], ids=["wide-light", "narrow-dark"])
def test_a_new_vm_is_previewed_while_it_is_asked_for(visit, lab, width, dark):
    ada = visit(width=width, dark=dark)
    page = ada.page
    kind = f"{width}-{'dark' if dark else 'light'}"
    ada.sign_in("ada")
    counted = Counted(page)
    ada.open("/admin/inventory/host/")
    if width < 1024:
        counted.click(page.get_by_text("more_horiz"))
    counted.click(page.get_by_role("link", name="New VM").locator("visible=true").first)
    settled(page)
    expect(page.locator("#mp-plan")).to_contain_text("needs a role")
    ada.photograph(f"acts-vm-asked-{kind}")
    counted.choose("Role", "dns")
    expect(page.locator("#mp-plan")).to_contain_text("02:de:20:01:00:02")
    settled(page)
    assert ada.too_wide() <= 0
    ada.photograph(f"acts-vm-shown-{kind}")
    counted.click(page.get_by_role("button", name="Make it"))
    expect(page.get_by_text("dns-vm02 is declared")).to_be_visible()
    counted.tell("New VM")
    ada.photograph(f"acts-vm-made-{kind}")
    assert Host.objects.get(name="dns-vm02").vmid == 201
    assert ada.complaints == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_new_hardware_is_declared(visit, lab, dark):
    ada = visit(dark=dark, width=360 if not dark else 1280)
    page = ada.page
    ada.sign_in("ada")
    ada.open("/admin/acts/new-machine/")
    page.get_by_label("Role", exact=True).select_option("dhcp")
    page.get_by_label("MAC", exact=True).fill("00-11-22-33-44-55")
    page.get_by_label("Boots from the network (PXE)").check(force=True)
    expect(page.locator("#mp-plan")).to_contain_text("declares no boot server")
    page.get_by_text("Say otherwise what is derived").click()
    page.get_by_label("Boot server").fill("192.0.2.4")
    expect(page.locator("#mp-plan")).to_contain_text("192.0.2.4 pxelinux.0")
    settled(page)
    assert ada.too_wide() <= 0
    ada.photograph(f"acts-machine-{'dark' if dark else 'narrow'}")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_text("dhcp-ph01 is declared")).to_be_visible()
    assert Interface.objects.get(host__name="dhcp-ph01").pxe_file == "pxelinux.0"
    assert ada.complaints == []


@pytest.mark.parametrize(("width", "dark"), [(1280, True), (360, False)], ids=["wide-dark", "narrow-light"])
def test_a_host_is_renamed(visit, lab, width, dark):
    ada = visit(width=width, dark=dark)
    page = ada.page
    ada.sign_in("ada")
    host = Host.objects.get(name="pi02")
    ada.open(f"/admin/acts/lab/rename/{host.pk}/")
    page.get_by_label("New name").fill("pi09")
    box = page.get_by_role("checkbox", name="group pis, variables.mirror")
    box.check()
    settled(page)
    expect(box).to_be_checked()
    page.get_by_text("kea", exact=False).first.click()
    page.get_by_label("Reason for this change").fill("it moved house")
    settled(page)
    assert ada.too_wide() <= 0
    ada.photograph(f"acts-rename-{width}-{'dark' if dark else 'light'}")
    page.get_by_role("button", name="Rename", exact=True).click()
    expect(page.get_by_text("pi02 is called pi09 now")).to_be_visible()
    assert Group.objects.get(name="pis").variables["mirror"] == "pi09"
    assert ada.complaints == []


def test_a_vm_is_cloned_without_javascript_being_needed_for_the_last_step(visit, lab):
    ada = visit()
    ada.sign_in("ada")
    vm = Host.objects.get(name="dns-vm01")
    ada.open(f"/admin/acts/lab/clone/{vm.pk}/")
    ada.photograph("acts-clone")
    ada.page.get_by_role("button", name="Make it").click()
    expect(ada.page.get_by_text("dns-vm02 is declared")).to_be_visible()
    assert ada.complaints == []


def test_from_nothing_to_the_first_host_and_the_next(visit, administrator):
    """The guided first site declares one host; the second is made by its role alone."""
    ada = visit()
    page = ada.page
    ada.sign_in("ada")
    counted = Counted(page)
    ada.open("/admin/")
    counted.click(page.get_by_role("link", name="Begin a first site"))
    counted.fill("Short name", "lab")
    counted.click(page.get_by_role("button", name="Show what follows"))
    settled(page)
    counted.click(page.get_by_role("button", name="Declare this site"))
    settled(page)
    reading.forget()
    assert "metrics-vm01" in reading.load("lab").host_by_name
    counted.tell("Empty installation to the first host")
    again = Counted(page)
    ada.open("/admin/inventory/host/")
    again.click(page.get_by_role("link", name="New VM").locator("visible=true").first)
    page.wait_for_url("**/acts/lab/new-vm/")
    again.choose("Role", "metrics")
    expect(page.locator("#mp-plan h2")).to_have_text("metrics-vm02")
    settled(page)
    ada.photograph("acts-vm-guided")
    again.click(page.get_by_role("button", name="Make it"))
    expect(page.get_by_text("metrics-vm02 is declared")).to_be_visible()
    again.tell("The next host")
    assert ada.complaints == []
