"""A machine that is configured otherwise than declared is repaired: what differs is set, and nothing else."""

from __future__ import annotations

import pytest

from provisioning import requests
from provisioning.models import DriftFinding
from tests.provisioning.jobs.conftest import MAC, VMID, do
from tests.provisioning.jobs.rebuilding import Death, carried_on, dies
from tests.provisioning.support import texts

pytestmark = pytest.mark.django_db

HOST = "netctrl-vm01"


@pytest.fixture
def machine(lab, pve, guest_answers):
    assert do("create_vm", lab, host=HOST).state == "succeeded"
    pve.forget()
    return lab


def configured(pve, **changes) -> None:
    pve.change(guests={VMID: {"config": {**pve.guest(VMID)["config"], **changes}}})


def stop(pve) -> None:
    pve.change(guests={VMID: {"running": False}})


def standing() -> set[tuple[str, str]]:
    rows = DriftFinding.objects.judged().filter(host_name=HOST)
    return {(row.kind, row.field) for row in rows if row.state == "open"}


def test_exactly_what_differs_is_set_and_its_drift_closes(machine, pve):
    configured(pve, name="other", onboot="0", memory="2048")
    do("survey", machine)
    assert standing() == {("name", "name"), ("onboot", "onboot"), ("size", "memory")}
    pve.forget()
    job = do("repair_vm", machine, host=HOST)
    assert (job.state, job.outcome) == ("succeeded", {"set": ["name", "onboot"], "waiting": []}), job.message
    assert pve.writes() == [f"PUT /nodes/{pve.node}/qemu/{VMID}/{what}" for what in ("config", "cloudinit")]
    config = pve.guest(VMID)["config"]
    assert (config["name"], config["onboot"], config["memory"]) == (HOST, "1", "2048")
    assert standing() == {("size", "memory")}


@pytest.mark.parametrize(
    ("key", "other"), [("ipconfig0", "ip=192.0.2.99/24"), ("name", "other"), ("searchdomain", "example.org")]
)
def test_the_cloud_init_image_of_a_running_machine_has_what_was_repaired(machine, pve, key, other):
    was = pve.guest(VMID)["image"][key]
    pve.change(guests={VMID: {"config": {key: other}, "image": {**pve.guest(VMID)["image"], key: other}}})
    job = do("repair_vm", machine, host=HOST)
    assert (job.state, job.outcome["set"]) == ("succeeded", [key]), job.message
    assert pve.guest(VMID)["running"] and pve.guest(VMID)["image"][key] == was


def test_a_worker_that_died_before_the_image_was_written_is_gone_on_for(machine, pve, monkeypatch):
    was = pve.guest(VMID)["image"]["ipconfig0"]
    other = {"ipconfig0": "ip=192.0.2.99/24"}
    pve.change(guests={VMID: {"config": other, "image": {**pve.guest(VMID)["image"], **other}}})
    job = requests.request("repair_vm", site=machine, parameters={"host": HOST}, by="test", why="to see")
    with monkeypatch.context() as patched:
        Death(patched, 1, "before")
        assert dies(job)
    job = carried_on(job)
    assert job.state == "succeeded" and pve.guest(VMID)["image"]["ipconfig0"] == was, job.message


def test_without_a_cloud_init_drive_there_is_no_image_to_write(machine, pve):
    configured(pve, name="other", ide2=None)
    job = do("repair_vm", machine, host=HOST)
    assert (job.state, job.outcome["set"]) == ("succeeded", ["name"]), job.message


def test_what_is_as_declared_is_left_alone(machine, pve):
    job = do("repair_vm", machine, host=HOST)
    assert (job.state, job.outcome["set"]) == ("succeeded", [])
    assert pve.writes() == []


def test_a_machine_with_another_mac_is_stopped_first(machine, pve):
    configured(pve, net0="virtio=BC:24:11:00:00:99,bridge=vmbr0,tag=99,firewall=1")
    pve.forget()
    job = do("repair_vm", machine, host=HOST)
    assert job.state == "failed" and "stop it first" in job.message and "bc:24:11:00:00:99" in job.message
    assert pve.writes() == []
    stop(pve)
    job = do("repair_vm", machine, host=HOST)
    assert (job.state, job.outcome["set"]) == ("succeeded", ["net0"]), job.message
    assert pve.guest(VMID)["config"]["net0"] == f"virtio={MAC.upper()},bridge=vmbr0,firewall=1,tag=99"
    assert not pve.guest(VMID)["running"]


def test_the_plan_says_each_value_before_and_after_and_what_will_forbid_it(machine, pve):
    def plan():
        return requests.show_plan("repair_vm", site=machine, parameters={"host": HOST}, by="test")

    configured(pve, name="other")
    do("survey", machine)
    assert f"~ name of {HOST}: other → {HOST}" in [str(line) for line in plan().lines]
    configured(pve, net0="virtio=BC:24:11:00:00:99,bridge=vmbr0,tag=99")
    do("survey", machine)
    assert "stop it first" in plan().warnings[0]


def test_another_owners_machine_is_not_repaired(machine, pve):
    configured(pve, description="by hand", name="other")
    pve.forget()
    job = do("repair_vm", machine, host=HOST)
    assert job.state == "failed" and "carries no marker" in job.message
    assert pve.writes() == []


def test_a_parked_machine_is_not_taken_back_by_it(machine, pve):
    text = pve.guest(VMID)["config"]["description"]
    configured(pve, description=f"mgmtplane-parked: 2026-01-02T03:04:05+00:00\n\n{text}", onboot="0")
    pve.forget()
    job = do("repair_vm", machine, host=HOST)
    assert job.state == "failed" and "is parked since 2026-01-02 03:04 UTC" in job.message
    assert pve.writes() == []


def test_what_the_api_drops_is_seen(machine, pve):
    configured(pve, onboot="0")
    pve.fault("drop", "PUT", f"/{VMID}/config", keys=["onboot"])
    job = do("repair_vm", machine, host=HOST)
    assert job.state == "failed" and "onboot of netctrl-vm01 differ still" in job.message


def test_a_lost_answer_is_read_back(machine, pve):
    configured(pve, onboot="0")
    pve.fault("lost", "PUT", f"/{VMID}/config")
    job = do("repair_vm", machine, host=HOST)
    assert (job.state, job.outcome["set"]) == ("succeeded", ["onboot"]), texts(job)
    assert len(pve.requests("PUT", f"/{VMID}/config")) == 1
