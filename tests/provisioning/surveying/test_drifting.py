"""Declared against surveyed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from provisioning.machines.facts import Config, GuestLine, NodeFacts, StorageFacts, Version
from provisioning.machines.spec import MachineSpec
from provisioning.surveying.drifting import Drift, Expected, drift
from provisioning.surveying.kinds_of_drift import KINDS
from provisioning.surveying.survey import Guest, Survey
from tests.provisioning.machines.test_comparing import AS_DECLARED, SPEC

MACHINE = Expected("netctrl-vm01", "hv01", SPEC, template="debian-13")
GUEST = Guest(GuestLine(200, "qemu", "pve", "netctrl-vm01", "running"), (SPEC.mac,), Config(AS_DECLARED))
TEMPLATE = Guest(GuestLine(9000, "qemu", "pve", "debian-13-1.0", "stopped", is_template=True), (), Config({}))


def surveyed(*guests: Guest, hypervisor: str = "hv01") -> Survey:
    storage = StorageFacts("local-lvm", "lvmthin", frozenset({"images"}), True, True, False, 10, 5)
    nodes = (NodeFacts("pve", True),)
    return Survey(hypervisor, "2026-01-02T03:04:05+00:00", Version("9.1"), "pve", nodes, (storage,), guests)


def with_config(**changes: str) -> Guest:
    return replace(GUEST, config=Config({**AS_DECLARED, **changes}))


def only(guest: Guest) -> list[tuple[str, str, str]]:
    found = drift([MACHINE], {"hv01": surveyed(guest, TEMPLATE)}).found
    return [(each.kind, each.field, each.found) for each in found]


def test_as_declared_there_is_none():
    assert only(GUEST) == []


@pytest.mark.parametrize(
    ("guest", "expected"),
    [
        (
            with_config(net0="virtio=BC:24:11:00:00:01,bridge=vmbr0,tag=99"),
            ("mac", "net0 MAC", "bc:24:11:00:00:01"),
        ),
        (with_config(net0="virtio=02:DE:20:00:00:C8,bridge=vmbr0"), ("tag", "net0 VLAN tag", "untagged")),
        (
            with_config(net0="virtio=02:DE:20:00:00:C8,bridge=vmbr9,tag=99"),
            ("bridge", "net0 bridge", "vmbr9"),
        ),
        (with_config(onboot="0"), ("onboot", "onboot", "0")),
        (with_config(memory="512"), ("size", "memory", "512")),
        (with_config(scsi0="local-lvm:vm-200-disk-0,size=10G"), ("size", "OS disk", "10G")),
        (with_config(scsi1="local-lvm:vm-200-disk-1,size=20G"), ("disk", "data disk data-0001", "")),
        (
            with_config(scsi1="local-lvm:vm-200-disk-1,serial=data-0001,size=10G"),
            ("size", "data disk data-0001", "10G"),
        ),
        (with_config(cores="1"), ("size", "cores", "1")),
        (with_config(tags=""), ("unmarked", "tags", "")),
        (with_config(agent="0"), ("setting", "agent", "0")),
        (
            with_config(net0="by hand"),
            ("setting", "configuration", "“by hand” names no network card that Proxmox knows."),
        ),
        (
            replace(GUEST, config=Config(AS_DECLARED, pending={"memory": "4096"})),
            ("pending", "memory", "waiting for a power cycle"),
        ),
        (with_config(name="other"), ("name", "name", "other")),
        (with_config(description=""), ("unmarked", "owner", "")),
        (replace(GUEST, line=replace(GUEST.line, status="stopped")), ("stopped", "state", "stopped")),
        (
            replace(GUEST, line=replace(GUEST.line, kind="lxc")),
            ("missing", "machine", "the container netctrl-vm01 under its VMID"),
        ),
    ],
)
def test_each_thing_has_its_kind(guest, expected):
    assert only(guest) == [expected]


def test_a_machine_that_is_not_there():
    (found,) = drift([MACHINE], {"hv01": surveyed(TEMPLATE)}).found
    assert found.key == ("missing", "hv01", "netctrl-vm01", "machine")
    assert str(found) == "netctrl-vm01: machine is not there instead of netctrl-vm01"


def test_a_machine_that_is_on_another_hypervisor():
    surveys = {"hv01": surveyed(TEMPLATE), "hv02": surveyed(GUEST, hypervisor="hv02")}
    assert [(each.kind, each.found) for each in drift([MACHINE], surveys).found] == [("node", "hv02")]


def test_another_guest_under_its_vmid_elsewhere_is_not_it():
    foreign = replace(GUEST, macs=("bc:24:11:00:00:09",))
    surveys = {"hv01": surveyed(TEMPLATE), "hv02": surveyed(foreign, hypervisor="hv02")}
    assert [(each.kind, each.hypervisor) for each in drift([MACHINE], surveys).found] == [
        ("missing", "hv01"),
        ("undeclared", "hv02"),
    ]


def test_a_template_that_is_gone():
    (found,) = drift([MACHINE], {"hv01": surveyed(GUEST)}).found
    assert found.kind == "template" and "there is: none at all" in found.found


def test_a_failed_survey_makes_things_unknown_and_never_missing():
    drifts = drift([MACHINE], {"hv01": None, "hv02": surveyed(TEMPLATE, hypervisor="hv02")})
    assert drifts.found == () and drifts.unknown == {"hv01"}
    assert drift([MACHINE], {}).unknown == {"hv01"}


def test_what_was_last_seen_elsewhere_is_undecided_while_that_cannot_be_looked_at():
    surveys = {"hv01": surveyed(TEMPLATE), "hv02": None}
    drifts = drift([MACHINE], surveys, whereabouts={"netctrl-vm01": "hv02"})
    assert drifts.found == () and drifts.undecided == {"netctrl-vm01"}
    (found,) = drift([MACHINE], surveys).found
    assert (found.kind, found.hypervisor) == ("missing", "hv01")


def test_a_copy_beside_the_machine_is_undeclared():
    surveys = {"hv01": surveyed(GUEST, TEMPLATE), "hv02": surveyed(GUEST, hypervisor="hv02")}
    (found,) = drift([MACHINE], surveys).found
    assert (found.kind, found.hypervisor) == ("undeclared", "hv02")
    assert found.found.endswith("which is netctrl-vm01's, marked as netctrl-vm01 of dvntm")


def test_a_machine_that_is_still_to_be_made_is_not_missing():
    assert drift([replace(MACHINE, awaited=True)], {"hv01": surveyed(TEMPLATE)}).found == ()


def test_nothing_is_said_of_a_machine_that_a_job_is_at():
    stopped = replace(GUEST, line=replace(GUEST.line, status="stopped"))
    surveys = {"hv01": surveyed(stopped, TEMPLATE)}
    assert drift([MACHINE], surveys, busy={"netctrl-vm01"}).found == ()


SPARE = GuestLine(900_000_200, "qemu", "pve", "netctrl-vm01", "stopped")
SPARE_MARK = SPEC.owner.marker.replace("netctrl-vm01", "netctrl-vm01:spare")


def of_spare(config: dict[str, str], **more: Any) -> list[tuple[str, int, str]]:
    survey = surveyed(GUEST, TEMPLATE, Guest(SPARE, (), Config(config)))
    return [(one.kind, one.vmid, one.host) for one in drift([MACHINE], {"hv01": survey}, **more).found]


def test_nothing_is_said_of_a_spare_while_a_job_is_at_its_machine():
    cloning = {"lock": "clone", "description": " qmclone temporary file\n"}
    for config in ({"description": SPARE_MARK}, {"lock": "clone"}, cloning, {"lock": "destroyed"}):
        assert of_spare(config, busy={"netctrl-vm01"}) == []


def test_a_spare_that_no_job_is_at_was_left_by_a_rebuild_of_its_machine():
    assert of_spare({"description": SPARE_MARK}) == [("spare", 900_000_200, "netctrl-vm01")]


def test_where_a_spare_would_lie_what_is_not_marked_as_ours_is_undeclared():
    other = SPARE_MARK.replace("uid=", "uid=other")
    for config in ({"lock": "clone"}, {}, {"description": other}, {"description": SPEC.owner.marker}):
        assert of_spare(config) == [("undeclared", 900_000_200, "")]


def test_a_parked_machine_is_one_thing_and_not_three():
    text = "mgmtplane-parked: 2026-01-02T03:04:05+00:00\n\n" + AS_DECLARED["description"]
    guest = with_config(description=text, onboot="0")
    stopped = replace(guest, line=replace(GUEST.line, status="stopped"))
    assert only(stopped) == [("stopped", "state", "parked since 2026-01-02 03:04 UTC")]
    (_, _, found), kind = only(stopped)[0], KINDS["stopped"]
    assert [name for name, _ in kind.jobs_for(found)] == [
        "create_vm",
        "destroy_vm",
    ]  # started it would be destroyed
    assert [name for name, _ in kind.jobs_for("stopped")] == ["power"]


def test_a_moment_of_parking_that_there_is_not_stops_nobody():
    text = "mgmtplane-parked: 2026-99-99T99:99:99+00:00\n\n" + AS_DECLARED["description"]
    assert only(with_config(description=text, memory="512")) == [("size", "memory", "512")]


def test_of_a_declaration_in_part_only_that_part_is_compared():
    part = MachineSpec(200, "netctrl-vm01", "", "", SPEC.owner, agent=None)
    expected = replace(MACHINE, spec=part, template="", compared=frozenset({"missing", "name", "stopped"}))
    found = drift([expected], {"hv01": surveyed(with_config(name="other", description=""))}).found
    assert [(each.kind, each.found) for each in found] == [("name", "other")]


def test_undeclared_guests_are_named_with_their_macs_and_templates_are_none():
    foreign = Guest(GuestLine(100, "lxc", "pve", "pihole", "running"), ("bc:24:11:0a:0b:0c",), Config({}))
    surveys = {"hv01": surveyed(foreign, GUEST, TEMPLATE)}
    said = "pihole (lxc) with bc:24:11:0a:0b:0c"
    assert drift([MACHINE], surveys).found == (Drift("undeclared", "hv01", 100, "", "machine", "", said),)


def test_an_undeclared_guest_with_a_declared_mac_says_whose():
    thief = Guest(GuestLine(300, "qemu", "pve", "copy", "running"), (SPEC.mac,), Config({}))
    (found,) = drift([MACHINE], {"hv01": surveyed(GUEST, thief, TEMPLATE)}).found
    assert found.found == "copy (qemu) with 02:de:20:00:00:c8, which is netctrl-vm01's"


def test_order_does_not_depend_on_order():
    guests = (with_config(memory="512", onboot="0"), TEMPLATE)
    one = drift([MACHINE], {"hv01": surveyed(*guests)})
    assert one == drift([MACHINE], {"hv01": surveyed(*reversed(guests))})
