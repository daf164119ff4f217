"""From declaration to running machine, once, whatever happens in between."""

from __future__ import annotations

from typing import Any

import pytest

from inventory import reading
from inventory.changes import change
from inventory.models import Host, Interface, Segment
from provisioning import requests
from provisioning.machines.declared import machine_of
from provisioning.machines.owning import Owner, owner_of
from provisioning.models import Job, Survey
from provisioning.requests import Refused
from tests.provisioning.jobs.conftest import ADDRESS, MAC, VMID, declare_lab, do, made
from tests.provisioning.jobs.rebuilding import Death, carried_on, dies
from tests.provisioning.pve.worlds import SECRETS, WRITE_TOKEN
from tests.provisioning.support import texts

pytestmark = pytest.mark.django_db

HOST = "netctrl-vm01"


def create(site) -> Job:
    return do("create_vm", site, host=HOST)


def clones(pve) -> list[dict[str, Any]]:
    return pve.requests("POST", "/clone")


def starts(pve) -> list[dict[str, Any]]:
    return pve.requests("POST", f"/qemu/{VMID}/status/start")


def test_a_declared_machine_is_made_started_and_holds_its_address(db, each_version):
    lab = declare_lab(each_version)
    each_version.change(leases={MAC: ADDRESS})
    job = create(lab)
    assert (job.state, job.message) == ("succeeded", f"{HOST} runs on hv01 as 200, at {ADDRESS}.")
    assert job.outcome == {"vmid": VMID, "hypervisor": "hv01", "mac": MAC, "addresses": [ADDRESS]}
    found = each_version.guest(VMID)
    assert found["running"] and found["config"]["net0"].startswith(f"virtio={MAC.upper()},bridge=vmbr0,")
    assert "tag=99" in found["config"]["net0"] and "firewall=1" in found["config"]["net0"]
    assert owner_of(found["config"]["description"]) == Owner("lab", str(lab.uid), HOST)
    assert "size=20G" in found["config"]["scsi0"]
    assert any("serial=data01" in str(value) for value in found["config"].values())
    assert [step for step in texts(job) if step == "Read back"] == ["Read back"]


def test_type_of_processor_and_random_numbers_are_set_and_compared(db, each_version):
    lab = declare_lab(each_version)
    each_version.change(leases={MAC: ADDRESS})
    machine = Host.objects.get(name=HOST).machine
    with change(lab, by="fixture", why="a machine of its own"):
        machine.cpu, machine.rng = "x86-64-v2-AES", True
        machine.save()
    assert create(lab).state == "succeeded"
    config = each_version.guest(VMID)["config"]
    assert (config["cpu"], config["rng0"]) == ("x86-64-v2-AES", "source=/dev/urandom")


def test_a_type_of_processor_that_there_is_not_fails_by_name_and_starts_nothing(lab, pve):
    machine = Host.objects.get(name=HOST).machine
    with change(lab, by="fixture", why="a slip"):
        machine.cpu = "hots"
        machine.save()
    job = create(lab)
    assert job.state == "failed" and "Built-in cputype 'hots' is not defined" in job.message
    assert starts(pve) == []


@pytest.mark.parametrize("key", ["cpu", "rng0"])
def test_one_that_the_api_drops_is_found_when_it_is_read_back(lab, pve, key):
    machine = Host.objects.get(name=HOST).machine
    with change(lab, by="fixture", why="with random numbers"):
        machine.rng = True
        machine.save()
    pve.fault("drop", "PUT", "/200/config", keys=[key], times=0)
    job = create(lab)
    assert job.state == "failed" and f"{key} is not set instead of" in job.message
    assert starts(pve) == []


def test_a_startup_order_takes_a_right_on_the_whole_node_and_is_told_by_name(lab, pve):
    machine = Host.objects.get(name=HOST).machine
    with change(lab, by="fixture", why="first of all"):
        machine.startup_order = 1
        machine.save()
    job = create(lab)
    assert job.state == "failed" and "Sys.Modify" in job.message
    assert starts(pve) == []


def test_created_again_it_is_left_as_it_is(lab, pve, guest_answers):
    create(lab)
    pve.forget()
    job = create(lab)
    assert job.state == "succeeded"
    assert pve.writes() == []


