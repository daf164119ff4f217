"""A survey is complete or a failure, and VMIDs are only chosen from complete ones."""

from __future__ import annotations

import json

import pytest

from provisioning.adapters.base import AdapterError, NotFound, Unauthorized
from provisioning.surveying.looking import Incomplete, survey
from provisioning.surveying.survey import NotEverywhere, as_json, from_json, taken_vmids
from tests.provisioning.pve.worlds import READ_TOKEN

NOW = "2026-01-02T03:04:05+00:00"


SEES = {"/vms": {"VM.Audit": 1}, "/storage": {"Datastore.Audit": 1}}


def look(pve, *awaited, **changes):
    return survey(pve.reader(**changes), hypervisor="hv01", taken=NOW, awaited=awaited)


def test_it_holds_version_node_storages_templates_and_every_guest_with_its_macs(each_version):
    found = look(each_version)
    assert (found.hypervisor, found.node, found.taken) == ("hv01", "pve", NOW)
    assert found.version.text.startswith(("8.4", "9.1"))
    assert [storage.name for storage in found.storages] == ["local", "local-lvm"]
    assert [template.vmid for template in found.templates] == [9000, 9001, 9002, 9003]
    assert found.vmids == {100, 101, 9000, 9001, 9002, 9003}
    assert found.guest_by_vmid[101].macs == ("bc:24:11:0a:0b:0c",)
    assert [guest.name for guest in found.guests_by_mac["bc:24:11:00:00:64"]] == ["opnsense"]
    assert found.excess == ()


def test_a_guest_of_another_node_takes_its_vmid_and_a_template_there_is_none(pve):
    pve.change(guests={300: {"config": {"name": "far", "template": "1"}, "node": "pve2"}})
    found = look(pve)
    assert 300 in found.vmids and found.guest_by_vmid[300].config is None
    assert 300 not in [template.vmid for template in found.templates]


def test_a_running_guest_has_the_mac_that_it_runs_with_and_the_one_that_waits(pve):
    card = "virtio=BC:24:11:00:00:99,bridge=vmbr0"
    pve.change(guests={100: {"running": True, "pending": {"net0": card}}})
    macs = look(pve).guest_by_vmid[100].macs
    assert "bc:24:11:00:00:99" in macs and "bc:24:11:00:00:64" in macs


def test_two_guests_with_one_mac_are_both_told(pve):
    mac = "virtio=BC:24:11:00:00:64,bridge=vmbr0"
    pve.change(guests={300: {"config": {"name": "twin", "net0": mac, "net1": mac}}})
    assert [guest.vmid for guest in look(pve).guests_by_mac["bc:24:11:00:00:64"]] == [100, 300]


@pytest.mark.parametrize(
    ("acl", "privilege"),
    [
        ({"/storage": {"Datastore.Audit": 1}}, "VM.Audit on /vms"),
        ({"/vms": {"VM.Audit": 0}, "/storage": {"Datastore.Audit": 1}}, "VM.Audit on /vms"),
        ({"/vms": {"VM.Audit": 1}}, "Datastore.Audit on /storage"),
        ({}, "VM.Audit on /vms"),
        ({**SEES, "/vms/101": {"VM.PowerMgmt": 1}}, "VM.Audit on /vms/101"),
        ({**SEES, "/storage/local": {"Datastore.AllocateSpace": 1}}, "Datastore.Audit on /storage/local"),
    ],
)
def test_a_missing_privilege_is_named_instead_of_an_empty_world(pve, acl, privilege):
    pve.change(tokens={READ_TOKEN: {"secret": "s" * 36, "privsep": 1, "acl": acl}})
    with pytest.raises(Unauthorized, match=f"would see only a part.*{privilege}"):
        look(pve, secret="s" * 36)


def test_an_awaited_machine_at_which_the_token_may_nothing_is_no_absent_one(pve):
    """Proxmox lists no path at which a token may nothing: only the VMID that is taken tells."""
    pve.change(tokens={READ_TOKEN: {"secret": "s" * 36, "privsep": 1, "acl": {**SEES, "/vms/100": {}}}})
    assert 100 not in look(pve, 300, secret="s" * 36).vmids
    with pytest.raises(Unauthorized, match=r"would see only a part.*VM\.Audit on /vms/100"):
        look(pve, 100, 300, secret="s" * 36)


