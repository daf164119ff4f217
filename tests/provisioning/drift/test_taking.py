"""What was found is taken as declared: one fact, through the door, with a reason; and the row closes."""

from __future__ import annotations

import pytest

from inventory import reading
from inventory.changes import change
from inventory.models import Change, Host, VirtualMachine
from provisioning import drift
from provisioning.drift import Refused
from provisioning.observed.taking import can_take, take, taking
from tests.provisioning.drift.conftest import HOST, PIHOLE, only, rows

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("changes", "attribute", "before", "after"),
    [
        ({"memory": "512"}, "memory", 2048, 512),
        ({"cores": "8"}, "cores", 2, 8),
        ({"scsi0": "local-lvm:vm-disk-0,size=64G"}, "os_disk", 20, 64),
        ({"onboot": "0"}, "start_on_boot", True, False),
        ({"net0": "virtio=02:DE:20:00:00:C8,bridge=vmbr9,tag=99"}, "bridge", "", "vmbr9"),
    ],
)
def test_a_fact_of_the_declaration_is_taken_and_the_row_closes(lab, changes, attribute, before, after):
    lab.survey(lab.machine(**changes))
    shown = taking(only())
    assert (shown.attribute, shown.before, shown.after) == (attribute, before, after)
    take(only(), fingerprint=shown.fingerprint, by="ada", why="it was grown by hand")
    assert getattr(VirtualMachine.objects.get(), attribute) == after
    made = Change.objects.latest("id")
    assert (made.by_name, made.why, made.revision) == (
        "ada",
        "it was grown by hand",
        reading.load("lab").revision,
    )
    assert [state for _, _, state in rows()] == ["closed"]
    assert [(one.verb, one.by) for one in only().decisions.all()] == [("declare", "ada")]


def test_the_hypervisor_on_which_it_is_is_taken(lab):
    lab.seen("hv01")
    lab.seen("hv02", lab.machine())
    drift.judge(lab.site)
    take(only(), fingerprint=taking(only()).fingerprint, by="ada", why="moved on purpose")
    assert Host.objects.get(name=HOST).hypervisor.name == "hv02"
    assert rows() == [("node", "hypervisor", "closed")]


def test_another_plan_than_the_one_that_was_shown_is_not_carried_out(lab):
    lab.survey(lab.machine(memory="512"))
    shown = taking(only())
    lab.survey(lab.machine(memory="256"))
    with pytest.raises(Refused, match="has changed meanwhile"):
        take(only(), fingerprint=shown.fingerprint, by="ada", why="so")
    assert VirtualMachine.objects.get().memory == 2048


def test_what_is_declared_so_by_now_is_said(lab):
    lab.survey(lab.machine(memory="512"))
    with change(lab.site, by="ada", why="it needs no more"):
        machine = VirtualMachine.objects.get()
        machine.memory = 512
        machine.save()
    with pytest.raises(Refused, match="is declared as 512 by now"):
        taking(only())


def test_what_the_model_refuses_is_refused_in_its_words(lab):
    lab.survey(lab.machine(memory="8"))
    shown = taking(only())
    with pytest.raises(Refused, match="16 to 16777216"):
        take(only(), fingerprint=shown.fingerprint, by="ada", why="so")
    assert rows() == [("size", "memory", "open")]


@pytest.mark.parametrize(
    ("guests", "message"),
    [
        ({"net0": "virtio=BC:24:11:00:00:99,bridge=vmbr0,tag=99"}, "repair it, or change the declaration"),
        ({"scsi0": "local-lvm:vm-disk-0,size=30000M"}, "in whole GiB"),
    ],
)
def test_what_is_no_fact_of_a_declaration_is_not_taken(lab, guests, message):
    lab.survey(lab.machine(**guests))
    assert not can_take(only())
    with pytest.raises(Refused, match=message):
        taking(only())


def test_a_guest_without_a_host_is_not_taken(lab):
    lab.survey(lab.machine(), PIHOLE)
    assert not can_take(only())
    with pytest.raises(Refused, match="declare one"):
        taking(only())