def test_the_secret_is_nowhere_in_the_job(lab, pve, guest_answers, caplog):
    job = create(lab)
    whole = "\n".join([*texts(job), str(job.as_dict()), caplog.text])
    assert SECRETS[WRITE_TOKEN] not in whole


FAULTS = {
    # name: (fault, state at the end, clones asked for)
    "clone 500 busy": (
        {
            "kind": "status",
            "method": "POST",
            "path": "/clone",
            "status": 500,
            "reason": "can't lock file - got timeout",
        },
        "succeeded",
        2,
    ),
    "clone answer lost": ({"kind": "lost", "method": "POST", "path": "/clone"}, "succeeded", 1),
    "clone answer cut": ({"kind": "cut", "method": "POST", "path": "/clone"}, "succeeded", 1),
    "clone task fails": (
        {
            "kind": "task",
            "method": "POST",
            "path": "/clone",
            "exitstatus": "clone failed: no space",
            "effect": False,
        },
        "failed",
        1,
    ),
    "clone task warns": (
        {
            "kind": "task",
            "method": "POST",
            "path": "/clone",
            "exitstatus": "WARNINGS: 1",
            "log": ["WARN: slow"],
        },
        "succeeded",
        1,
    ),
    "clone refused": (
        {
            "kind": "status",
            "method": "POST",
            "path": "/clone",
            "status": 401,
            "reason": "authentication failure",
        },
        "failed",
        1,
    ),
    "clone a web page": ({"kind": "html", "method": "POST", "path": "/clone"}, "succeeded", 2),
    "config answer lost": ({"kind": "lost", "method": "PUT", "path": r"/200/config"}, "succeeded", 1),
    "config 596 once": (
        {"kind": "status", "method": "PUT", "path": r"/200/config", "status": 596, "reason": "Broken pipe"},
        "succeeded",
        1,
    ),
    "MAC silently dropped once": (
        {"kind": "drop", "method": "PUT", "path": r"/200/config", "keys": ["net0"]},
        "succeeded",
        1,
    ),
    "MAC silently dropped always": (
        {"kind": "drop", "method": "PUT", "path": r"/200/config", "keys": ["net0"], "times": 0},
        "failed",
        1,
    ),
    "onboot silently dropped": (
        {"kind": "drop", "method": "PUT", "path": r"/200/config", "keys": ["onboot"], "times": 0},
        "failed",
        1,
    ),
    "disk not grown": ({"kind": "ignore", "method": "PUT", "path": r"/200/resize"}, "failed", 1),
    "resize answer lost": ({"kind": "lost", "method": "PUT", "path": r"/200/resize"}, "succeeded", 1),
    "start answer lost": ({"kind": "lost", "method": "POST", "path": r"/status/start"}, "succeeded", 1),
    "start ignored": ({"kind": "ignore", "method": "POST", "path": r"/status/start"}, "failed", 1),
    "image not written": (
        {"kind": "ignore", "method": "PUT", "path": r"/200/cloudinit", "times": 0},
        "failed",
        1,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_ends_well_or_in_words_with_one_machine_at_most(lab, pve, guest_answers, name):
    fault, state, number = FAULTS[name]
    pve.fault(**fault)
    job = create(lab)
    assert (job.state, len(clones(pve))) == (state, number), (job.message, texts(job))
    ours = [vmid for vmid, guest in pve.state()["guests"].items() if guest["config"].get("name") == HOST]
    assert len(ours) <= 1
    if state == "failed":
        assert job.message and "Traceback" not in job.message
    if state == "failed" and ("dropped" in name or "not grown" in name):
        assert starts(pve) == []  # a machine that is not what is declared is not started


def test_after_a_failure_the_same_job_converges(lab, pve, guest_answers):
    pve.fault("drop", "PUT", "/200/config", keys=["net0"], times=0)
    assert create(lab).state == "failed"
    pve.forget()
    assert create(lab).state == "succeeded"
    assert clones(pve) == []  # it went on with the machine that was there


def test_a_guest_with_another_address_fails_and_both_are_named(lab, pve):
    pve.change(leases={MAC: "192.0.2.150"})
    job = create(lab)
    assert job.state == "failed"
    assert f"holds 192.0.2.150 instead of {ADDRESS}" in job.message


def test_a_guest_without_an_agent_fails_after_the_limit(lab, pve):
    job = create(lab)
    assert job.state == "failed" and "no agent of netctrl-vm01" in job.message


def test_a_foreign_machine_with_the_vmid_is_never_touched(lab, pve):
    pve.change(
        guests={VMID: {"config": {"name": "somebody", "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0"}}}
    )
    before = pve.guest(VMID)
    job = create(lab)
    assert job.state == "failed" and "carries no marker" in job.message
    assert pve.writes() == [] and pve.guest(VMID) == before


def test_a_mac_that_another_guest_has_stops_it(lab, pve):
    pve.change(guests={300: {"config": {"name": "twin", "net0": f"virtio={MAC.upper()},bridge=vmbr0"}}})
    job = create(lab)
    assert job.state == "failed" and f"MAC {MAC} is on twin (300) on hv01 already." in job.message
    assert pve.writes() == []


def test_without_room_nothing_is_begun(lab, pve):
    pve.change(storages={"local-lvm": {"free": 10 * 1024**3}})
    job = create(lab)
    assert job.state == "failed" and "needs 25G on local-lvm of hv01; 10 GiB are free." in job.message
    assert pve.writes() == []


def test_a_hypervisor_that_cannot_be_seen_stops_every_creation(lab, pve):
    with change(lab, by="fixture", why="another hypervisor"):
        Host(site=lab, name="hv02", form="hv").save()
    job = create(lab)
    assert job.state == "failed" and "The API of hv02 is not declared" in job.message
    assert "No complete survey" not in job.message and pve.writes() == []


def test_a_balloon_larger_than_the_declared_memory_is_lowered_with_it(lab, pve, guest_answers):
    pve.change(guests={9003: {"config": {"memory": "16384", "balloon": "8192"}}})
    job = create(lab)
    assert job.state == "succeeded", job.message
    assert f"~ balloon of {HOST}: 8192 → 4096 MiB: no more than its memory" in map(str, job.planned.lines)
    assert (pve.guest(VMID)["config"]["memory"], pve.guest(VMID)["config"]["balloon"]) == ("4096", "4096")


def test_a_smaller_balloon_is_left_alone(lab, pve, guest_answers):
    pve.change(guests={9003: {"config": {"balloon": "1024"}}})
    job = create(lab)
    assert job.state == "succeeded" and pve.guest(VMID)["config"]["balloon"] == "1024", job.message
    assert "balloon" not in str(job.plan)


def test_the_image_of_a_running_machine_has_an_address_that_changed(lab, pve, guest_answers):
    made(pve, lab)
    was = pve.guest(VMID)["image"]["ipconfig0"]
    other = {"ipconfig0": "ip=192.0.2.99/24"}
    pve.change(guests={VMID: {"config": other, "image": {**pve.guest(VMID)["image"], **other}}})
    assert create(lab).state == "succeeded"
    assert pve.guest(VMID)["image"]["ipconfig0"] == was


def test_a_template_without_a_cloud_init_drive_is_named(lab, pve):
    pve.change(guests={9003: {"config": {"ide2": None}}})
    (said,) = [one for one in create(lab).planned.warnings if "cloud-init" in one]
    assert "(9003) has no cloud-init drive" in said and "qm set 9003 --ide2 local-lvm:cloudinit" in said


def test_an_ipv6_address_is_configured_beside_a_reservation(lab):
    with change(lab, by="fixture", why="an IPv6 address"):
        segment = Segment.objects.get(site=lab)
        segment.network6, segment.gateway6 = "2001:db8:99::/64", "2001:db8:99::1"
        segment.save()
        card = Interface.objects.get(host__name=HOST)
        card.ipv6 = ["2001:db8:99::5"]
        card.save()
    spec = machine_of(reading.load(lab.slug), HOST).spec
    assert str(spec.ipconfig) == "ip=dhcp,ip6=2001:db8:99::5/64,gw6=2001:db8:99::1"


def test_what_is_not_declared_is_told_at_once_and_in_full(lab):
    host = Host.objects.get(name=HOST)
    with change(lab, by="fixture", why="a tenant's, without a template"):
        host.plane, host.machine.template = "tenant", ""
        host.save()
        host.machine.save()
    with pytest.raises(Refused) as refused:
        create(lab)
    assert "names no template" in str(refused.value) and "tenants never land there" in str(refused.value)
    assert not Job.objects.exists()


def test_a_survey_is_kept_with_the_job(lab, pve, guest_answers):
    create(lab)
    row = Survey.objects.get(site=lab, hypervisor="hv01")
    assert row.taken and not row.failure and {guest["vmid"] for guest in row.document["guests"]} >= {100, 101}


def test_a_lost_answer_while_the_clone_still_runs_is_waited_out(lab, pve, guest_answers):
    pve.change(task_seconds=0.6)
    pve.fault("lost", "POST", "/clone")
    job = create(lab)
    assert (job.state, len(clones(pve))) == ("succeeded", 1), job.message


def test_a_clone_of_a_worker_that_died_is_gone_on_with(lab, pve, guest_answers):
    pve.change(task_seconds=1.6)  # longer than a lock is waited for at which no task is
    marker = Owner("lab", str(lab.uid), HOST).marker
    pve.proxmox().clone(9003, VMID, name=HOST, storage="local-lvm", description=marker)
    job = create(lab)
    assert (job.state, len(clones(pve))) == ("succeeded", 1), job.message


def test_a_clone_of_a_protected_template_is_not_protected(lab, pve, guest_answers):
    pve.change(guests={9003: {"config": {"protection": "1"}}})
    job = create(lab)
    assert job.state == "succeeded", job.message
    assert pve.guest(VMID)["config"]["protection"] == "0" and pve.guest(9003)["config"]["protection"] == "1"


@pytest.mark.parametrize(("number", "when"), [(0, "after"), (1, "before")])
def test_a_worker_that_dies_between_leaves_no_protection(lab, pve, guest_answers, monkeypatch, number, when):
    pve.change(guests={9003: {"config": {"protection": "1"}}})
    job = requests.request("create_vm", site=lab, parameters={"host": HOST}, by="test", why="to see")
    with monkeypatch.context() as patched:
        Death(patched, number, when)
        assert dies(job)
    job = carried_on(job)
    assert job.state == "succeeded" and pve.guest(VMID)["config"]["protection"] == "0", job.message


def test_a_machine_that_somebody_protected_stays_so(lab, pve, guest_answers):
    made(pve, lab)
    pve.change(guests={VMID: {"config": {"protection": "1"}}})
    assert create(lab).state == "succeeded"
    assert pve.guest(VMID)["config"]["protection"] == "1"


def test_what_is_being_destroyed_is_waited_for_and_made_anew(lab, pve, guest_answers):
    made(pve, lab, running=False)
    proxmox = pve.proxmox()
    pve.change(task_seconds=1.6)
    proxmox.destroy(VMID)
    pve.change(task_seconds=0)
    job = create(lab)
    assert (job.state, len(clones(pve))) == ("succeeded", 1), job.message


def test_what_is_left_of_a_broken_destroy_is_named_with_what_ends_it(lab, pve):
    made(pve, lab, running=False)
    pve.fault("task", "DELETE", f"/qemu/{VMID}$", exitstatus="interrupted", effect=False, leftovers=True)
    pve.proxmox().destroy(VMID)
    pve.forget()
    job = create(lab)
    assert job.state == "failed" and f"qm destroy {VMID} --skiplock" in job.message, job.message
    assert "adopt" not in job.message and pve.writes() == []


def test_a_clone_that_somebody_else_is_making_is_left_to_them(lab, pve):
    pve.change(task_seconds=0.6)
    pve.proxmox().clone(9003, VMID, name="theirs", storage="local-lvm")
    pve.forget()
    job = create(lab)
    assert job.state == "failed" and "carries no marker" in job.message
    assert pve.writes() == []


def test_a_card_that_the_api_drops_is_not_started_with_its_node_either(lab, pve, guest_answers):
    pve.fault("drop", "PUT", "/200/config", keys=["net0"], times=0)
    pve.change(guests={9003: {"config": {"onboot": "1"}}})
    job = do("create_vm", lab, host=HOST)
    assert job.state == "failed" and "It was not started" in job.message, job.message
    assert not pve.guest(VMID)["running"] and pve.guest(VMID)["config"]["onboot"] == "0"


def test_it_is_started_with_its_node_once_everything_else_is_read_back(lab, pve, guest_answers):
    pve.fault("drop", "PUT", "/200/config", keys=["net0"], times=3)
    assert do("create_vm", lab, host=HOST).state == "failed"
    assert pve.guest(VMID)["config"].get("onboot", "0") == "0"
    assert do("create_vm", lab, host=HOST).state == "succeeded"
    assert pve.guest(VMID)["config"]["onboot"] == "1"