def test_a_server_that_lists_all_paths_instead_of_the_one_is_understood(pve):
    listed = {"/": {"VM.Audit": 1, "Datastore.Audit": 1}, "/storage": {"Datastore.Audit": 0}}
    pve.fault("shape", "GET", "/permissions", data={"/": listed["/"]}, times=0)
    assert look(pve).vmids
    pve.forget()
    pve.fault("shape", "GET", "/permissions", data=listed, times=0)
    with pytest.raises(Unauthorized, match=r"lacks Datastore\.Audit on /storage"):
        look(pve)


def test_the_owner_of_a_separated_token_must_have_it_too(pve):
    pve.change(users={"mgmtplane@pve": {"/storage": {"Datastore.Audit": 1}}})
    with pytest.raises(Unauthorized, match=r"VM\.Audit on /vms.*separation"):
        look(pve)


def test_what_a_reading_token_had_better_not_have_is_named(each_version):
    acl = {
        "/": {"VM.Audit": 1, "Datastore.Audit": 1, "Sys.Modify": 1},
        "/vms/100": {"VM.PowerMgmt": 1, "VM.Audit": 1},
    }
    each_version.change(tokens={READ_TOKEN: {"secret": "s" * 36, "privsep": 1, "acl": acl}})
    found = look(each_version, secret="s" * 36)
    assert "Sys.Modify on /" in found.excess and "VM.PowerMgmt on /vms/100" in found.excess


def test_a_guest_that_came_meanwhile_is_read_in_a_second_round(pve):
    pve.fault("shape", "GET", "/cluster/resources", data=[], times=1)
    pve.fault("shape", "GET", "/nodes/pve/lxc$", data=[], times=1)
    assert 101 in look(pve).vmids


def test_guests_that_never_stand_still_are_no_survey(pve):
    pve.fault("shape", "GET", "/nodes/pve/lxc$", data=[], times=1)
    pve.fault("shape", "GET", "/nodes/pve/lxc$", data=[], times=1, skip=1)
    pve.fault(
        "shape",
        "GET",
        "/nodes/pve/lxc$",
        data=[{"vmid": 7777, "name": "x", "status": "stopped"}],
        times=1,
        skip=1,
    )
    with pytest.raises(AdapterError) as raised:
        look(pve)
    assert isinstance(raised.value, Incomplete) and raised.value.retryable


def test_a_guest_that_went_meanwhile_is_no_failure(pve):
    gone = "Configuration file 'nodes/pve/lxc/101.conf' does not exist"
    pve.fault("status", "GET", "/lxc/101/config", status=500, reason=gone)
    assert 101 in look(pve).vmids


@pytest.mark.parametrize(
    "path", ["/version", "/nodes", "/storage", "/lxc$", "/qemu$", "/resources", "/100/config", "/permissions"]
)
@pytest.mark.parametrize("fault", ["html", "null", "lost"])
def test_one_call_that_fails_is_a_failed_survey(pve, path, fault):
    pve.fault(fault, "GET", path, times=0)
    with pytest.raises(AdapterError):
        look(pve)


def test_no_storage_at_all_is_no_survey(pve):
    pve.fault("shape", "GET", "/storage", data=[], times=0)
    with pytest.raises(Incomplete, match="no storage at all"):
        look(pve)


def test_another_node_is_not_surveyed_by_mistake(pve):
    with pytest.raises(NotFound, match="calls itself: pve"):
        look(pve, node="hv02")


def test_a_survey_writes_nothing(pve):
    look(pve)
    assert pve.writes() == []


def test_it_survives_being_a_row(pve):
    found = look(pve)
    assert from_json(json.loads(json.dumps(as_json(found)))) == found


def test_vmids_are_taken_on_any_hypervisor(pve):
    found = look(pve)
    assert taken_vmids({"hv01": found}) == found.vmids
    assert taken_vmids({"hv01": found, "hv02": None}, {"hv02": [205]}) == found.vmids | {205}


def test_a_lost_hypervisor_keeps_what_it_had_beside_what_it_shows(pve):
    found = look(pve)
    assert 205 in taken_vmids({"hv01": found}, {"hv01": [205]})


def test_without_a_survey_of_every_hypervisor_there_is_no_answer(pve):
    found = look(pve)
    with pytest.raises(NotEverywhere, match="No complete survey of hv02, hv03") as raised:
        taken_vmids({"hv01": found, "hv03": None, "hv02": None})
    assert raised.value.hypervisors == ("hv02", "hv03")
    with pytest.raises(NotEverywhere, match="none is declared"):
        taken_vmids({})
