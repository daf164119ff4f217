"""What a machine is made from, on the page of its host and for many at once; always through the door."""

from __future__ import annotations

import pytest

from inventory.changes import change
from inventory.models import Host, VirtualMachine
from tests.admin.pages import errors_of, latest_change, new_inline, send, shown, url
from tests.admin.test_editing_many import apply, look, refused, told
from tests.document.generated import KEY

pytestmark = pytest.mark.django_db


@pytest.fixture
def vm(site) -> Host:
    row = Host(site=site, name="vm01", form="vm")
    with change(site, by="fixture"):
        row.save()
    return row


@pytest.fixture
def machine(vm) -> VirtualMachine:
    row = VirtualMachine(host=vm, template="debian-13-", ssh_keys=f"{KEY} a\n{KEY} b")
    with change(vm.site, by="fixture"):
        row.save()
    return row


def test_the_page_of_a_virtual_machine_alone_asks_for_it(browser, host, vm):
    assert "machine-TOTAL_FORMS" in shown(browser, url("host", "change", vm.pk))
    assert "machine-TOTAL_FORMS" not in shown(browser, url("host", "change", host.pk))
    assert "machine-TOTAL_FORMS" not in shown(browser, url("host", "add"))


def test_it_is_declared_with_its_host_in_one_change(browser, site, vm):
    address = url("host", "change", vm.pk)
    form = shown(browser, address)
    form |= new_inline(
        "machine", 0, host=vm.pk, cores="4", memory="4096", os_disk="40", boot="pxe", rng="on", cpu="host",
        ssh_keys=f"{KEY} ops\r\n",
    )  # fmt: skip
    send(browser, address, {**form, "why": "to be made"})
    row = VirtualMachine.objects.get()
    assert (row.host, row.cores, row.memory, row.boot, row.rng) == (vm, 4, 4096, "pxe", True)
    assert row.ssh_keys == f"{KEY} ops"
    assert (latest_change().why, row.history.get().change) == ("to be made", latest_change())


def test_a_refusal_stands_beside_the_field(browser, vm):
    address = url("host", "change", vm.pk)
    form = shown(browser, address)
    form |= new_inline("machine", 0, host=vm.pk, cores="2", memory="2048", os_disk="32", data_disk="10")
    errors = errors_of(browser.post(address, form))
    assert "carries a serial" in errors["machine-0-data_disk_serial"][0]
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n-----END OPENSSH PRIVATE KEY-----"
    form |= {"machine-0-data_disk": "", "machine-0-ssh_keys": key}
    assert "This is a private key" in errors_of(browser.post(address, form))["machine-0-ssh_keys"][0]


def test_an_untouched_page_changes_nothing_though_browsers_end_lines_otherwise(browser, machine):
    address = url("host", "change", machine.host_id)
    form = shown(browser, address)
    before = latest_change()
    form["machine-0-ssh_keys"] = form["machine-0-ssh_keys"].replace("\n", "\r\n")
    send(browser, address, form)
    assert latest_change() == before


def test_it_stays_on_the_page_of_a_host_that_is_a_machine_no_longer(browser, site, machine):
    host = machine.host
    with change(site, by="fixture"):
        host.form = "ph"
        host.save()
    address = url("host", "change", host.pk)
    send(browser, address, {**shown(browser, address), "machine-0-DELETE": "on", "why": "a leftover"})
    assert not VirtualMachine.objects.exists()


def test_many_are_edited_together(browser, site, machine):
    with change(site, by="fixture"):
        other = Host(site=site, name="vm02", form="vm")
        other.save()
    edits = {"how_machine_memory": "set", "machine_memory": "4096", "machine_start_on_boot": "no"}
    page = look(browser, "host", [machine.host, other], **edits)
    assert told(page) == {
        "vm01": ["memory 2048 → 4096", "start_on_boot True → False"],
        "vm02": [],
    }
    assert apply(browser, "host", [machine.host, other], page, **edits).status_code == 302
    assert set(VirtualMachine.objects.values_list("memory", "start_on_boot")) == {(4096, False)}


def test_what_is_no_virtual_machine_gets_none_by_the_way(browser, host, machine):
    edits = {"how_machine_cores": "set", "machine_cores": "8"}
    page = look(browser, "host", [machine.host, host], **edits)
    assert list(refused(page)) == ["pi01"]
    assert "is no virtual machine" in refused(page)["pi01"][0]
